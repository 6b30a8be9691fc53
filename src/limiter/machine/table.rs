//! The words of the file. See [`super::owner`] for how a slot belongs to a key.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, SeqCst};

use super::header::{self, word};
use super::owner::{CLAIM, TAG_BITS};
use crate::limiter::buckets::Words;
use crate::limiter::layout::{Layout, Place, WAYS};
use crate::limiter::limit::MAX_LIMITS;
use crate::limiter::state::Moment;
use crate::os::SharedWords;

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

    /// The words behind the header, from this one on.
    #[inline]
    pub(super) fn from(&self, index: usize) -> &[AtomicU64] {
        &self.words.words()[header::LEN + index..]
    }

    /// The control word of a slot.
    #[inline]
    pub(super) fn control(&self, place: Place) -> &AtomicU64 {
        self.at(place.index + WAYS)
    }

    /// A slot with this owner word.
    pub(super) fn target(place: Place, owner: u64) -> Target {
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

impl Target {
    /// The place of a slot.
    pub(super) fn place(self) -> Option<Place> {
        let walk = usize::from(self.bound.is_some());
        self.owner.map(|_| Place { index: self.start - WAYS, walk })
    }
}
