//! Idle regions that wait for the next job of their size.
//!
//! Lent and idle regions share one budget, so that resident memory stays within the sum for which
//! the running jobs were admitted. A region serves only jobs of its own length, because a larger
//! region would hold more memory than its job was admitted with. Regions idle for [`IDLE_TIME`] are
//! returned to the system.

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::region::Region;
use crate::clock::{Clock, SystemClock};
use crate::error::Result;

/// The largest region, in bytes, that is kept for the next job: 256 MiB.
pub const MAX_KEPT_LEN: usize = 256 << 20;

/// How long a region is kept without being used.
pub const IDLE_TIME: Duration = Duration::from_secs(5);

/// The largest region, in bytes, that is kept whatever policies ask for: the default policy's 64
/// MiB.
const TRUSTED_LEN: usize = 64 << 20;

pub(super) static CACHE: LazyLock<Cache> = LazyLock::new(|| Cache::new(Arc::new(SystemClock)));

/// Sets how many bytes may be lent and idle together, and how many regions may be idle. Before the
/// first call no region is kept. Surplus regions are returned to the system.
pub fn configure(max_len: usize, max_idle: usize) {
    CACHE.configure(max_len, max_idle);
}

/// Returns regions idle for [`IDLE_TIME`] to the system, and gives the time until the next region
/// is due, if there is one.
pub fn release_idle() -> Option<Duration> {
    CACHE.release_idle()
}

/// Bytes in idle regions.
pub fn kept_len() -> usize {
    CACHE.lock().idle_len()
}

/// The process's regions for working memory.
pub(super) struct Cache {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Idle regions, in the order in which they were given back, oldest first.
    idle: Vec<IdleRegion>,
    /// Bytes on loan.
    lent: usize,
    /// The longest region that a policy has asked for, at most [`MAX_KEPT_LEN`]; regions up to this
    /// length or [`TRUSTED_LEN`] are kept.
    trusted: usize,
    max_len: usize,
    max_idle: usize,
}

struct IdleRegion {
    region: Region,
    /// Nanoseconds of the monotonic clock.
    since: u64,
}

impl Cache {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default() }
    }

    pub(super) fn configure(&self, max_len: usize, max_idle: usize) {
        let mut state = self.lock();
        (state.max_len, state.max_idle) = (max_len, max_idle);
        let surplus = state.make_room(0);
        drop(state);
        drop(surplus);
    }

    /// Records that a policy asks for regions of this length.
    pub(super) fn trust(&self, len: usize) {
        let len = Region::len_for(len).unwrap_or(usize::MAX).min(MAX_KEPT_LEN);
        let mut state = self.lock();
        state.trusted = state.trusted.max(len);
    }

    pub(super) fn take(&self, len: usize) -> Result<Region> {
        let needed = Region::len_for(len)?;
        let mut state = self.lock();
        let fitting = state.idle.iter().rposition(|idle| idle.region.len() == needed);
        let reused = fitting.map(|index| state.idle.remove(index).region);
        let surplus = if reused.is_some() { Vec::new() } else { state.make_room(needed) };
        state.lent += needed;
        // System calls are slow, so the lock is released first. Surplus memory is returned before
        // more is mapped.
        drop(state);
        drop(surplus);
        match reused {
            Some(region) => Ok(region),
            None => Region::map(needed).inspect_err(|_| self.lock().lent -= needed),
        }
    }

    /// Takes a wiped region back and keeps it if the bounds allow.
    pub(super) fn give_back(&self, region: Region) {
        let mut state = self.lock();
        let since = self.clock.monotonic_nanos();
        state.lent -= region.len();
        let surplus = if region.len() <= state.trusted.max(TRUSTED_LEN) && state.max_idle > 0 {
            let mut surplus = Vec::new();
            if state.idle.len() >= state.max_idle {
                surplus.push(state.idle.remove(0).region);
            }
            state.idle.push(IdleRegion { region, since });
            surplus.extend(state.make_room(0));
            surplus
        } else {
            vec![region]
        };
        drop(state);
        drop(surplus);
    }

    pub(super) fn release_idle(&self) -> Option<Duration> {
        let now = self.clock.monotonic_nanos();
        let mut state = self.lock();
        let age = |idle: &IdleRegion| Duration::from_nanos(now.saturating_sub(idle.since));
        let fresh = state.idle.partition_point(|idle| age(idle) >= IDLE_TIME);
        let surplus: Vec<_> = state.idle.drain(..fresh).collect();
        let next = state.idle.first().map(|oldest| IDLE_TIME.saturating_sub(age(oldest)));
        drop(state);
        drop(surplus);
        next
    }

    /// Nothing that can panic runs under the lock, so the state is consistent even if the lock is
    /// poisoned.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.lock();
        let (lent, idle) = (state.lent, state.idle_len());
        f.debug_struct("Cache").field("lent", &lent).field("idle", &idle).finish_non_exhaustive()
    }
}

