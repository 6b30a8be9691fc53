//! A shard: the keys that it holds, and how it makes room.
//!
//! A key has a slot for its state. The state of a key without one is that of its overflow cell,
//! which has mostly no debt. If there is no free slot, the table forgets the key that recovers
//! first among those that are not blocked. A key is blocked if it has to wait for its next unit, or
//! by [`Slots::block`]. If all are blocked, the overflow cell is charged, which newcomers share. A
//! newcomer that gets a slot starts with the cell's state, so no key gains from being without one.

mod blocks;
mod insert;
mod restored;

use super::buckets::Buckets;
use super::layout::{Layout, Place};
use super::limit::{Limits, MAX_LIMITS};
use super::on_full::OnFull;
use super::room::{Room, Search};
use super::state::Moment;
use super::view::{BLOCK, View};

/// The counts of a shard since it was made.
#[derive(Clone, Copy, Default)]
pub(super) struct Counters {
    /// Keys in debt that were forgotten.
    pub evictions: u64,
    /// Calls that an overflow cell decided, or that were refused for want of a slot.
    pub overflows: u64,
    /// Times at which there was no memory to grow.
    pub growth_failures: u64,
}

/// A shard.
pub(super) struct Slots {
    buckets: Buckets,
    max_buckets: usize,
    /// How far behind its buckets a key may lie, while [`Self::walk_until`] is ahead.
    walk: usize,
    /// No key behind its buckets has a larger word.
    walk_until: u64,
    /// No overflow cell has a larger word.
    overflow_until: u64,
    /// The number of slots of blocks.
    blocks: usize,
    grow_again_at: u64,
    limits: Limits,
    generation: u32,
    on_full: OnFull,
    pub counters: Counters,
}

/// The state of a key.
pub(super) struct Found<const N: usize = MAX_LIMITS> {
    /// Its slot, if it has one.
    pub place: Option<Place>,
    /// Its words.
    pub words: [u64; N],
}

impl Slots {
    /// A shard with this many buckets, or none if there is no memory.
    pub(super) fn new(
        buckets: usize,
        max_buckets: usize,
        on_full: OnFull,
        limits: Limits,
    ) -> Option<Self> {
        Some(Self {
            buckets: Buckets::new(Layout { buckets, limits: limits.len() })?,
            max_buckets,
            walk: 0,
            walk_until: 0,
            overflow_until: 0,
            blocks: 0,
            grow_again_at: 0,
            limits,
            generation: 0,
            on_full,
            counters: Counters::default(),
        })
    }

    /// The limits.
    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How often the limits were changed.
    pub(super) fn generation(&self) -> u32 {
        self.generation
    }

    /// The words of all slots and cells.
    pub(super) fn buckets(&self) -> &Buckets {
        &self.buckets
    }

    /// The key's slot and state.
    #[expect(clippy::inline_always, reason = "a result in memory would stall its reader")]
    #[inline(always)]
    pub(super) fn find<const N: usize>(&self, fingerprint: u64, now: Moment) -> Found<N> {
        let mut words = [0; N];
        let Some((place, word)) = self.locate(fingerprint, now) else {
            if self.overflow_until > now.word {
                for (word, cell) in words.iter_mut().zip(&self.buckets.cell(fingerprint)[1..]) {
                    *word = *cell;
                }
            }
            return Found { place: None, words };
        };
        words[0] = word;
        for (column, word) in words.iter_mut().enumerate() {
            if column > 0 && column < self.buckets.layout.limits {
                *word = self.buckets.word(place, column);
            }
        }
        Found { place: Some(place), words }
    }

    /// The word until which a key is blocked.
    #[inline]
    pub(super) fn blocked_until<const N: usize>(
        &self,
        fingerprint: u64,
        found: &Found<N>,
        now: Moment,
    ) -> u64 {
        if self.blocks > 0
            && let Some((_, until)) = self.locate(fingerprint | BLOCK, now)
        {
            return until;
        }
        if found.place.is_none() && self.overflow_until > now.word {
            return self.buckets.cell(fingerprint)[0];
        }
        0
    }

    /// Whether a key that was found is decided by its overflow cell, which has a debt.
    pub(super) fn is_overflowing<const N: usize>(&self, found: &Found<N>, now: Moment) -> bool {
        found.place.is_none()
            && self.overflow_until > now.word
            && found.words.iter().any(|word| *word > now.word)
    }

    /// Forgets all keys and blocks.
    pub(super) fn clear(&mut self, buckets: usize) {
        match Buckets::new(Layout { buckets, ..self.buckets.layout }) {
            Some(empty) => self.buckets = empty,
            None => self.buckets.clear(),
        }
        (self.walk, self.walk_until, self.overflow_until, self.blocks) = (0, 0, 0, 0);
    }

    /// Puts other limits, of the same number, in place of the present ones.
    pub(super) fn set_limits(&mut self, limits: Limits, generation: u32, now: Moment) {
        let former = &self.limits;
        self.buckets.change(|column, word| {
            let [before, after] = [former, &limits].map(|limits| limits[column].quota());
            *word = after.carry_over(*word, before, now);
        });
        self.limits = limits;
        self.generation = generation;
    }

    /// Whether a key without a slot would get one. The error is the word at which it may.
    pub(super) fn has_room(&self, fingerprint: u64, now: Moment) -> Result<(), u64> {
        match self.search(now).run(fingerprint) {
            Room::None(until) => Err(until),
            _ => Ok(()),
        }
    }

    fn search(&self, now: Moment) -> Search<'_, Buckets> {
        Search {
            buckets: &self.buckets,
            limits: &self.limits,
            may_grow: self.buckets.layout.buckets < self.max_buckets
                && now.ns >= self.grow_again_at,
            may_forget: self.on_full != OnFull::Deny,
            now,
        }
    }

    /// The slot of a fingerprint and its first word.
    #[expect(clippy::inline_always, reason = "a result in memory would stall its reader")]
    #[inline(always)]
    fn locate(&self, fingerprint: u64, now: Moment) -> Option<(Place, u64)> {
        let first = self.buckets.layout.first(fingerprint);
        match self.buckets.slot(first, 0, fingerprint) {
            None => self.locate_further(fingerprint, first, now),
            found => found,
        }
    }

    /// The slot of a fingerprint that is not in its first bucket.
    fn locate_further(&self, fingerprint: u64, first: usize, now: Moment) -> Option<(Place, u64)> {
        let layout = self.buckets.layout;
        let second = layout.second(fingerprint, first);
        if let Some(found) = self.buckets.slot(second, 0, fingerprint) {
            return Some(found);
        }
        if self.walk_until <= now.word {
            return None;
        }
        (1..=self.walk)
            .find_map(|walk| self.buckets.slot(layout.after(second, walk), walk, fingerprint))
    }

    /// Gives a slot to another key.
    fn put(&mut self, place: Place, fingerprint: u64, words: &[u64], now: Moment) {
        let former = self.buckets.fingerprint(place);
        let is_key = former & BLOCK == 0 && former | BLOCK != fingerprint | BLOCK;
        self.counters.evictions += u64::from(is_key && self.buckets.until(place) > now.word);
        self.blocks -= usize::from(former & BLOCK != 0);
        self.blocks += usize::from(fingerprint & BLOCK != 0);
        self.buckets.set_fingerprint(place, fingerprint);
        self.put_words(place, words);
    }

    #[inline]
    fn put_words(&mut self, place: Place, words: &[u64]) {
        self.buckets.set_words(place, words);
        if place.walk > 0 {
            self.walk = self.walk.max(place.walk);
            self.walk_until = self.walk_until.max(self.buckets.until(place));
        }
    }
}
