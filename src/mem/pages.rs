//! Working memory for memory-hard hashing: tens of MiB at a time, needed again at once.
//!
//! Mapping, first touch and unmapping cost a third of a 64 MiB hash with 4 KiB pages. So regions
//! are whole 2 MiB huge pages where the system has them, and a few are kept for the next job.
//! They are working memory, not a place for keys: not locked, only kept out of core dumps.

mod os;

use std::num::NonZero;
use std::ptr::NonNull;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::{mem, slice, thread};

use zeroize::optimization_barrier;

use crate::error::{Code, Error, Result};

/// Bytes of one block, the unit in which Argon2 counts memory (RFC 9106 section 3.2).
pub const BLOCK_LEN: usize = 1024;

/// The largest region, in bytes, that is kept for the next job: 256 MiB.
pub const MAX_KEPT_LEN: usize = 256 << 20;

const HUGE_PAGE_LEN: usize = 2 << 20;

/// The strictest alignment a block type may ask for, in bytes: one cache line.
const BLOCK_ALIGN: usize = 64;

static CACHE: LazyLock<Cache> =
    LazyLock::new(|| Cache::new(thread::available_parallelism().map_or(1, NonZero::get)));

/// Takes zeroed pages for `len` bytes, from those kept by earlier jobs where one is large enough.
///
/// At most one region per core is kept, none above [`MAX_KEPT_LEN`]. Fails with
/// `ERR_PASSWORD_MEMORY` when the system has no memory to give.
pub fn take(len: usize) -> Result<Pages> {
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

/// Regions that wait for the next job, the one given back longest ago first.
#[derive(Debug)]
struct Cache {
    kept: Mutex<Vec<Region>>,
    max_kept: usize,
}

impl Cache {
    const fn new(max_kept: usize) -> Self {
        Self { kept: Mutex::new(Vec::new()), max_kept }
    }

    fn take(&'static self, len: usize) -> Result<Pages> {
        let region = match self.take_kept(len) {
            Some(region) => region,
            None => Region::map(len).ok_or_else(|| {
                Error::new(
                    Code::PasswordMemory,
                    "no memory for this hash; use a lower memoryCost, or run fewer hashes at once",
                )
            })?,
        };
        Ok(Pages { region, len, cache: self })
    }

    /// The smallest kept region that is large enough.
    fn take_kept(&self, len: usize) -> Option<Region> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = kept.iter().enumerate().filter(|(_, region)| region.len >= len);
        let (index, _) = fitting.min_by_key(|(_, region)| region.len)?;
        Some(kept.remove(index))
    }

    /// Keeps a wiped region in place of the oldest one, so that the cache follows the workload.
    fn give_back(&self, region: Region) {
        if region.len > MAX_KEPT_LEN || self.max_kept == 0 {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = (kept.len() >= self.max_kept).then(|| kept.remove(0));
        kept.push(region);
        // Unmapping takes its time: not under the lock.
        drop(kept);
        drop(oldest);
    }
}

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

    fn map(len: usize) -> Option<Self> {
        let len = len.max(1).checked_next_multiple_of(HUGE_PAGE_LEN)?;
        os::map(len).map(|start| Self { start, len })
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

#[cfg(test)]
mod tests {
    use argon2::Block;

    use super::*;

    fn cache(max_kept: usize) -> &'static Cache {
        Box::leak(Box::new(Cache::new(max_kept)))
    }

    fn kept_lens(cache: &Cache) -> Vec<usize> {
        cache.kept.lock().unwrap().iter().map(|region| region.len >> 20).collect()
    }

    fn is_zero(blocks: &[Block]) -> bool {
        blocks.iter().all(|block| block.as_ref().iter().all(|&word| word == 0))
    }

    #[test]
    fn memory_is_reused_and_zero_again() {
        let cache = cache(1);
        let mut pages = cache.take(3 << 20).unwrap();
        let first = pages.region.start;
        assert_eq!(pages.blocks::<Block>().len(), 3 << 10);
        for block in pages.blocks::<Block>() {
            block.as_mut().fill(u64::MAX);
        }
        drop(pages);

        let mut pages = cache.take(4 << 20).unwrap();
        assert_eq!(pages.region.start, first);
        assert!(is_zero(pages.blocks()));
    }

    #[test]
    fn the_smallest_fitting_region_is_taken_and_the_oldest_makes_room() {
        let cache = cache(2);
        let (small, large) = (cache.take(2 << 20).unwrap(), cache.take(6 << 20).unwrap());
        drop(large);
        drop(small);
        assert_eq!(kept_lens(cache), [6, 2]);
        drop(cache.take(BLOCK_LEN).unwrap());
        assert_eq!(kept_lens(cache), [6, 2]);
        let other = cache.take(8 << 20).unwrap();
        drop(other);
        assert_eq!(kept_lens(cache), [2, 8]);
    }

    #[test]
    fn large_regions_are_not_kept() {
        let cache = cache(1);
        cache.give_back(Region::map(MAX_KEPT_LEN + 1).unwrap());
        assert!(kept_lens(cache).is_empty());
    }

    #[test]
    fn memory_that_is_not_to_be_had_is_an_error() {
        for len in [usize::MAX, usize::MAX / 2] {
            assert_eq!(take(len).unwrap_err().code, Code::PasswordMemory);
        }
    }

    #[cfg(all(target_os = "linux", not(miri)))]
    #[test]
    fn regions_are_whole_huge_pages() {
        let pages = cache(0).take(19456 * BLOCK_LEN).unwrap();
        assert_eq!(pages.region.start.addr().get() % HUGE_PAGE_LEN, 0);
        assert_eq!(pages.region.len, 20 << 20);
    }
}
