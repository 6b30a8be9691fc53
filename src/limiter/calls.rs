//! The calls on a key.

use super::arguments::{check_block_ms, check_cost, nonzero};
use super::buckets::Words;
use super::limit::MAX_LIMITS;
use super::on_full::OnFull;
use super::process::Limiter;
use super::quota::Quota;
use super::report::{Report, Verdict};
use super::slots::{Found, Slots};
use super::state::Moment;
use crate::error::Result;

/// Whether a call takes its cost.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Take,
    Peek,
}

impl Limiter {
    /// Takes `cost` units (1 to the burst) of every limit and returns whether they were available;
    /// if not, nothing is taken. A key is any bytes of any length; the limiter does not store it.
    ///
    /// Fails with `ERR_OUT_OF_RANGE` for a cost of 0, and with `ERR_LIMIT_COST` for a cost above
    /// the burst of a limit.
    pub fn check(&self, key: &[u8], cost: u32) -> Result<bool> {
        self.decide(Mode::Take, key, cost, |_, verdict, _| verdict.allowed)
    }

    /// As [`Limiter::check`], with the details that a client may be told.
    pub fn consume(&self, key: &[u8], cost: u32) -> Result<Report> {
        self.decide(Mode::Take, key, cost, |slots, verdict, now| {
            Report::new(slots.limits(), verdict, cost, slots.generation(), now)
        })
    }

    /// The report that this cost would get, with the units remaining before it. Takes and writes
    /// nothing.
    pub fn peek(&self, key: &[u8], cost: u32) -> Result<Report> {
        self.decide(Mode::Peek, key, cost, |slots, verdict, now| {
            Report::new(slots.limits(), verdict, cost, slots.generation(), now)
        })
    }

    /// Clears the key's debts and returns whether it had any. A block stays. If the key has no
    /// slot, it has the debts of its overflow cell, which stay.
    pub fn reset(&self, key: &[u8]) -> bool {
        let (fingerprint, now) = (self.fingerprinter.of(key), self.now());
        let mut slots = self.table.shard(fingerprint);
        let found: Found = slots.find(fingerprint, now);
        if found.place.is_none() || found.words.iter().all(|word| *word <= now.word) {
            return false;
        }
        // The slot stays the key's until another one needs it.
        slots.write(fingerprint, &found, &[0; MAX_LIMITS], false, now).is_ok()
    }

    /// Gives back up to `cost` units of each limit; never more than were taken. The cost may be
    /// above a burst, because it may have been taken before [`Limiter::set_limits`]. A key without
    /// a slot gets nothing. Fails with `ERR_OUT_OF_RANGE` for a cost of 0.
    pub fn refund(&self, key: &[u8], cost: u32) -> Result<()> {
        let cost = nonzero(cost)?;
        let (fingerprint, now) = (self.fingerprinter.of(key), self.now());
        let mut slots = self.table.shard(fingerprint);
        let found: Found = slots.find(fingerprint, now);
        if found.place.is_some() {
            let mut words = changed(&slots, &found, now, |quota, debt| {
                debt.saturating_sub(quota.weight(cost.get()))
            });
            for (word, before) in words.iter_mut().zip(&found.words) {
                // A fixed window that has ended does not begin anew without a unit.
                if *before <= now.word {
                    *word = *before;
                }
            }
            // It has a slot.
            let _ = slots.write(fingerprint, &found, &words, false, now);
        }
        Ok(())
    }

    /// Takes `cost` units of each limit, also those that the key does not have: at most a window's
    /// time beyond the burst. Fails with `ERR_OUT_OF_RANGE` for a cost of 0.
    pub fn penalize(&self, key: &[u8], cost: u32) -> Result<()> {
        let cost = nonzero(cost)?;
        let (fingerprint, now) = (self.fingerprinter.of(key), self.now());
        let mut slots = self.table.shard(fingerprint);
        let found: Found = slots.find(fingerprint, now);
        let words = changed(&slots, &found, now, |quota, debt| {
            debt.saturating_add(quota.weight(cost.get())).min(quota.max_debt())
        });
        // Without a slot, the overflow cell is charged.
        let _ = slots.write(fingerprint, &found, &words, true, now);
        Ok(())
    }

