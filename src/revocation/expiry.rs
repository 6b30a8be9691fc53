//! Decides when entries may be removed: one bucket per minute, emptied a few entries at a time.

use std::collections::BTreeMap;

use crate::clock::Clock;

const BUCKET_SECONDS: u64 = 60;

/// Entries ordered by the minute after which they are no longer needed.
#[derive(Debug)]
pub(super) struct ExpiryWheel<K> {
    buckets: BTreeMap<u64, Vec<K>>,
}

impl<K> Default for ExpiryWheel<K> {
    fn default() -> Self {
        Self { buckets: BTreeMap::new() }
    }
}

impl<K> ExpiryWheel<K> {
    /// Records that `key` is needed until `until`, in seconds since 1970.
    pub(super) fn insert(&mut self, key: K, until: u64) {
        self.buckets.entry(until / BUCKET_SECONDS).or_default().push(key);
    }

    /// The number of recorded entries.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.buckets.values().map(Vec::len).sum()
    }

    /// Removes and returns one entry that is no longer needed at `now`, from the oldest minute
    /// first.
    pub(super) fn pop_expired(&mut self, now: u64) -> Option<K> {
        loop {
            let mut first = self.buckets.first_entry()?;
            if *first.key() >= now / BUCKET_SECONDS {
                return None;
            }
            if let Some(key) = first.get_mut().pop() {
                return Some(key);
            }
            first.remove();
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
        wheel.insert("late", 600);
        wheel.insert("early", 61);
        assert_eq!(wheel.pop_expired(61), None);
        assert_eq!(wheel.pop_expired(119), None);
        assert_eq!(wheel.pop_expired(120), Some("early"));
        assert_eq!(wheel.pop_expired(659), None);
        assert_eq!(wheel.pop_expired(u64::MAX), Some("late"));
        assert_eq!(wheel.pop_expired(u64::MAX), None);
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
