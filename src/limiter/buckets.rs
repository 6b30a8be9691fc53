//! The words of a shard: slots in buckets, and overflow cells.

use std::hint::black_box;
use std::ops::Range;

use super::layout::{Layout, Place, WAYS};
use super::limit::MAX_LIMITS;
use super::state::Moment;
use super::view::{BLOCK, View};

/// The words of a key, one for each limit; those beyond the number of limits are 0. Where calls are
/// frequent, an array of one word stands for one limit.
pub(super) type Words = [u64; MAX_LIMITS];

/// Buckets start at a multiple of this many words: at a cache line, and with one limit at a pair of
/// lines, which processors fetch together.
const ALIGNMENT: usize = 2 * WAYS;

pub(super) struct Buckets {
    words: Vec<u64>,
    /// The index of the first word of the first bucket.
    start: usize,
    pub layout: Layout,
}

impl View for Buckets {
    fn layout(&self) -> Layout {
        self.layout
    }

    fn place(&self, bucket: usize, lane: usize, walk: usize) -> Place {
        Place { index: self.start + self.layout.bucket(bucket) + lane, walk }
    }

    fn fingerprint(&self, place: Place) -> u64 {
        self.words[place.index]
    }

    #[inline]
    fn word(&self, place: Place, column: usize) -> u64 {
        self.words[place.index + WAYS * (1 + column)]
    }

    fn former(&self, bucket: usize, walk: usize, fingerprint: u64) -> Option<Place> {
        self.slot(bucket, walk, fingerprint).map(|(place, _)| place)
    }
}

impl Buckets {
    /// Empty buckets, or none if there is no memory.
    pub(super) fn new(layout: Layout) -> Option<Self> {
        // A vector is aligned for words only, so allocate more than needed.
        let len = layout.len() + ALIGNMENT;
        let mut words = Vec::new();
        words.try_reserve_exact(len).ok()?;
        words.resize(len, 0);
        let past = words.as_ptr().addr() % (ALIGNMENT * size_of::<u64>()) / size_of::<u64>();
        Some(Self { words, start: (ALIGNMENT - past) % ALIGNMENT, layout })
    }

    /// Empties everything.
    pub(super) fn clear(&mut self) {
        self.words.fill(0);
    }

    /// The slot of a bucket with this fingerprint, and its first word.
    #[expect(clippy::inline_always, reason = "a result in memory would stall its reader")]
    #[inline(always)]
    pub(super) fn slot(
        &self,
        bucket: usize,
        walk: usize,
        fingerprint: u64,
    ) -> Option<(Place, u64)> {
        let start = self.start + self.layout.bucket(bucket);
        let bucket: &[u64; 2 * WAYS] = self.words[start..].first_chunk()?;
        // Branch-free: all eight fingerprints are compared at once. One word is read meanwhile,
        // because that fetches the cache line of all words.
        black_box(bucket[WAYS]);
        let mut hits = 0_u32;
        for (lane, other) in bucket[..WAYS].iter().enumerate() {
            hits |= u32::from(*other == fingerprint) << lane;
        }
        let lane = hits.trailing_zeros() as usize;
        let word = *bucket.get(WAYS + lane)?;
        Some((Place { index: start + lane, walk }, word))
    }

    /// Gives a slot to a fingerprint.
    pub(super) fn set_fingerprint(&mut self, place: Place, fingerprint: u64) {
        self.words[place.index] = fingerprint;
    }

    /// Writes the words of a slot.
    #[inline]
    pub(super) fn set_words(&mut self, place: Place, words: &[u64]) {
        for (column, word) in words.iter().enumerate() {
            if column < self.layout.limits {
                self.words[place.index + WAYS * (1 + column)] = *word;
            }
        }
    }

    /// The overflow cell of a fingerprint: the end of a block, and a word for each limit.
    pub(super) fn cell(&self, fingerprint: u64) -> &[u64] {
        &self.words[self.start..][self.layout.cell(fingerprint)]
    }

    /// The overflow cell of a fingerprint.
    pub(super) fn cell_mut(&mut self, fingerprint: u64) -> &mut [u64] {
        &mut self.words[self.start..][self.layout.cell(fingerprint)]
    }

    /// The overflow cells.
    pub(super) fn cells(&self) -> impl Iterator<Item = &[u64]> {
        self.words[self.start..][self.layout.cells()].chunks_exact(1 + self.layout.limits)
    }

    /// The overflow cells with these numbers.
    pub(super) fn cells_mut(&mut self, range: Range<usize>) -> impl Iterator<Item = &mut [u64]> {
        let cells = &mut self.words[self.start..][self.layout.cells()];
        cells.chunks_exact_mut(1 + self.layout.limits).skip(range.start).take(range.len())
    }

    /// Changes every word that is a state of a key or a cell. `change` gets its limit's number.
    pub(super) fn change(&mut self, change: impl Fn(usize, &mut u64)) {
        let end = self.start + self.layout.bucket(self.layout.buckets);
        let buckets = self.words[self.start..end].chunks_exact_mut(self.layout.bucket(1));
        for bucket in buckets {
            let (fingerprints, words) = bucket.split_at_mut(WAYS);
            for (at, word) in words.iter_mut().enumerate() {
                if fingerprints[at % WAYS] & BLOCK == 0 {
                    change(at / WAYS, word);
                }
            }
        }
        for cell in self.cells_mut(0..self.layout.cell_count()) {
            for (column, word) in cell[1..].iter_mut().enumerate() {
                change(column, word);
            }
        }
    }

    /// Calls `visit` with every fingerprint that has not expired, whether it is that of a block,
    /// and its words.
    pub(super) fn each(&self, now: Moment, mut visit: impl FnMut(u64, bool, &Words)) {
        for bucket in 0..self.layout.buckets {
            self.each_of(bucket, now, |_, fingerprint, words| {
                visit(fingerprint & !BLOCK, fingerprint & BLOCK != 0, words);
            });
        }
    }

    /// Calls `visit` with the lane of each slot of a bucket that has not expired, its fingerprint,
    /// which is odd for a block, and its words.
    pub(super) fn each_of(
        &self,
        bucket: usize,
        now: Moment,
        mut visit: impl FnMut(usize, u64, &Words),
    ) {
        let mut words = [0; MAX_LIMITS];
        for lane in 0..WAYS {
            let place = self.place(bucket, lane, 0);
            if self.until(place) > now.word {
                for (column, word) in words[..self.layout.limits].iter_mut().enumerate() {
                    *word = self.word(place, column);
                }
                visit(lane, self.fingerprint(place), &words);
            }
        }
    }

    /// The size of the words, in bytes.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.words.capacity() * size_of::<u64>()
    }
}