    /// Refuses the key every call for `ms` milliseconds (1 to 366 days, otherwise
    /// `ERR_OUT_OF_RANGE`), in place of an earlier block. Its debts stay.
    pub fn block(&self, key: &[u8], ms: u64) -> Result<()> {
        check_block_ms(ms)?;
        let (fingerprint, now) = (self.fingerprinter.of(key), self.now());
        let until = self.algorithm.word_until(now.ns.saturating_add(ms * 1_000_000));
        self.table.shard(fingerprint).block(fingerprint, until, now);
        Ok(())
    }

    /// Ends the block of a key. Its debts stay.
    pub fn unblock(&self, key: &[u8]) {
        let fingerprint = self.fingerprinter.of(key);
        self.table.shard(fingerprint).unblock(fingerprint, self.now());
    }

    #[inline]
    fn decide<T>(
        &self,
        mode: Mode,
        key: &[u8],
        cost: u32,
        tell: impl FnOnce(&Slots, &Verdict<'_>, Moment) -> T,
    ) -> Result<T> {
        if self.has_one_limit {
            self.decide_all::<1, _>(mode, key, cost, tell)
        } else {
            self.decide_all::<MAX_LIMITS, _>(mode, key, cost, tell)
        }
    }

    /// Decides up to `N` limits.
    #[inline]
    fn decide_all<const N: usize, T>(
        &self,
        mode: Mode,
        key: &[u8],
        cost: u32,
        tell: impl FnOnce(&Slots, &Verdict<'_>, Moment) -> T,
    ) -> Result<T> {
        let cost = nonzero(cost)?;
        let (fingerprint, now) = (self.fingerprinter.of(key), self.now());
        let mut slots = self.table.shard(fingerprint);
        check_cost(slots.limits(), cost)?;
        let found = slots.find::<N>(fingerprint, now);
        let blocked = slots.blocked_until(fingerprint, &found, now);
        let held_ns = if blocked > now.word { self.algorithm.left_ns(blocked, now) } else { 0 };
        let mut after = found.words;
        let mut verdict = Verdict { words: &[], violated: 0, held_ns, allowed: held_ns == 0 };
        if verdict.allowed {
            for (column, (limit, word)) in slots.limits().iter().zip(&found.words).enumerate() {
                match limit.take(*word, cost, now)? {
                    Some(word) => after[column] = word,
                    None => verdict.violated |= 1 << column,
                }
            }
            verdict.allowed = verdict.violated == 0;
            if mode == Mode::Take && verdict.allowed {
                let may_overflow = self.on_full != OnFull::Deny;
                match slots.write(fingerprint, &found, &after, may_overflow, now) {
                    Ok(()) => verdict.words = &after,
                    Err(until) => self.refuse_newcomer(&mut verdict, until, now),
                }
            } else if mode == Mode::Take {
                slots.counters.overflows += u64::from(slots.is_overflowing(&found, now));
            } else if verdict.allowed
                && found.place.is_none()
                && self.on_full == OnFull::Deny
                && let Err(until) = slots.has_room(fingerprint, now)
            {
                self.refuse_newcomer(&mut verdict, until, now);
            }
        }
        if verdict.words.is_empty() {
            verdict.words = &found.words;
        }
        Ok(tell(&slots, &verdict, now))
    }

    fn refuse_newcomer(&self, verdict: &mut Verdict<'_>, until: u64, now: Moment) {
        verdict.allowed = false;
        verdict.held_ns = self.algorithm.left_ns(until, now).max(1);
    }
}

/// The words of a key whose debts change.
fn changed(
    slots: &Slots,
    found: &Found,
    now: Moment,
    change: impl Fn(&Quota, u64) -> u64,
) -> Words {
    let mut words = found.words;
    for (limit, word) in slots.limits().iter().zip(&mut words) {
        let quota = limit.quota();
        *word = quota.word(change(quota, quota.debt(*word, now)), *word, now);
    }
    words
}
