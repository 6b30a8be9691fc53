//! A filter that finds the ids that are certainly not in the list.
//!
//! It is a Bloom filter with at least eight bits per entry and at most four bits per id, which all
//! lie in one word. For a million entries it takes one to two megabytes, which fit in a processor's
//! cache, and a lookup reads eight bytes. Of the ids that are not in the list, at most one in 25
//! may pass, and also those that were forgotten since the filter was last rebuilt. Every id in the
//! list passes.

use std::collections::TryReserveError;

/// The fewest entries for which a filter has room. It has a byte for each.
const SMALLEST: usize = 1024;
const ENTRIES_A_WORD: usize = 8;

/// An approximate set of the inserted hashes.
#[derive(Default)]
pub(super) struct Filter {
    /// The number of words is a power of two, or zero.
    words: Vec<u64>,
    inserted: usize,
}

impl Filter {
    /// Whether the hash may have been inserted.
    pub(super) fn may_hold(&self, hash: u64) -> bool {
        let bits = bits(hash);
        self.words.get(self.index(hash)).is_some_and(|word| word & bits == bits)
    }

    /// Whether the filter must be rebuilt before the next insertion.
    pub(super) fn is_full(&self) -> bool {
        self.inserted >= self.words.len() * ENTRIES_A_WORD
    }

    /// Whether the filter takes more than four bytes for each of `count` entries.
    pub(super) fn is_too_large(&self, count: usize) -> bool {
        self.words.len() * ENTRIES_A_WORD > 4 * count.max(SMALLEST)
    }

    /// A filter of these hashes, with room for `count` and at least half as many again.
    pub(super) fn of(
        hashes: impl Iterator<Item = u64>,
        count: usize,
    ) -> Result<Self, TryReserveError> {
        let room = (count + count / 2).next_power_of_two().max(SMALLEST);
        let mut words = Vec::new();
        words.try_reserve_exact(room / ENTRIES_A_WORD)?;
        words.resize(room / ENTRIES_A_WORD, 0);
        let mut filter = Self { words, inserted: 0 };
        for hash in hashes {
            #[cfg(test)]
            crate::testing::steps::step();
            filter.insert(hash);
        }
        Ok(filter)
    }

    /// Inserts a hash. The filter must not be full.
    pub(super) fn insert(&mut self, hash: u64) {
        let index = self.index(hash);
        if let Some(word) = self.words.get_mut(index) {
            *word |= bits(hash);
        }
        self.inserted += 1;
    }

    fn index(&self, hash: u64) -> usize {
        (hash >> 32) as usize & self.words.len().wrapping_sub(1)
    }
}

/// One to four bits, selected by 24 bits of the hash that the index does not use.
const fn bits(hash: u64) -> u64 {
    1 << (hash & 63) | 1 << (hash >> 6 & 63) | 1 << (hash >> 12 & 63) | 1 << (hash >> 18 & 63)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Distinct and well-mixed hashes.
    fn hash(n: u32) -> u64 {
        let n = u64::from(n);
        let mixed = (n ^ (n >> 30)).wrapping_add(1).wrapping_mul(0xbf58476d1ce4e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d049bb133111eb);
        mixed ^ (mixed >> 31)
    }

    #[test]
    fn the_filter_holds_all_inserted_hashes_and_few_others() {
        let mut filter = Filter::default();
        assert!(!filter.may_hold(0) && filter.is_full());
        let count = 60_000_u32;
        for n in 0..count {
            if filter.is_full() {
                filter = Filter::of((0..n).map(hash), n as usize).unwrap();
            }
            filter.insert(hash(n));
        }
        assert!((0..count).all(|n| filter.may_hold(hash(n))));
        let wrong = (count..2 * count).filter(|n| filter.may_hold(hash(*n))).count();
        assert!(wrong < count as usize / 25, "{wrong}");
    }
}
