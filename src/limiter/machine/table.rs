//! The words of the file, and how a slot belongs to a key.
//!
//! A slot is a fingerprint and a word for each limit, of which the first is its *control word*. Of
//! the fingerprint the slot has the low 48 bits, the *tag*; the bucket says most of the others.
//! Above the tag is a number that differs each time the slot is given to a key. So a slot whose
//! *owner word* (number and tag) has not changed has belonged to the same key meanwhile.
//!
//! To give a slot to a key, a process
//!
//! 1. swaps the control word for a *claim*: bit 63, and the owner word to come. From here the slot
//!    belongs to nobody, and every change of the former key that is under way fails;
//! 2. swaps the owner word, and writes the words of the other limits;
//! 3. looks for another slot of the same key, and gives up its claim if there is one; it takes away
//!    other claims for the key;
//! 4. swaps the claim for the key's first state.
//!
//! Of two processes that claim slots for one key, the later sees the claim of the earlier in step
//! 3, so at most one gets to step 4. A claim can be taken away by anyone at any time: step 4 then
//! fails, and its process starts again. So a process that is killed or stopped leaves a slot that
//! others use.
//!
//! A key's state changes from the last limit to the first. The control word is the last to change,
//! which also makes a claim fail that has found the slot expired.

use std::hint::black_box;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, SeqCst};

use super::header::{self, word};
use crate::limiter::buckets::Words;
use crate::limiter::layout::{Layout, Place, WAYS};
use crate::limiter::limit::MAX_LIMITS;
use crate::limiter::state::Moment;
use crate::limiter::view::{BLOCK, View};
use crate::os::{SharedWords, prefetch};

/// The mark of a claim. No state has this bit: its clock would have run for 69 years.
pub(super) const CLAIM: u64 = 1 << 63;

const TAG_BITS: u32 = 48;
const TAG: u64 = (1 << TAG_BITS) - 1;

/// The words of a file.
pub(super) struct Table {
    words: SharedWords,
    pub layout: Layout,
}

/// The words of a key's state, or of an overflow cell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    /// The index of the control word.
    start: usize,
    /// From the word of a limit to that of the next one.
    stride: usize,
    /// The owner word, whose index is `WAYS` lower; `None` for an overflow cell.
    owner: Option<u64>,
    /// The word of the header that is at least as large as each of these words, if there is one.
    bound: Option<usize>,
}

impl Table {
    pub(super) fn new(words: SharedWords, layout: Layout) -> Self {
        Self { words, layout }
    }

    /// The first page.
    pub(super) fn header(&self) -> &[AtomicU64] {
        &self.words.words()[..header::LEN]
    }

    /// Raises a word of the header. Nearly all calls only read it.
    #[inline]
    pub(super) fn raise(&self, index: usize, word: u64) {
        let bound = &self.header()[index];
        if bound.load(SeqCst) < word {
            bound.fetch_max(word, SeqCst);
        }
    }

    /// Whether a bound in the header is ahead.
    #[inline]
    pub(super) fn is_ahead(&self, index: usize, now: Moment) -> bool {
        self.header()[index].load(Acquire) > now.word
    }

    /// Adds one to a counter.
    pub(super) fn count(&self, index: usize) {
        self.header()[index].fetch_add(1, Relaxed);
    }

    /// A word behind the header.
    #[inline]
    pub(super) fn at(&self, index: usize) -> &AtomicU64 {
        &self.words.words()[header::LEN + index]
    }

    /// The control word of a slot.
    #[inline]
    pub(super) fn control(&self, place: Place) -> &AtomicU64 {
        self.at(place.index + WAYS)
    }

    /// Starts to fetch the first bucket of a fingerprint.
    #[inline]
    pub(super) fn prefetch(&self, fingerprint: u64) {
        let index = self.layout.bucket(self.layout.first(fingerprint));
        prefetch(self.at(index));
        prefetch(self.at(index + WAYS));
    }

