//! Regions that wait for the next job of their size.
//!
//! What is lent and what is kept stay within one budget together, so that resident memory is what
//! the running jobs were admitted with. A region serves jobs of its own length only: a larger one
//! would hold more than its job was admitted with. What nobody has needed for [`IDLE_TIME`] goes
//! back to the system.

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Pages, Region, region_len};
use crate::clock::{Clock, SystemClock};
use crate::error::Result;

/// The largest region, in bytes, that is kept for the next job: 256 MiB.
pub const MAX_KEPT_LEN: usize = 256 << 20;

/// How long a region is kept without being used.
pub const IDLE_TIME: Duration = Duration::from_secs(5);

/// What is kept whatever the policies ask for, in bytes: the default policy's 64 MiB.
const TRUSTED_LEN: usize = 64 << 20;

pub(super) static CACHE: LazyLock<Cache> = LazyLock::new(|| Cache::new(Arc::new(SystemClock)));

/// Sets how many bytes may be lent and kept together, and how many regions may be kept; until
/// then nothing is kept. What is too much now is given back to the system.
pub fn configure(max_len: usize, max_kept: usize) {
    CACHE.configure(max_len, max_kept);
}

/// Gives back to the system what has been idle for [`IDLE_TIME`]; says how long until there is
/// more of it, if anything is kept.
pub fn release_idle() -> Option<Duration> {
    CACHE.release_idle()
}

/// Bytes that are kept for the next jobs.
pub fn kept_len() -> usize {
    CACHE.lock().kept_len()
}

/// The regions of a process.
pub(super) struct Cache {
    clock: Arc<dyn Clock>,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    /// The one given back longest ago first.
    kept: Vec<Kept>,
    /// Bytes on loan.
    lent: usize,
    /// The longest region that may be kept, beyond [`TRUSTED_LEN`].
    trusted: usize,
    max_len: usize,
    max_kept: usize,
}

struct Kept {
    region: Region,
    /// Nanoseconds of the monotonic clock.
    since: u64,
}

impl Cache {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, book: Mutex::default() }
    }

    pub(super) fn configure(&self, max_len: usize, max_kept: usize) {
        let mut book = self.lock();
        (book.max_len, book.max_kept) = (max_len, max_kept);
        let surplus = book.make_room(0);
        drop(book);
        drop(surplus);
    }

    /// Notes that a policy asks for this much.
    pub(super) fn trust(&self, len: usize) {
        let len = region_len(len).unwrap_or(usize::MAX).min(MAX_KEPT_LEN);
        let mut book = self.lock();
        book.trusted = book.trusted.max(len);
    }

    pub(super) fn take(&'static self, len: usize) -> Result<Pages> {
        let needed = region_len(len)?;
        let mut book = self.lock();
        let fitting = book.kept.iter().rposition(|kept| kept.region.len == needed);
        let kept = fitting.map(|index| book.kept.remove(index).region);
        let surplus = if kept.is_some() { Vec::new() } else { book.make_room(needed) };
        book.lent += needed;
        // The system takes its time: not under the lock. And what is given back goes first.
        drop(book);
        drop(surplus);
        let region = match kept {
            Some(region) => region,
            None => Region::map(needed).inspect_err(|_| self.lock().lent -= needed)?,
        };
        Ok(Pages { region, len, cache: self })
    }

    /// Takes a wiped region back, to keep it if it may be kept.
    pub(super) fn give_back(&self, region: Region) {
        let mut book = self.lock();
        let since = self.clock.monotonic_nanos();
        book.lent -= region.len;
        let surplus = if region.len <= book.trusted.max(TRUSTED_LEN) && book.max_kept > 0 {
            let mut surplus = Vec::new();
            if book.kept.len() >= book.max_kept {
                surplus.push(book.kept.remove(0).region);
            }
            book.kept.push(Kept { region, since });
            surplus.extend(book.make_room(0));
            surplus
        } else {
            vec![region]
        };
        drop(book);
        drop(surplus);
    }

    pub(super) fn release_idle(&self) -> Option<Duration> {
        let now = self.clock.monotonic_nanos();
        let mut book = self.lock();
        let idle = |kept: &Kept| Duration::from_nanos(now.saturating_sub(kept.since));
        let fresh = book.kept.partition_point(|kept| idle(kept) >= IDLE_TIME);
        let surplus: Vec<_> = book.kept.drain(..fresh).collect();
        let next = book.kept.first().map(|oldest| IDLE_TIME.saturating_sub(idle(oldest)));
        drop(book);
        drop(surplus);
        next
    }

    /// Nothing that can panic runs under the lock, so that a poisoned one holds a consistent book.
    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let book = self.lock();
        let (lent, kept) = (book.lent, book.kept_len());
        f.debug_struct("Cache").field("lent", &lent).field("kept", &kept).finish_non_exhaustive()
    }
}

