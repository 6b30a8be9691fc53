//! Gives slots to keys that have none, and makes the shard larger for them.

use super::{Found, Slots};
use crate::limiter::on_full::OnFull;
use crate::limiter::room::Room;
use crate::limiter::state::Moment;
use crate::limiter::view::BLOCK;

/// A shard that found no memory does not ask again for this time.
const GROW_AGAIN_NS: u64 = 1_000_000_000;

impl Slots {
    /// Writes the state of a key that was found, which may give it a slot. Without one, it is
    /// written to the overflow cell if it may overflow; if not, the error is the word at which a
    /// slot may be free.
    #[inline]
    pub(in crate::limiter) fn write<const N: usize>(
        &mut self,
        fingerprint: u64,
        found: &Found<N>,
        words: &[u64; N],
        may_overflow: bool,
        now: Moment,
    ) -> Result<(), u64> {
        if let Some(place) = found.place {
            self.put_words(place, words);
            return Ok(());
        }
        self.insert(fingerprint, words, may_overflow, now)
    }

    /// Gives a slot to a key that has none. See [`Self::write`].
    #[cold]
    fn insert(
        &mut self,
        fingerprint: u64,
        words: &[u64],
        may_overflow: bool,
        now: Moment,
    ) -> Result<(), u64> {
        let until = match self.room(fingerprint, now) {
            Room::Free(place) | Room::Victim(place) => {
                self.put(place, fingerprint, words, now);
                return Ok(());
            }
            Room::None(until) => until,
            Room::Grow => now.word,
        };
        self.counters.overflows += 1;
        if !may_overflow {
            return Err(until);
        }
        if self.on_full == OnFull::Allow {
            return Ok(());
        }
        for (cell, word) in self.buckets.cell_mut(fingerprint)[1..].iter_mut().zip(words) {
            *cell = *word;
            self.overflow_until = self.overflow_until.max(*word);
        }
        Ok(())
    }

    /// The slot for a newcomer, after growing if that helps.
    pub(super) fn room(&mut self, fingerprint: u64, now: Moment) -> Room {
        loop {
            match self.search(now).run(fingerprint) {
                // Without memory the shard stays as it is, and for a while does not ask again.
                Room::Grow => self.grow(now),
                room => return room,
            }
        }
    }

    /// Doubles the number of buckets, up to the largest, if there is memory for it.
    fn grow(&mut self, now: Moment) {
        let buckets = (self.buckets.layout.buckets * 2).min(self.max_buckets);
        let limits = self.limits.clone();
        let Some(mut larger) = Self::new(buckets, buckets, self.on_full, limits) else {
            self.counters.growth_failures += 1;
            self.grow_again_at = now.ns.saturating_add(GROW_AGAIN_NS);
            return;
        };
        self.buckets.each(now, |fingerprint, is_block, words| {
            let fingerprint = fingerprint | if is_block { BLOCK } else { 0 };
            // The result is not needed, because there are more slots than keys.
            let _ = larger.insert(fingerprint, words, true, now);
        });
        if self.overflow_until > now.word {
            for (number, cell) in self.buckets.cells().enumerate() {
                larger.raise_cells(self.buckets.layout, number, cell);
            }
        }
        self.buckets = larger.buckets;
        (self.walk, self.walk_until) = (larger.walk, larger.walk_until);
        self.overflow_until = larger.overflow_until;
        self.blocks = larger.blocks;
    }
}
