//! Decides when entries may be removed: one bucket per minute, emptied a few entries at a time.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, TryReserveError};

use crate::clock::Clock;

const BUCKET_SECONDS: u64 = 60;

/// Entries ordered by the minute after which they are no longer needed.
#[derive(Debug)]
pub(super) struct ExpiryWheel<K> {
    buckets: HashMap<u64, Vec<K>>,
    /// The minutes of all buckets, the oldest first.
    minutes: BinaryHeap<Reverse<u64>>,
}

impl<K> Default for ExpiryWheel<K> {
    fn default() -> Self {
        Self { buckets: HashMap::new(), minutes: BinaryHeap::new() }
    }
}

impl<K: Copy> ExpiryWheel<K> {
    /// Makes room for one more entry that is needed until `until`.
    pub(super) fn try_reserve(&mut self, until: u64) -> Result<(), TryReserveError> {
        let minute = until / BUCKET_SECONDS;
        if let Some(bucket) = self.buckets.get_mut(&minute) {
            return bucket.try_reserve(1);
        }
        let mut bucket = Vec::new();
        bucket.try_reserve(1)?;
        self.buckets.try_reserve(1)?;
        self.minutes.try_reserve(1)?;
        self.buckets.insert(minute, bucket);
        self.minutes.push(Reverse(minute));
        Ok(())
    }

    /// Records that `key` is needed until `until`, in seconds since 1970. There must be room for
    /// it.
    pub(super) fn insert(&mut self, key: K, until: u64) {
        if let Some(bucket) = self.buckets.get_mut(&(until / BUCKET_SECONDS)) {
            bucket.push(key);
        }
    }

    /// The number of recorded entries.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.buckets.values().map(Vec::len).sum()
    }

    /// An entry of the oldest minute, if it is no longer needed at `now`.
    pub(super) fn first_expired(&mut self, now: u64) -> Option<K> {
        loop {
            let Reverse(minute) = *self.minutes.peek()?;
            if minute >= now / BUCKET_SECONDS {
                return None;
            }
            if let Some(key) = self.buckets.get(&minute).and_then(|bucket| bucket.last()) {
                return Some(*key);
            }
            self.minutes.pop();
            self.buckets.remove(&minute);
        }
    }

    /// Removes the entry that [`Self::first_expired`] has just returned.
    pub(super) fn pop_first(&mut self) {
        let Some(Reverse(minute)) = self.minutes.peek() else { return };
        if let Some(bucket) = self.buckets.get_mut(minute) {
            bucket.pop();
        }
    }
}

/// A wall clock that cannot be pushed forward.
///
/// It is the earlier of two times: the system time, and the time at which the list was created plus
/// the time counted by the monotonic clock since. So setting the system clock forward removes no
/// entry.
#[derive(Debug)]
pub(super) struct ProvenTime {
    unix_seconds: u64,
    monotonic_nanos: u64,
}

impl ProvenTime {
    /// Starts counting from now.
    pub(super) fn start(clock: &dyn Clock) -> Self {
        Self { unix_seconds: clock.unix_seconds(), monotonic_nanos: clock.monotonic_nanos() }
    }

    /// The latest time, in seconds since 1970, that has certainly passed.
    pub(super) fn now(&self, clock: &dyn Clock) -> u64 {
        let counted = clock.monotonic_nanos().saturating_sub(self.monotonic_nanos) / 1_000_000_000;
        clock.unix_seconds().min(self.unix_seconds.saturating_add(counted))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn only_entries_of_whole_minutes_that_have_passed_are_popped() {
        let mut wheel = ExpiryWheel::default();
        for (key, until) in [("late", 600), ("early", 61)] {
            wheel.try_reserve(until).unwrap();
            wheel.insert(key, until);
        }
        let mut pop_expired = |now| {
            let expired = wheel.first_expired(now)?;
            wheel.pop_first();
            Some(expired)
        };
        assert_eq!(pop_expired(61), None);
        assert_eq!(pop_expired(119), None);
        assert_eq!(pop_expired(120), Some("early"));
        assert_eq!(pop_expired(659), None);
        assert_eq!(pop_expired(u64::MAX), Some("late"));
        assert_eq!(pop_expired(u64::MAX), None);
    }

    #[test]
    fn a_clock_set_ahead_proves_nothing() {
        let clock = ManualClock::at(1000);
        let time = ProvenTime::start(&clock);
        clock.set(1_000_000);
        assert_eq!(time.now(&clock), 1000);
        clock.advance(Duration::from_secs(5));
        assert_eq!(time.now(&clock), 1005);
        clock.set(10);
        assert_eq!(time.now(&clock), 10);
    }
}