impl State {
    fn idle_len(&self) -> usize {
        self.idle.iter().map(|idle| idle.region.len()).sum()
    }

    /// Takes out the idle regions that exceed the bounds once `needed` more bytes are lent, oldest
    /// first.
    fn make_room(&mut self, needed: usize) -> Vec<Region> {
        let mut surplus = Vec::new();
        while !self.idle.is_empty()
            && (self.idle.len() > self.max_idle
                || self.lent + self.idle_len() + needed > self.max_len)
        {
            surplus.push(self.idle.remove(0).region);
        }
        surplus
    }
}

#[cfg(test)]
mod tests {
    use argon2::Block;

    use super::*;
    use crate::clock::ManualClock;
    use crate::password::memory::Pages;

    const MIB: usize = 1 << 20;

    fn cache(max_mib: usize, max_kept: usize) -> (&'static Cache, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::default());
        let cache = Box::leak(Box::new(Cache::new(clock.clone())));
        cache.configure(max_mib * MIB, max_kept);
        (cache, clock)
    }

    fn take(cache: &'static Cache, len: usize) -> Result<Pages> {
        Pages::take_from(cache, len)
    }

    /// The lengths of the idle regions, in MiB.
    fn idle(cache: &Cache) -> Vec<usize> {
        cache.lock().idle.iter().map(|idle| idle.region.len() / MIB).collect()
    }

    fn is_zero(blocks: &[Block]) -> bool {
        blocks.iter().all(|block| block.as_ref().iter().all(|&word| word == 0))
    }

    #[test]
    fn memory_is_reused_and_zero_again() {
        let (cache, _) = cache(100, 1);
        let mut pages = take(cache, 3 * MIB).unwrap();
        let first = pages.blocks::<Block>().as_ptr();
        for block in pages.blocks::<Block>() {
            block.as_mut().fill(u64::MAX);
        }
        drop(pages);
        let mut pages = take(cache, 4 * MIB).unwrap();
        assert_eq!(pages.blocks::<Block>().as_ptr(), first);
        assert!(is_zero(pages.blocks()));
    }

    #[test]
    fn what_is_lent_and_kept_is_within_the_budget() {
        let (cache, _) = cache(20, 10);
        let pages = [4, 6, 8].map(|mib| take(cache, mib * MIB).unwrap());
        drop(pages);
        assert_eq!(idle(cache), [4, 6, 8]);
        // 2 MiB more than there is room for: the oldest region is removed, and a new one becomes
        // the youngest.
        let four = take(cache, 2 * MIB).unwrap();
        assert_eq!(idle(cache), [4, 6, 8]);
        let other = take(cache, 2 * MIB).unwrap();
        assert_eq!(idle(cache), [6, 8]);
        drop((four, other));
        assert_eq!(idle(cache), [6, 8, 2, 2]);
        cache.configure(10 * MIB, 10);
        assert_eq!(idle(cache), [2, 2]);
        cache.configure(10 * MIB, 1);
        assert_eq!(idle(cache), [2]);
    }

    #[test]
    fn the_oldest_makes_room_for_what_was_used_last() {
        let (cache, _) = cache(100, 2);
        for mib in [2, 4, 6] {
            drop(take(cache, mib * MIB).unwrap());
        }
        assert_eq!(idle(cache), [4, 6]);
    }

    #[test]
    fn only_what_policies_ask_for_is_kept() {
        let (cache, _) = cache(1000, 10);
        drop(take(cache, 66 * MIB).unwrap());
        assert!(idle(cache).is_empty());
        drop(take(cache, 64 * MIB).unwrap());
        cache.trust(100 * MIB);
        drop(take(cache, 100 * MIB).unwrap());
        drop(take(cache, 102 * MIB).unwrap());
        cache.trust(usize::MAX);
        drop(take(cache, MAX_KEPT_LEN + 1).unwrap());
        assert_eq!(idle(cache), [64, 100]);
        assert_eq!(cache.lock().lent, 0);
    }

    #[test]
    fn idle_memory_goes_back_to_the_system() {
        let (cache, clock) = cache(100, 10);
        assert_eq!(cache.release_idle(), None);
        drop(take(cache, 2 * MIB).unwrap());
        clock.advance(Duration::from_secs(2));
        drop(take(cache, 4 * MIB).unwrap());
        assert_eq!(cache.release_idle(), Some(Duration::from_secs(3)));
        clock.advance(Duration::from_secs(3));
        assert_eq!(cache.release_idle(), Some(Duration::from_secs(2)));
        assert_eq!(idle(cache), [4]);
        clock.advance(IDLE_TIME);
        assert_eq!((cache.release_idle(), idle(cache)), (None, vec![]));
    }

    #[test]
    fn a_failed_mapping_is_not_on_loan() {
        let (cache, _) = cache(100, 10);
        assert!(take(cache, usize::MAX / 2).is_err());
        assert_eq!(cache.lock().lent, 0);
    }
}