impl Book {
    fn kept_len(&self) -> usize {
        self.kept.iter().map(|kept| kept.region.len).sum()
    }

    /// Takes out what must go for `needed` more bytes to be within the bounds, the oldest first.
    fn make_room(&mut self, needed: usize) -> Vec<Region> {
        let mut surplus = Vec::new();
        while !self.kept.is_empty()
            && (self.kept.len() > self.max_kept
                || self.lent + self.kept_len() + needed > self.max_len)
        {
            surplus.push(self.kept.remove(0).region);
        }
        surplus
    }
}

#[cfg(test)]
mod tests {
    use argon2::Block;

    use super::*;
    use crate::clock::ManualClock;

    const MIB: usize = 1 << 20;

    fn cache(max_mib: usize, max_kept: usize) -> (&'static Cache, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::default());
        let cache = Box::leak(Box::new(Cache::new(clock.clone())));
        cache.configure(max_mib * MIB, max_kept);
        (cache, clock)
    }

    /// The lengths of what is kept, in MiB.
    fn kept(cache: &Cache) -> Vec<usize> {
        cache.lock().kept.iter().map(|kept| kept.region.len / MIB).collect()
    }

    fn is_zero(blocks: &[Block]) -> bool {
        blocks.iter().all(|block| block.as_ref().iter().all(|&word| word == 0))
    }

    #[test]
    fn memory_is_reused_and_zero_again() {
        let (cache, _) = cache(100, 1);
        let mut pages = cache.take(3 * MIB).unwrap();
        let first = pages.region.start;
        for block in pages.blocks::<Block>() {
            block.as_mut().fill(u64::MAX);
        }
        drop(pages);
        let mut pages = cache.take(4 * MIB).unwrap();
        assert_eq!(pages.region.start, first);
        assert!(is_zero(pages.blocks()));
    }

    #[test]
    fn what_is_lent_and_kept_is_within_the_budget() {
        let (cache, _) = cache(20, 10);
        let pages = [4, 6, 8].map(|mib| cache.take(mib * MIB).unwrap());
        drop(pages);
        assert_eq!(kept(cache), [4, 6, 8]);
        // 2 more than there is room for: the oldest goes, and comes back as the youngest.
        let four = cache.take(2 * MIB).unwrap();
        assert_eq!(kept(cache), [4, 6, 8]);
        let other = cache.take(2 * MIB).unwrap();
        assert_eq!(kept(cache), [6, 8]);
        drop((four, other));
        assert_eq!(kept(cache), [6, 8, 2, 2]);
        cache.configure(10 * MIB, 10);
        assert_eq!(kept(cache), [2, 2]);
        cache.configure(10 * MIB, 1);
        assert_eq!(kept(cache), [2]);
    }

    #[test]
    fn the_oldest_makes_room_for_what_was_used_last() {
        let (cache, _) = cache(100, 2);
        for mib in [2, 4, 6] {
            drop(cache.take(mib * MIB).unwrap());
        }
        assert_eq!(kept(cache), [4, 6]);
    }

    #[test]
    fn only_what_policies_ask_for_is_kept() {
        let (cache, _) = cache(1000, 10);
        drop(cache.take(66 * MIB).unwrap());
        assert!(kept(cache).is_empty());
        drop(cache.take(64 * MIB).unwrap());
        cache.trust(100 * MIB);
        drop(cache.take(100 * MIB).unwrap());
        drop(cache.take(102 * MIB).unwrap());
        cache.trust(usize::MAX);
        drop(cache.take(MAX_KEPT_LEN + 1).unwrap());
        assert_eq!(kept(cache), [64, 100]);
        assert_eq!(cache.lock().lent, 0);
    }

    #[test]
    fn idle_memory_goes_back_to_the_system() {
        let (cache, clock) = cache(100, 10);
        assert_eq!(cache.release_idle(), None);
        drop(cache.take(2 * MIB).unwrap());
        clock.advance(Duration::from_secs(2));
        drop(cache.take(4 * MIB).unwrap());
        assert_eq!(cache.release_idle(), Some(Duration::from_secs(3)));
        clock.advance(Duration::from_secs(3));
        assert_eq!(cache.release_idle(), Some(Duration::from_secs(2)));
        assert_eq!(kept(cache), [4]);
        clock.advance(IDLE_TIME);
        assert_eq!((cache.release_idle(), kept(cache)), (None, vec![]));
    }

    #[test]
    fn a_failed_mapping_is_not_on_loan() {
        let (cache, _) = cache(100, 10);
        assert!(cache.take(usize::MAX / 2).is_err());
        assert_eq!(cache.lock().lent, 0);
    }
}
