//! Bytes that lie in the secure heap and nowhere else.

use std::fmt;
use std::sync::Arc;

use super::overflow::Overflow;
use super::process_heap::process_heap;
use super::secure_heap::SecureHeap;
use super::trace_guard::{Depth, TraceGuard};
use crate::error::{Code, Error, Result};
use crate::heap::Slot;
use crate::id;

/// The longest secret, in bytes: 1 MiB.
pub const MAX_SECRET_LEN: usize = 1024 * 1024;

/// Secret bytes, readable only through [`Secret::expose`].
///
/// A clone is another owner of the same bytes; they are wiped when the last one is dropped. An
/// empty secret is allowed and takes no memory. Prints as `Secret(32 bytes)`.
///
/// Within [`super::storing`] a secret may lie in memory that is lent for the duration of the call.
/// A secret that must last longer becomes a [`super::StoredSecret`].
///
/// After `fork` the child must not read or drop it, because the memory does not exist there
/// (`memfd_secret`) or reads as zeros.
#[derive(Clone)]
pub struct Secret {
    /// `None` for an empty secret.
    slot: Option<Arc<Slot>>,
    /// At most the slot's length.
    len: usize,
    /// The overflow whose scratch memory contains the slot. Such a secret lasts only for a call.
    scratch_of: Option<Arc<Overflow>>,
}

impl Secret {
    /// A copy of `bytes`; the caller must wipe the original. Fails with `ERR_OUT_OF_RANGE` above
    /// [`MAX_SECRET_LEN`], and with `ERR_SECRET_EXHAUSTED` if there is no room.
    pub fn copy_from(bytes: &[u8]) -> Result<Self> {
        Self::filled(bytes.len(), |slot| {
            slot.copy_from_slice(bytes);
            Ok(())
        })
    }

    /// `len` random bytes. Errors as for [`Secret::copy_from`], and `ERR_RANDOM`.
    pub fn random(len: usize) -> Result<Self> {
        Self::filled(len, id::random_bytes)
    }

    /// `len` bytes, initially zero, that `fill` writes in place. If it fails or panics, its bytes
    /// are wiped. Errors as for [`Secret::copy_from`], and the errors of `fill`.
    pub fn filled(len: usize, fill: impl FnOnce(&mut [u8]) -> Result<()>) -> Result<Self> {
        Self::filled_in(process_heap()?, len, fill)
    }

    /// As [`Secret::filled`], but `fill` returns how many of the `room` bytes it has used. Only
    /// these become the secret.
    pub fn filled_up_to(
        room: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<usize>,
    ) -> Result<Self> {
        let mut used = 0;
        let mut secret = Self::filled(room, |slot| {
            used = fill(slot)?.min(slot.len());
            Ok(())
        })?;
        secret.len = used;
        secret.slot.take_if(|_| used == 0);
        Ok(secret)
    }

    /// The length in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes, for code that leaves no trace of them.
    pub fn expose<'a>(&'a self, _: &'a TraceGuard) -> &'a [u8] {
        self.bytes()
    }

    /// A copy in separate memory. Errors as for [`Secret::copy_from`].
    pub fn copy(&self) -> Result<Self> {
        TraceGuard::run(Depth::Registers, |trace| Self::copy_from(self.expose(trace)))
    }

    pub(super) fn filled_in(
        heap: &SecureHeap,
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<()>,
    ) -> Result<Self> {
        if len > MAX_SECRET_LEN {
            return Err(Error::new(
                Code::OutOfRange,
                format!("a secret must be at most {MAX_SECRET_LEN} bytes long, not {len}"),
            ));
        }
        if len == 0 {
            fill(&mut [])?;
            return Ok(Self { slot: None, len, scratch_of: None });
        }
        let (mut slot, scratch_of) = heap.slot_or_scratch(len)?;
        let filled = TraceGuard::run(Depth::Registers, |_| fill(slot.bytes_mut()));
        filled.map(|()| Self { slot: Some(Arc::new(slot)), len, scratch_of })
    }

    pub(super) fn in_scratch(slot: Slot, scratch_of: Arc<Overflow>) -> Self {
        let len = slot.bytes().len();
        Self { slot: Some(Arc::new(slot)), len, scratch_of: Some(scratch_of) }
    }

    pub(super) fn scratch_of(&self) -> Option<&Arc<Overflow>> {
        self.scratch_of.as_ref()
    }

    fn bytes(&self) -> &[u8] {
        self.slot.as_ref().map_or(&[], |slot| &slot.bytes()[..self.len])
    }
}

/// For tests, which read and compare without a guard.
#[cfg(test)]
impl Secret {
    /// Whether the bytes are the same.
    pub fn ct_eq(&self, other: &[u8]) -> bool {
        super::bytes::ct_eq(self.bytes(), other)
    }
}

#[cfg(test)]
impl secrecy::ExposeSecret<[u8]> for Secret {
    fn expose_secret(&self) -> &[u8] {
        self.bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.len())
    }
}

#[cfg(test)]
#[allow(unsafe_code, reason = "reads memory that was given back")]
mod tests;
