//! A hash table in segments, which grow and shrink one at a time.
//!
//! A table doubles when it is full, so its memory per entry doubles at that moment. The segments
//! here get unequal shares of the entries: each gets 2^(1/16) times as many as the one before. So
//! they double at different sizes of the whole, and the memory per entry stays nearly the same at
//! every size.

use std::mem;

use hashbrown::HashTable;

const SEGMENTS: usize = 16;

/// Where each segment ends, in 256ths of all hashes: the whole part of 256 × (2^(i/16) - 1).
const ENDS: [u8; SEGMENTS - 1] =
    [11, 23, 35, 48, 61, 75, 90, 106, 122, 138, 156, 174, 193, 213, 234];

/// A table of fewer buckets does not shrink.
const SMALLEST: usize = 16;

/// A set of values, found by their hashes.
pub(super) struct SegmentedTable<T> {
    segments: [HashTable<T>; SEGMENTS],
    len: usize,
    hash_of: fn(&T) -> u64,
}

impl<T> SegmentedTable<T> {
    /// An empty table, of values with this hash.
    pub(super) fn new(hash_of: fn(&T) -> u64) -> Self {
        Self { segments: [const { HashTable::new() }; SEGMENTS], len: 0, hash_of }
    }

    /// The number of values.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// The value that `is` the one with this hash.
    pub(super) fn find(&self, hash: u64, is: impl FnMut(&T) -> bool) -> Option<&T> {
        self.segments.get(segment_of(hash))?.find(hash, is)
    }

    /// As [`Self::find`], to change the value but not its hash.
    pub(super) fn find_mut(&mut self, hash: u64, is: impl FnMut(&T) -> bool) -> Option<&mut T> {
        self.segments.get_mut(segment_of(hash))?.find_mut(hash, is)
    }

    /// Makes room for one more value with this hash. Returns whether there is memory for it.
    pub(super) fn try_reserve(&mut self, hash: u64) -> bool {
        let Some(segment) = self.segments.get_mut(segment_of(hash)) else { return false };
        if segment.len() < segment.capacity() {
            return true;
        }
        // Places of removed values may fill the table. If they are few, it has to grow.
        let usable = usable(segment.num_buckets());
        let needed = segment.len() + segment.len() / 16 + 1;
        resize(segment, if needed <= usable { usable } else { usable + 1 }, self.hash_of)
    }

    /// Adds a value, for which [`Self::try_reserve`] has made room.
    pub(super) fn insert(&mut self, value: T) {
        let hash = (self.hash_of)(&value);
        if let Some(segment) = self.segments.get_mut(segment_of(hash)) {
            segment.insert_unique(hash, value, self.hash_of);
            self.len += 1;
        }
    }

    /// Removes the value that `is` the one with this hash.
    pub(super) fn remove(&mut self, hash: u64, is: impl FnMut(&T) -> bool) {
        let Some(segment) = self.segments.get_mut(segment_of(hash)) else { return };
        let Ok(found) = segment.find_entry(hash, is) else { return };
        found.remove();
        self.len -= 1;
        let (len, buckets) = (segment.len(), segment.num_buckets());
        // Half of the buckets are then 84 % full. Without memory the segment stays as it is.
        if buckets >= SMALLEST && len * 100 < buckets * 42 {
            resize(segment, len, self.hash_of);
        }
    }

    /// All values.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.segments.iter().flatten()
    }
}

const fn segment_of(hash: u64) -> usize {
    SEGMENT_OF[hash.to_le_bytes()[5] as usize] as usize
}

/// The segment for each value of a byte of the hash. The table itself uses the lowest and the
/// highest bits.
const SEGMENT_OF: [u8; 256] = {
    let (mut segments, mut slot) = ([0; 256], 0);
    while slot < 256 {
        let mut segment = 0;
        while segment < ENDS.len() && slot >= ENDS[segment] as usize {
            segment += 1;
            segments[slot] += 1;
        }
        slot += 1;
    }
    segments
};

/// The number of values for which so many buckets have room.
const fn usable(buckets: usize) -> usize {
    if buckets < 8 { buckets.saturating_sub(1) } else { buckets / 8 * 7 }
}

/// Moves the values to a table with room for `capacity`. Returns whether there is memory for it.
fn resize<T>(table: &mut HashTable<T>, capacity: usize, hash_of: fn(&T) -> u64) -> bool {
    let mut resized = HashTable::new();
    if resized.try_reserve(capacity, hash_of).is_err() {
        return false;
    }
    for value in mem::take(table) {
        resized.insert_unique(hash_of(&value), value, hash_of);
    }
    *table = resized;
    true
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::testing::random::Random;

    #[test]
    fn a_table_holds_the_values_that_were_inserted_and_not_removed() {
        let mut table = SegmentedTable::new(|value: &u64| *value);
        let (mut model, mut random) = (HashSet::new(), Random(1));
        let mut values = Vec::new();
        for step in 0..200_000_u64 {
            // Grows, shrinks to nothing, and stays at a size, in turn.
            let grows = [90, 10, 50][usize::try_from(step / 20_000 % 3).unwrap()];
            if random.below(100) < grows {
                let value = random.number();
                assert!(table.try_reserve(value));
                table.insert(value);
                values.push(value);
                model.insert(value);
            } else if !values.is_empty() {
                let value = values.swap_remove(random.below(values.len()));
                table.remove(value, |held| *held == value);
                model.remove(&value);
            }
            let asked = random.number();
            assert_eq!(table.find(asked, |held| *held == asked), model.get(&asked));
            assert_eq!(table.len(), model.len());
        }
        assert_eq!(table.iter().copied().collect::<HashSet<_>>(), model);
        for value in &model {
            assert_eq!(table.find(*value, |held| held == value), Some(value));
        }
    }

    #[test]
    fn each_segment_gets_more_than_the_one_before_in_the_proportion_of_a_sixteenth_of_a_doubling() {
        let shares: Vec<_> = (0..SEGMENTS)
            .map(|segment| SEGMENT_OF.iter().filter(|own| usize::from(**own) == segment).count())
            .collect();
        assert_eq!(shares.iter().sum::<usize>(), 256);
        assert!(shares.is_sorted() && shares[15] < 2 * shares[0] + 1, "{shares:?}");
    }
}
