//! A limiter on a file, and what can be done to a key.

use std::num::NonZeroU32;

use super::change::{Step, decided};
use super::charge::Charged;
use super::limiter::{MachineLimiter, bounded, bounded_word, short};
use super::limits::Known;
use crate::error::Result;
use crate::limiter::arguments::{check_cost, nonzero};
use crate::limiter::limit::Limit;
use crate::limiter::on_full::OnFull;
use crate::limiter::quota::Algorithm;
use crate::limiter::report::{Report, Verdict};
use crate::limiter::room::Room;
use crate::limiter::state::Moment;

impl MachineLimiter {
    /// As [`super::super::Limiter::check`].
    pub fn check(&self, key: &[u8], cost: u32) -> Result<bool> {
        self.take(key, cost, |_, verdict, _| verdict.allowed)
    }

    /// As [`super::super::Limiter::consume`].
    pub fn consume(&self, key: &[u8], cost: u32) -> Result<Report> {
        self.take(key, cost, |known, verdict, now| report(known, verdict, cost, now))
    }

    /// As [`super::super::Limiter::peek`].
    pub fn peek(&self, key: &[u8], cost: u32) -> Result<Report> {
        let known = self.known();
        let nonzero = checked_cost(&known.limits, cost)?;
        let (fingerprint, now) = (self.fingerprinter.of(key), self.now());
        let mut held_ns = self.held_ns(fingerprint, now);
        let (words, has_slot) = match self.table.locate(fingerprint, now) {
            Some((target, first)) => (self.table.words(target, first), true),
            None => (self.cell_words(fingerprint, now), false),
        };
        let step = taking(&known.limits, nonzero, now);
        let (after, mut violated) = decided(&words, known.limits.len(), &step);
        if held_ns > 0 {
            violated = 0;
        } else if violated == 0 && !has_slot && self.on_full == OnFull::Deny {
            let newcomer = self.newcomer(&known.limits, fingerprint, &after, now);
            if let Room::None(until) = newcomer.room() {
                held_ns = self.algorithm.left_ns(until, now).max(1);
            }
        }
        let allowed = violated == 0 && held_ns == 0;
        let verdict = Verdict { words: &words, violated, held_ns, allowed };
        Ok(report(&known, &verdict, cost, now))
    }

    /// As [`super::super::Limiter::reset`].
    pub fn reset(&self, key: &[u8]) -> bool {
        let (fingerprint, now) = (self.fingerprinter.of(key), self.now());
        let Some((target, first)) = self.table.locate(fingerprint, now) else { return false };
        let words = self.table.words(target, first);
        if words.iter().all(|word| *word <= now.word) {
            return false;
        }
        for column in (0..self.table.layout.limits).rev() {
            self.table.update(target, column, |word| word.min(now.word));
        }
        true
    }

    /// As [`super::super::Limiter::refund`].
    pub fn refund(&self, key: &[u8], cost: u32) -> Result<()> {
        let cost = nonzero(cost)?.get();
        let known = self.known();
        let (fingerprint, now) = (self.fingerprinter.of(key), self.now());
        if let Some((target, _)) = self.table.locate(fingerprint, now) {
            for (column, limit) in known.limits.iter().enumerate() {
                let quota = limit.quota();
                self.table.update(target, column, |word| {
                    if word <= now.word {
                        return word;
                    }
                    let debt = quota.debt(bounded_word(limit, word, now), now);
                    quota.word(debt.saturating_sub(quota.weight(cost)), word, now)
                });
            }
        }
        Ok(())
    }

    /// As [`super::super::Limiter::penalize`].
    pub fn penalize(&self, key: &[u8], cost: u32) -> Result<()> {
        let cost = nonzero(cost)?.get();
        let known = self.known();
        let (fingerprint, now) = (self.fingerprinter.of(key), self.now());
        let step = |column: usize, word| {
            let limit: &Limit = &known.limits[column];
            let (quota, word) = (limit.quota(), bounded_word(limit, word, now));
            let debt = quota.debt(word, now).saturating_add(quota.weight(cost));
            Some(quota.word(debt.min(quota.max_debt()), word, now))
        };
        // Where newcomers are refused, the overflow cell is charged.
        let on_full = if self.on_full == OnFull::Deny { OnFull::Evict } else { self.on_full };
        self.charge(&known.limits, fingerprint, cost, on_full, now, &step);
        Ok(())
    }

    #[inline]
    fn take<T>(
        &self,
        key: &[u8],
        cost: u32,
        tell: impl FnOnce(&Known, &Verdict<'_>, Moment) -> T,
    ) -> Result<T> {
        let fingerprint = self.fingerprinter.of(key);
        // It arrives while the clock is read.
        self.table.prefetch(fingerprint);
        let (known, now) = (self.known(), self.now());
        let nonzero = checked_cost(&known.limits, cost)?;
        let mut held_ns = self.held_ns(fingerprint, now);
        let (words, violated) = if held_ns > 0 {
            let found = self.table.locate(fingerprint, now);
            let words = match found {
                Some((target, first)) => self.table.words(target, first),
                None => self.cell_words(fingerprint, now),
            };
            (words, 0)
        } else {
            let step = taking(&known.limits, nonzero, now);
            match self.charge(&known.limits, fingerprint, cost, self.on_full, now, &step) {
                Charged::Done(words) => (words, 0),
                Charged::Refused(violated, words) => (words, violated),
                Charged::Full(until, words) => {
                    held_ns = self.algorithm.left_ns(until, now).max(1);
                    (words, 0)
                }
            }
        };
        let allowed = violated == 0 && held_ns == 0;
        Ok(tell(&known, &Verdict { words: &words, violated, held_ns, allowed }, now))
    }
}

/// The step of a call that takes units.
#[inline]
fn taking(limits: &[Limit], cost: NonZeroU32, now: Moment) -> impl Step {
    move |column: usize, word| {
        let limit = limits.get(column)?;
        // The cost was checked, so there is no error.
        let word = match limit.quota().algorithm() {
            // A debt above the bound is refused in any case.
            Algorithm::Gcra => word,
            Algorithm::FixedWindow => bounded_word(limit, word, now),
        };
        limit.take(word, cost, now).ok().flatten()
    }
}

#[inline]
fn checked_cost(limits: &[Limit], cost: u32) -> Result<NonZeroU32> {
    let cost = nonzero(cost)?;
    check_cost(limits, cost)?;
    Ok(cost)
}

fn report(known: &Known, verdict: &Verdict<'_>, cost: u32, now: Moment) -> Report {
    let words = bounded(&known.limits, verdict.words, now);
    let verdict = Verdict { words: &words, ..*verdict };
    Report::new(&known.limits, &verdict, cost, short(known.generation), now)
}
