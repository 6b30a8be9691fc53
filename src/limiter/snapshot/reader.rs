//! Reads the bytes of a snapshot from the first to the last.

use crate::error::{Code, Error, Result};

/// The bytes that are not read yet.
pub(super) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// The next bytes, as many as asked for. Fails with `ERR_LIMIT_SNAPSHOT` if there are fewer.
    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or_else(damaged)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| damaged())
    }

    pub(super) fn byte(&mut self) -> Result<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// A number of things that take at least one byte each.
    pub(super) fn count(&mut self) -> Result<usize> {
        let count = self.u32()?.try_into().map_err(|_| damaged())?;
        if count > self.0.len() { Err(damaged()) } else { Ok(count) }
    }

    /// Checks that all bytes were read.
    pub(super) fn end(&self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(damaged()) }
    }
}

/// The error `ERR_LIMIT_SNAPSHOT`.
pub(super) fn damaged() -> Error {
    Error::new(
        Code::LimitSnapshot,
        "the bytes are no snapshot of a limiter, or are cut or damaged: pass what snapshot() \
         returned, or start with an empty limiter",
    )
}
