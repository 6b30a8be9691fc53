//! Working memory for memory-hard hashing: tens of MiB at a time, needed again at once.
//!
//! Mapping, first touch and unmapping cost a third of a 64 MiB hash with 4 KiB pages. So regions
//! are whole 2 MiB huge pages where the system has them, if more than one, and kept for the next job
//! of their size (`cache`). They are working memory, not a place for keys: not locked, only kept out of core
//! dumps.

mod cache;
mod os;

use std::ptr::NonNull;
use std::{mem, slice};

use zeroize::optimization_barrier;

use self::cache::{CACHE, Cache};
use crate::error::{Code, Error, Result};

pub use self::cache::{IDLE_TIME, MAX_KEPT_LEN, configure, kept_len, release_idle};

/// Bytes of one block, the unit in which Argon2 counts memory (RFC 9106 section 3.2).
pub const BLOCK_LEN: usize = 1024;

const HUGE_PAGE_LEN: usize = 2 << 20;

/// The strictest alignment a block type may ask for, in bytes: one cache line.
const BLOCK_ALIGN: usize = 64;

/// Takes zeroed pages for `len` bytes that a policy of this process asks for: from those kept by
/// earlier jobs where there are some of that size.
///
/// Fails with `ERR_PASSWORD_MEMORY` when the system has no memory to give.
pub fn take(len: usize) -> Result<Pages> {
    CACHE.trust(len);
    CACHE.take(len)
}

/// As [`take`], for a size that stored data asks for: memory beyond what policies have asked for
/// so far is given back to the system at once.
pub fn take_untrusted(len: usize) -> Result<Pages> {
    CACHE.take(len)
}

/// Zeroed memory on loan: wiped and given back when dropped.
#[derive(Debug)]
pub struct Pages {
    region: Region,
    /// Bytes handed out, and so the bytes to wipe; at most `region.len`.
    len: usize,
    cache: &'static Cache,
}

impl Pages {
    /// The memory as blocks of [`BLOCK_LEN`] bytes, as many as fit in the length asked for.
    pub fn blocks<B: PlainBlock>(&mut self) -> &mut [B] {
        const {
            assert!(size_of::<B>() == BLOCK_LEN);
            assert!(align_of::<B>() <= BLOCK_ALIGN);
        }
        // SAFETY: the region holds `len` bytes or more, is initialised (mapped as zeros, later
        // written only through blocks) and aligned to BLOCK_ALIGN, all upheld by `Region`; any
        // bits are a valid block by the contract of `PlainBlock`; `&mut self` makes it exclusive.
        unsafe {
            slice::from_raw_parts_mut(self.region.start.as_ptr().cast(), self.len / BLOCK_LEN)
        }
    }

    fn wipe(&mut self) {
        let start = self.region.start.as_ptr();
        // SAFETY: `len` bytes from `start` are ours and writable (`Region`), and initialised, so
        // that they may be seen as a slice.
        let wiped = unsafe {
            start.write_bytes(0, self.len);
            slice::from_raw_parts(start, self.len)
        };
        // One fast memset, and a barrier that keeps the compiler from leaving it out: volatile
        // word writes would take three times as long.
        optimization_barrier(wiped);
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.wipe();
        self.cache.give_back(mem::replace(&mut self.region, Region::EMPTY));
    }
}

/// A block of plain old data that can live in [`Pages`].
///
/// # Safety
/// Every bit pattern of its [`BLOCK_LEN`] bytes is a valid value, there is no padding, and it has
/// neither `Drop` nor interior mutability.
pub unsafe trait PlainBlock: Copy {}

// SAFETY: a `Copy` struct around one `[u64; 128]`, aligned to 64; size and alignment are asserted
// where it is used, so that 1024 bytes leave no room for anything but those words.
unsafe impl PlainBlock for argon2::Block {}

/// A stretch of memory from the operating system: whole huge pages, initialised, aligned to
/// `BLOCK_ALIGN` at least, owned alone and given back when dropped.
#[derive(Debug)]
struct Region {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: a `Region` owns its memory alone, as a `Box` would; nothing in it belongs to a thread.
unsafe impl Send for Region {}

impl Region {
    const EMPTY: Self = Self { start: NonNull::dangling(), len: 0 };

    fn map(len: usize) -> Result<Self> {
        os::map(len).map(|start| Self { start, len }).ok_or_else(no_memory)
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        if self.len != 0 {
            // SAFETY: `start` and `len` are what `os::map` gave, and no `Pages` borrows a region
            // that is being dropped.
            unsafe { os::unmap(self.start, self.len) };
        }
    }
}

/// The length of the region for `len` bytes.
fn region_len(len: usize) -> Result<usize> {
    len.max(1).checked_next_multiple_of(HUGE_PAGE_LEN).ok_or_else(no_memory)
}

fn no_memory() -> Error {
    Error::new(
        Code::PasswordMemory,
        "no memory for this hash; use a lower memoryCost, or run fewer hashes at once",
    )
}

#[cfg(test)]
mod tests {
    use argon2::Block;

    use super::*;

    #[test]
    fn memory_that_is_not_to_be_had_is_an_error() {
        for len in [usize::MAX, usize::MAX / 2] {
            assert_eq!(take_untrusted(len).unwrap_err().code, Code::PasswordMemory);
        }
    }

    #[test]
    fn blocks_of_the_length_asked_for() {
        let mut pages = take_untrusted(19 * BLOCK_LEN).unwrap();
        assert_eq!(pages.blocks::<Block>().len(), 19);
    }

    #[cfg(all(target_os = "linux", not(miri)))]
    #[test]
    fn regions_are_whole_huge_pages() {
        let pages = take_untrusted(19456 * BLOCK_LEN).unwrap();
        assert_eq!(pages.region.start.addr().get() % HUGE_PAGE_LEN, 0);
        assert_eq!(pages.region.len, 20 << 20);
    }
}
