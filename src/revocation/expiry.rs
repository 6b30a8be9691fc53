//! Decides when entries may be removed: buckets of a minute or more, emptied a few entries at a
//! time.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, TryReserveError};
use std::hash::{BuildHasherDefault, Hasher};

const BUCKET_SECONDS: u64 = 60;

/// Every doubling of the time that is left has so many buckets.
const BUCKETS_A_DOUBLING: u64 = 8;

/// Entries ordered by the time after which they are no longer needed. Far ahead, buckets cover many
/// minutes, so that there are few of them: below 200 in ten years. An entry whose bucket comes
/// first may therefore be needed for longer; it is then placed again, in a shorter bucket.
#[derive(Debug)]
pub(super) struct ExpiryWheel<K> {
    /// By the first minute that the bucket covers.
    buckets: HashMap<u64, Vec<K>, BuildHasherDefault<MinuteHasher>>,
    /// The minutes of all buckets, the oldest first.
    minutes: BinaryHeap<Reverse<u64>>,
}

impl<K> Default for ExpiryWheel<K> {
    fn default() -> Self {
        Self { buckets: HashMap::default(), minutes: BinaryHeap::new() }
    }
}

/// Hashes a minute with one multiplication. There are few buckets, so nobody gains by minutes that
/// collide.
#[derive(Default)]
struct MinuteHasher(u64);

impl Hasher for MinuteHasher {
    fn write_u64(&mut self, minute: u64) {
        let product = minute.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        // Both halves, because minutes of wide buckets end in zeros.
        self.0 = product ^ product >> 32;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0 << 8 | u64::from(*byte));
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The bucket of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(u64);

impl Place {
    /// The place of an entry that is needed until `until`, in seconds since 1970.
    pub(super) fn of(until: u64, now: u64) -> Self {
        let minute = until / BUCKET_SECONDS;
        let ahead = minute.saturating_sub(now / BUCKET_SECONDS);
        let width = (ahead / (2 * BUCKETS_A_DOUBLING)).checked_ilog2().map_or(1, |log| 2 << log);
        Self(minute - minute % width)
    }
}

impl<K: Copy> ExpiryWheel<K> {
    /// Makes room for one more entry.
    pub(super) fn try_reserve(&mut self, Place(minute): Place) -> Result<(), TryReserveError> {
        if let Some(bucket) = self.buckets.get_mut(&minute) {
            return reserve_one(bucket);
        }
        let mut bucket = Vec::new();
        reserve_one(&mut bucket)?;
        self.buckets.try_reserve(1)?;
        self.minutes.try_reserve(1)?;
        self.buckets.insert(minute, bucket);
        self.minutes.push(Reverse(minute));
        Ok(())
    }

    /// Adds an entry. There must be room for it.
    pub(super) fn insert(&mut self, key: K, Place(minute): Place) {
        if let Some(bucket) = self.buckets.get_mut(&minute) {
            bucket.push(key);
        }
    }

    /// The number of entries.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.buckets.values().map(Vec::len).sum()
    }

    /// An entry of the oldest bucket, if that begins before the minute of `now`.
    pub(super) fn first_expired(&mut self, now: u64) -> Option<K> {
        loop {
            let Reverse(minute) = *self.minutes.peek()?;
            if minute >= now / BUCKET_SECONDS {
                return None;
            }
            if let Some(key) = self.buckets.get(&minute).and_then(|bucket| bucket.last()) {
                return Some(*key);
            }
            self.remove_first();
        }
    }

    /// Removes the entry that [`Self::first_expired`] has just returned.
    pub(super) fn pop_first(&mut self) {
        let Some(Reverse(minute)) = self.minutes.peek() else { return };
        let Some(bucket) = self.buckets.get_mut(minute) else { return };
        bucket.pop();
        if bucket.is_empty() {
            self.remove_first();
        } else {
            shrink(bucket);
        }
    }

    fn remove_first(&mut self) {
        if let Some(Reverse(minute)) = self.minutes.pop() {
            self.buckets.remove(&minute);
        }
        if self.buckets.is_empty() {
            // Gives back the memory of the maps as well.
            *self = Self::default();
        }
    }
}

/// Makes room for one more. Grows by an eighth: a bucket may hold nearly all entries of the list,
/// and doubling it would take too much memory.
fn reserve_one<K>(bucket: &mut Vec<K>) -> Result<(), TryReserveError> {
    if bucket.len() < bucket.capacity() {
        return Ok(());
    }
    bucket.try_reserve_exact(bucket.len() / 8 + 1)
}

/// Gives memory back if more than a quarter is free. Without memory for the move the bucket stays.
fn shrink<K: Copy>(bucket: &mut Vec<K>) {
    let len = bucket.len();
    if bucket.capacity() < 32 || len >= bucket.capacity() / 4 * 3 {
        return;
    }
    let mut smaller = Vec::new();
    if smaller.try_reserve_exact(len + len / 8).is_ok() {
        smaller.extend_from_slice(bucket);
        *bucket = smaller;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_entries_of_whole_minutes_that_have_passed_are_popped() {
        let mut wheel = ExpiryWheel::default();
        for (key, until) in [("late", 600), ("early", 61)] {
            let place = Place::of(until, 0);
            wheel.try_reserve(place).unwrap();
            wheel.insert(key, place);
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
    fn buckets_are_few_and_no_entry_is_placed_after_its_time() {
        let now = 1_700_000_000;
        let mut buckets = std::collections::BTreeSet::new();
        for until in (0..400_000_000).step_by(977).map(|ahead| now + ahead) {
            let Place(minute) = Place::of(until, now);
            let (ahead, early) = (until / 60 - now / 60, until / 60 - minute);
            assert!(early * BUCKETS_A_DOUBLING <= ahead && minute >= now / 60, "{until} {minute}");
            buckets.insert(minute);
        }
        assert!(buckets.len() < 200, "{}", buckets.len());
        assert_eq!(Place::of(now - 600, now), Place(now / 60 - 10));
        assert!(Place::of(u64::MAX, 0).0 <= u64::MAX / 60);
    }

    #[test]
    fn a_bucket_that_empties_gives_its_memory_back() {
        let mut wheel = ExpiryWheel::default();
        let place = Place::of(600, 600);
        for key in 0..10_000 {
            wheel.try_reserve(place).unwrap();
            wheel.insert(key, place);
            let capacity = wheel.buckets[&10].capacity();
            assert!(capacity <= wheel.len() + wheel.len() / 8 + 1);
        }
        while wheel.len() > 24 {
            assert!(wheel.first_expired(u64::MAX).is_some());
            wheel.pop_first();
            assert!(wheel.buckets[&10].capacity() <= wheel.len() * 4 / 3 + 4, "{}", wheel.len());
        }
    }
}
