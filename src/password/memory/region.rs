//! A region of working memory from the operating system.

use std::ptr::NonNull;

use crate::error::{Code, Error, Result};
use crate::os::{HUGE_PAGE_LEN, Native, Platform};

/// Memory whose length is a multiple of a huge page. It is initialised, aligned to
/// `WORKING_MEMORY_ALIGN`, exclusively owned, and returned to the system when dropped.
#[derive(Debug)]
pub(super) struct Region {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: a `Region` exclusively owns its memory, like a `Box`; nothing in it belongs to a thread.
unsafe impl Send for Region {}

impl Region {
    /// An empty region without memory.
    pub(super) const EMPTY: Self = Self { start: NonNull::dangling(), len: 0 };

    /// Maps zeroed memory of `len` bytes, a length returned by [`Region::len_for`]. Fails with
    /// `ERR_PASSWORD_MEMORY` if the system has none.
    pub(super) fn map(len: usize) -> Result<Self> {
        Native::map_working_memory(len).map(|start| Self { start, len }).ok_or_else(no_memory)
    }

    /// The length of the region for `len` bytes.
    pub(super) fn len_for(len: usize) -> Result<usize> {
        len.max(1).checked_next_multiple_of(HUGE_PAGE_LEN).ok_or_else(no_memory)
    }

    /// The first byte.
    pub(super) fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// The length in bytes.
    pub(super) fn len(&self) -> usize {
        self.len
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        if self.len != 0 {
            // SAFETY: `start` and `len` are those of `map`, and no `Pages` borrows a region that is
            // being dropped.
            unsafe { Native::unmap_working_memory(self.start, self.len) };
        }
    }
}

fn no_memory() -> Error {
    Error::new(
        Code::PasswordMemory,
        "not enough memory for this hash; use a lower memoryCost, or run fewer hashes at once",
    )
}