    /// The key's slot, and its control word.
    #[inline]
    pub(super) fn locate(&self, fingerprint: u64, now: Moment) -> Option<(Target, u64)> {
        let tag = tag(fingerprint);
        let first = self.layout.first(fingerprint);
        if let Some(found) = self.slot(first, 0, tag) {
            return Some(found);
        }
        let second = self.layout.second(fingerprint, first);
        if let Some(found) = self.slot(second, 0, tag) {
            return Some(found);
        }
        if !self.is_ahead(word::WALK_UNTIL, now) {
            return None;
        }
        (1..=self.walk()).find_map(|walk| self.slot(self.layout.after(second, walk), walk, tag))
    }

    /// How far behind its buckets a key may be.
    pub(super) fn walk(&self) -> usize {
        let walk = self.header()[word::WALK].load(SeqCst);
        usize::try_from(walk).unwrap_or(usize::MAX).min(self.layout.max_walk())
    }

    /// The slot of a bucket with a tag.
    #[inline]
    fn slot(&self, bucket: usize, walk: usize, tag: u64) -> Option<(Target, u64)> {
        let start = self.layout.bucket(bucket);
        let words = &self.words.words()[header::LEN + start..];
        let owners: &[AtomicU64; WAYS] = words.first_chunk()?;
        // As in `Buckets::slot`: compare all, and fetch the line of the control words meanwhile.
        black_box(words[WAYS].load(Relaxed));
        let mut hits = 0_u32;
        for (lane, owner) in owners.iter().enumerate() {
            hits |= u32::from(owner.load(Relaxed) & TAG == tag) << lane;
        }
        while hits != 0 {
            let lane = hits.trailing_zeros() as usize;
            hits &= hits - 1;
            match self.look(Place { index: start + lane, walk }, tag) {
                Look::Owned(target, word) => return Some((target, word)),
                Look::Claimed(_) | Look::Other => {}
            }
        }
        None
    }

    /// Whether a slot is that of a tag. The control word is one that it had while it was.
    #[inline]
    pub(super) fn look(&self, place: Place, tag: u64) -> Look {
        loop {
            let owner = self.at(place.index).load(SeqCst);
            let word = self.control(place).load(SeqCst);
            if word & CLAIM != 0 {
                return if word & TAG == tag { Look::Claimed(word) } else { Look::Other };
            }
            if self.at(place.index).load(SeqCst) == owner {
                return if owner & TAG == tag {
                    Look::Owned(Self::target(place, owner), word)
                } else {
                    Look::Other
                };
            }
        }
    }

    fn target(place: Place, owner: u64) -> Target {
        let bound = (place.walk > 0).then_some(word::WALK_UNTIL);
        Target { start: place.index + WAYS, stride: WAYS, owner: Some(owner), bound }
    }

    /// The overflow cell of a fingerprint, and the place of the end of its block.
    pub(super) fn cell(&self, fingerprint: u64) -> (Target, &AtomicU64) {
        let start = self.layout.cell(fingerprint).start;
        let bound = Some(word::OVERFLOW_UNTIL);
        (Target { start: start + 1, stride: 1, owner: None, bound }, self.at(start))
    }

    /// The words of a key or cell; the first one is known.
    #[inline]
    pub(super) fn words(&self, target: Target, first: u64) -> Words {
        let mut words = [0; MAX_LIMITS];
        words[0] = first;
        for (column, word) in words.iter_mut().enumerate().take(self.layout.limits).skip(1) {
            *word = self.target_word(target, column).load(SeqCst);
        }
        words
    }

    /// The present word of a limit, or none if the slot has been taken away.
    pub(super) fn reload(&self, target: Target, column: usize) -> Option<u64> {
        let word = self.target_word(target, column).load(SeqCst);
        let Some(owner) = target.owner else { return Some(word) };
        let is_ours = self.at(target.start).load(SeqCst) & CLAIM == 0
            && self.at(target.start - WAYS).load(SeqCst) == owner;
        is_ours.then_some(word)
    }

