//! Where a table's words lie: plain arithmetic, with no address in it, so that the words could as
//! well lie in a file.
//!
//! A bucket has eight slots: eight fingerprints in one cache line, and for each limit the eight
//! words of these keys in the next ones. A key never moves while its shard keeps its size, so its
//! state can be changed in one word. It lies in one of the two buckets that its fingerprint
//! selects; or, if both were full, in one of the buckets that follow the second one. There the walk
//! finds a free slot as long as the shard has any, mostly in the first bucket.
//!
//! Behind the buckets lie the overflow cells, one for each 64 slots: the end of a block, and a word
//! for each limit.

use std::ops::Range;

/// Slots in a bucket.
pub(super) const WAYS: usize = 8;

/// A table is at most this full when as many keys as `max_keys` are in debt, in 64ths of slots per
/// key, by the number of limits. With these the table takes at most 24 bytes a key, and 8 more for
/// each further limit.
const SLOTS_PER_64_KEYS: [usize; 4] = [88, 83, 78, 75];

/// The fewest buckets of a shard: the two of a fingerprint differ.
pub(super) const MIN_BUCKETS: usize = 2;

/// Buckets that share an overflow cell.
const BUCKETS_PER_CELL: usize = 8;

/// The most buckets behind the second one that a key may lie in. At the fillings above, random
/// keys that come and go need up to 23.
const MAX_WALK: usize = 32;

/// The place of a key's fingerprint among the words of a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The index of the fingerprint. The word of limit `n` is `8 * (n + 1)` further.
    pub index: usize,
    /// 0 in one of the key's two buckets, or how far behind the second one.
    pub walk: usize,
}

/// The layout of a shard with this many buckets, at least [`MIN_BUCKETS`], and limits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub buckets: usize,
    pub limits: usize,
}

impl Layout {
    /// The number of buckets for `keys` keys.
    pub(super) fn buckets_for(keys: usize, limits: usize) -> usize {
        (keys * SLOTS_PER_64_KEYS[limits - 1]).div_ceil(64 * WAYS).max(MIN_BUCKETS)
    }

    /// The number of words.
    pub(super) fn len(self) -> usize {
        self.cells().end
    }

    /// The index of the first word of a bucket.
    pub(super) fn bucket(self, number: usize) -> usize {
        number * WAYS * (1 + self.limits)
    }

    /// The two buckets of a fingerprint, which differ.
    pub(super) fn choices(self, fingerprint: u64) -> (usize, usize) {
        let first = self.first(fingerprint);
        (first, self.second(fingerprint, first))
    }

    /// The first bucket of a fingerprint. The low bits have selected the shard, so the high ones
    /// select the bucket.
    #[inline]
    pub(super) fn first(self, fingerprint: u64) -> usize {
        scaled(fingerprint, self.buckets)
    }

