//! Charges a key, or the cell of keys without a slot.

use super::change::{Changed, Step, Undo, change, decided};
use super::header::word;
use super::insert::{Inserted, Newcomer};
use super::limiter::MachineLimiter;
use crate::limiter::buckets::Words;
use crate::limiter::limit::{Limit, MAX_LIMITS};
use crate::limiter::on_full::OnFull;
use crate::limiter::state::Moment;

/// A call gives up after so many tries.
pub(super) const MAX_TRIES: u32 = 100;

/// The result of a charge.
pub(super) enum Charged {
    /// It was made. The words after it.
    Done(Words),
    /// These limits, as bits, refuse it. The words without it.
    Refused(u32, Words),
    /// There is no slot before this word, and newcomers are refused.
    Full(u64, Words),
}

impl MachineLimiter {
    /// Changes the state of a key, which may get a slot for it.
    #[inline]
    pub(super) fn charge(
        &self,
        limits: &[Limit],
        fingerprint: u64,
        cost: u32,
        on_full: OnFull,
        now: Moment,
        step: &impl Step,
    ) -> Charged {
        let undo = Undo { limits, cost, then: now, now: &|| self.now() };
        let mut known = None;
        for tries in 0..MAX_TRIES {
            pause(tries);
            if let Some((target, first)) =
                known.take().or_else(|| self.table.locate(fingerprint, now))
            {
                match change(&self.table, target, first, step, &undo) {
                    Changed::Done(words) => return Charged::Done(words),
                    Changed::Refused(violated, words) => return Charged::Refused(violated, words),
                    Changed::Lost => continue,
                }
            }
            let words = self.cell_words(fingerprint, now);
            let (after, violated) = decided(&words, limits.len(), step);
            if violated != 0 {
                if words.iter().any(|word| *word > now.word) {
                    self.table.count(word::OVERFLOWS);
                }
                return Charged::Refused(violated, words);
            }
            match self.newcomer(limits, fingerprint, &after, now).insert() {
                Inserted::Done => return Charged::Done(after),
                Inserted::Again(other) => known = other,
                Inserted::Full(until) => {
                    return self.overflow(fingerprint, on_full, until, words, step, &undo);
                }
            }
        }
        // Many rivals, or a file that was changed by force: refuse rather than lose count.
        self.table.count(word::OVERFLOWS);
        Charged::Full(now.word, self.cell_words(fingerprint, now))
    }

    /// Charges the overflow cell of a key that finds no slot, or refuses the key.
    #[cold]
    pub(super) fn overflow(
        &self,
        fingerprint: u64,
        on_full: OnFull,
        until: u64,
        words: Words,
        step: &impl Step,
        undo: &Undo<'_>,
    ) -> Charged {
        self.table.count(word::OVERFLOWS);
        match on_full {
            OnFull::Evict => {}
            OnFull::Deny => return Charged::Full(until, words),
            OnFull::Allow => return Charged::Done(decided(&words, undo.limits.len(), step).0),
        }
        let (cell, _) = self.table.cell(fingerprint);
        let first = self.table.reload(cell, 0).unwrap_or(0);
        match change(&self.table, cell, first, step, undo) {
            Changed::Done(words) => Charged::Done(words),
            Changed::Refused(violated, words) => Charged::Refused(violated, words),
            // Nobody takes a cell away.
            Changed::Lost => Charged::Full(until, words),
        }
    }

    /// The state of a key without a slot.
    pub(super) fn cell_words(&self, fingerprint: u64, now: Moment) -> Words {
        if !self.table.is_ahead(word::OVERFLOW_UNTIL, now) {
            return [0; MAX_LIMITS];
        }
        let (cell, _) = self.table.cell(fingerprint);
        self.table.words(cell, self.table.reload(cell, 0).unwrap_or(0))
    }

    pub(super) fn newcomer<'a>(
        &'a self,
        limits: &'a [Limit],
        fingerprint: u64,
        words: &'a Words,
        now: Moment,
    ) -> Newcomer<'a> {
        let may_forget = self.on_full != OnFull::Deny;
        Newcomer { table: &self.table, limits, fingerprint, words, may_forget, now }
    }
}

/// Lets rivals finish before another try.
#[inline]
pub(super) fn pause(tries: u32) {
    if tries == 0 {
        return;
    }
    for _ in 0..1 << tries.min(8) {
        std::hint::spin_loop();
    }
    if tries > 8 {
        std::thread::yield_now();
    }
}
