//! Working memory on loan to a job.

use std::{mem, slice};

use super::cache::{CACHE, Cache};
use super::region::Region;
use crate::error::Result;
use crate::heap::wipe;
use crate::os::WORKING_MEMORY_ALIGN;

/// Bytes of a block, the unit in which Argon2 counts memory (RFC 9106 section 3.2).
pub const BLOCK_LEN: usize = 1024;

/// Takes zeroed pages for `len` bytes that a policy of this process asks for. Reuses pages of an
/// earlier job if the cache has some of that size.
///
/// Fails with `ERR_PASSWORD_MEMORY` if the system has no memory.
pub fn take(len: usize) -> Result<Pages> {
    CACHE.trust(len);
    Pages::take_from(&CACHE, len)
}

/// As [`take`], for a size that stored data asks for. Memory above the largest size that a policy
/// has asked for is returned to the system at once.
pub fn take_untrusted(len: usize) -> Result<Pages> {
    Pages::take_from(&CACHE, len)
}

/// Zeroed memory on loan: wiped and given back when dropped.
#[derive(Debug)]
pub struct Pages {
    region: Region,
    /// Bytes lent, which must be wiped; at most the region's length.
    len: usize,
    cache: &'static Cache,
}

impl Pages {
    pub(super) fn take_from(cache: &'static Cache, len: usize) -> Result<Self> {
        Ok(Self { region: cache.take(len)?, len, cache })
    }

    /// The memory as blocks of [`BLOCK_LEN`] bytes, as many as fit in the requested length.
    pub fn blocks<B: PlainBlock>(&mut self) -> &mut [B] {
        const {
            assert!(size_of::<B>() == BLOCK_LEN);
            assert!(align_of::<B>() <= WORKING_MEMORY_ALIGN);
        }
        // SAFETY: the region holds `len` bytes or more, is initialised (mapped as zeros, later
        // written only through blocks) and aligned to WORKING_MEMORY_ALIGN, all upheld by `Region`;
        // any bits are a valid block by the contract of `PlainBlock`; `&mut self` makes it
        // exclusive.
        unsafe {
            slice::from_raw_parts_mut(self.region.start().as_ptr().cast(), self.len / BLOCK_LEN)
        }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: `len` bytes from `start` are ours and writable (`Region`). One fast memset:
        // volatile writes of words would take three times as long.
        unsafe { wipe(self.region.start(), self.len) };
        self.cache.give_back(mem::replace(&mut self.region, Region::EMPTY));
    }
}

/// A block of plain old data that can live in [`Pages`].
///
/// # Safety
/// Every bit pattern of its [`BLOCK_LEN`] bytes is a valid value, there is no padding, and it has
/// neither `Drop` nor interior mutability.
pub unsafe trait PlainBlock: Copy {}

// SAFETY: a `Copy` struct around one `[u64; 128]`, aligned to 64. Size and alignment are asserted
// where it is used, so its 1024 bytes hold only those words.
unsafe impl PlainBlock for argon2::Block {}

#[cfg(test)]
mod tests {
    use argon2::Block;

    use super::*;
    use crate::error::Code;

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
        use crate::os::HUGE_PAGE_LEN;

        let pages = take_untrusted(19456 * BLOCK_LEN).unwrap();
        assert_eq!(pages.region.start().addr().get() % HUGE_PAGE_LEN, 0);
        assert_eq!(pages.region.len(), 20 << 20);
    }
}