    /// The second bucket, which a product of all bits selects.
    pub(super) fn second(self, fingerprint: u64, first: usize) -> usize {
        let product = (fingerprint | 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.after(first, 1 + scaled(product, self.buckets - 1))
    }

    /// The bucket `distance` behind another, in a ring.
    pub(super) fn after(self, bucket: usize, distance: usize) -> usize {
        let number = bucket + distance;
        if number < self.buckets { number } else { number - self.buckets }
    }

    /// How far behind the second bucket of a fingerprint a bucket is, 0 for its own two; `None` if
    /// its key cannot lie there.
    pub(super) fn walk_to(self, fingerprint: u64, bucket: usize) -> Option<usize> {
        let (first, second) = self.choices(fingerprint);
        let behind = if bucket < second { bucket + self.buckets } else { bucket } - second;
        let walk = if bucket == first { 0 } else { behind };
        (bucket < self.buckets && walk <= self.max_walk()).then_some(walk)
    }

    /// The longest walk.
    pub(super) fn max_walk(self) -> usize {
        MAX_WALK.min(self.buckets - 1)
    }

    /// The words of all overflow cells.
    pub(super) fn cells(self) -> Range<usize> {
        let start = self.bucket(self.buckets);
        start..start + self.cell_count() * (1 + self.limits)
    }

    /// The words of the overflow cell of a fingerprint.
    pub(super) fn cell(self, fingerprint: u64) -> Range<usize> {
        let number = self.first(fingerprint) / BUCKETS_PER_CELL;
        let start = self.cells().start + number * (1 + self.limits);
        start..start + 1 + self.limits
    }

    /// The number of overflow cells.
    pub(super) fn cell_count(self) -> usize {
        self.buckets.div_ceil(BUCKETS_PER_CELL)
    }

    /// The numbers of the cells of those fingerprints whose cell has this number in another layout:
    /// there they are one range, and so they are here.
    pub(super) fn cells_of(self, other: Self, number: usize) -> Range<usize> {
        // The least high half of a fingerprint whose first bucket is this one or a later one.
        let half = |bucket: usize| ((bucket as u64) << 32).div_ceil(other.buckets as u64);
        let end = ((number + 1) * BUCKETS_PER_CELL).min(other.buckets);
        let cell = |half: u64| self.first(half << 32) / BUCKETS_PER_CELL;
        cell(half(number * BUCKETS_PER_CELL))..cell(half(end) - 1) + 1
    }
}

/// A number below `end` from the high 32 bits.
fn scaled(bits: u64, end: usize) -> usize {
    // The product of two numbers below 2^32, and a result below `end`.
    usize::try_from(((bits >> 32) * end as u64) >> 32).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_takes_24_bytes_and_8_more_for_each_further_limit() {
        for limits in 1..=SLOTS_PER_64_KEYS.len() {
            for keys in [100_000, 1_000_000, 1 << 20, 1 << 26] {
                let layout = Layout { buckets: Layout::buckets_for(keys, limits), limits };
                assert!(layout.len() * 8 <= keys * (16 + 8 * limits), "{keys} keys, {layout:?}");
            }
        }
    }

    #[test]
    fn buckets_and_cells_of_fingerprints_are_in_range_and_the_buckets_differ() {
        for buckets in [2, 3, 8, 9, 1000] {
            let layout = Layout { buckets, limits: 2 };
            for fingerprint in [0, 1, 2, u64::MAX, u64::MAX - 1, 1 << 32, 1 << 63, 0x1234_5678] {
                let (first, second) = layout.choices(fingerprint);
                assert!(first < buckets && second < buckets && first != second, "{layout:?}");
                assert!(layout.cell(fingerprint).end <= layout.len());
                assert!(layout.cell(fingerprint).start >= layout.bucket(buckets));
            }
        }
    }

    #[test]
    fn the_cells_of_a_cell_of_another_layout_are_those_of_its_fingerprints() {
        for (buckets, others) in [(2, 2), (40, 40), (40, 90), (90, 40), (1000, 7), (33, 4096)] {
            let [layout, other] = [buckets, others].map(|buckets| Layout { buckets, limits: 1 });
            let number = |layout: Layout, bits| layout.first(bits) / BUCKETS_PER_CELL;
            let mut found = vec![(usize::MAX, 0); other.cell_count()];
            for bits in (0..1 << 16).map(|bits: u64| bits << 48) {
                for bits in [bits, bits | u64::MAX >> 16] {
                    let (least, most) = &mut found[number(other, bits)];
                    *least = number(layout, bits).min(*least);
                    *most = number(layout, bits).max(*most);
                }
            }
            for (at, (least, most)) in found.into_iter().enumerate() {
                assert_eq!(layout.cells_of(other, at), least..most + 1, "{buckets} {others} {at}");
            }
        }
    }

    #[test]
    fn a_walk_leads_from_the_second_bucket_to_a_key() {
        let layout = Layout { buckets: 100, limits: 1 };
        for fingerprint in (0..1000_u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)) {
            let (first, second) = layout.choices(fingerprint);
            for bucket in 0..100 {
                match layout.walk_to(fingerprint, bucket) {
                    Some(0) => assert!([first, second].contains(&bucket)),
                    Some(walk) => assert_eq!(layout.after(second, walk), bucket),
                    None => {
                        let reached = (0..=32).any(|walk| layout.after(second, walk) == bucket);
                        assert!(bucket != first && !reached);
                    }
                }
            }
            assert_eq!(layout.walk_to(fingerprint, 100), None);
        }
    }
}