    /// Swaps the word of a limit.
    #[inline]
    pub(super) fn swap(&self, target: Target, column: usize, before: u64, after: u64) -> bool {
        if let Some(bound) = target.bound {
            self.raise(bound, after);
        }
        let word = self.target_word(target, column);
        word.compare_exchange(before, after & !CLAIM, SeqCst, SeqCst).is_ok()
    }

    #[inline]
    fn target_word(&self, target: Target, column: usize) -> &AtomicU64 {
        self.at(target.start + target.stride * column)
    }

    /// Changes the word of a limit, unless the slot has been taken away.
    pub(super) fn update(&self, target: Target, column: usize, change: impl Fn(u64) -> u64) {
        while let Some(before) = self.reload(target, column) {
            let after = change(before);
            if before == after || self.swap(target, column, before, after) {
                return;
            }
        }
    }

    /// Calls `visit` with every slot that has not expired. `visit` also gets whether the
    /// slot is that of a block.
    pub(super) fn each(&self, now: Moment, mut visit: impl FnMut(Target, bool)) {
        let seen = Seen { table: self, now };
        for bucket in 0..self.layout.buckets {
            for lane in 0..WAYS {
                let place = seen.place(bucket, lane, 0);
                let owner = self.at(place.index).load(Acquire);
                if seen.until(place) > now.word {
                    visit(Self::target(place, owner), owner & BLOCK != 0);
                }
            }
        }
    }

    /// Calls `visit` with every overflow cell and the end of its block.
    pub(super) fn each_cell(&self, mut visit: impl FnMut(Target, &AtomicU64)) {
        for start in self.layout.cells().step_by(1 + self.layout.limits) {
            let target = Target { start: start + 1, stride: 1, owner: None, bound: None };
            visit(target, self.at(start));
        }
    }

    /// Takes a claim away, or gives it up.
    pub(super) fn drop_claim(&self, place: Place, claim: u64, number: u64) -> bool {
        let nobody = CLAIM | number << TAG_BITS;
        self.control(place).compare_exchange(claim, nobody, SeqCst, SeqCst).is_ok()
    }
}

/// A slot, as the search for a key sees it.
pub(super) enum Look {
    /// It is the key's.
    Owned(Target, u64),
    /// A claim for the key.
    Claimed(u64),
    /// It is not the key's.
    Other,
}

impl Target {
    /// The place of a slot.
    pub(super) fn place(self) -> Option<Place> {
        let walk = usize::from(self.bound.is_some());
        self.owner.map(|_| Place { index: self.start - WAYS, walk })
    }
}

/// The tag of a fingerprint, which is never 0: that is nobody's.
pub(super) fn tag(fingerprint: u64) -> u64 {
    let tag = fingerprint & TAG;
    if tag & !BLOCK == 0 { tag | 2 } else { tag }
}

/// The owner word of a tag.
pub(super) fn owner(tag: u64, number: u64) -> u64 {
    number << TAG_BITS | tag
}

/// The table at a moment, for the search for a slot. A slot that is claimed is free, because its
/// claim can be taken away, but one that has expired is better.
pub(super) struct Seen<'a> {
    pub table: &'a Table,
    pub now: Moment,
}

impl View for Seen<'_> {
    fn layout(&self) -> Layout {
        self.table.layout
    }

    fn place(&self, bucket: usize, lane: usize, walk: usize) -> Place {
        Place { index: self.table.layout.bucket(bucket) + lane, walk }
    }

    fn fingerprint(&self, place: Place) -> u64 {
        self.table.at(place.index).load(Acquire) & TAG
    }

    fn word(&self, place: Place, column: usize) -> u64 {
        self.table.at(place.index + WAYS * (1 + column)).load(SeqCst)
    }

    fn until(&self, place: Place) -> u64 {
        let first = self.word(place, 0);
        if first & CLAIM != 0 {
            return self.now.word;
        }
        (1..self.table.layout.limits).map(|column| self.word(place, column)).fold(first, u64::max)
    }

    /// A claimer looks for such a slot itself.
    fn former(&self, _: usize, _: usize, _: u64) -> Option<Place> {
        None
    }
}
