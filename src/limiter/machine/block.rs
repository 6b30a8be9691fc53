//! Blocks keys.

use std::sync::atomic::Ordering::SeqCst;

use super::charge::{MAX_TRIES, pause};
use super::header::word;
use super::insert::Inserted;
use super::limiter::MachineLimiter;
use crate::error::Result;
use crate::limiter::arguments::check_block_ms;
use crate::limiter::limit::{Limit, MAX_LIMITS};
use crate::limiter::on_full::OnFull;
use crate::limiter::state::Moment;
use crate::limiter::view::BLOCK;

impl MachineLimiter {
    /// As [`super::super::Limiter::block`].
    pub fn block(&self, key: &[u8], ms: u64) -> Result<()> {
        check_block_ms(ms)?;
        let (fingerprint, now) = (self.fingerprinter.of(key), self.now());
        let until = self.algorithm.word_until(now.ns.saturating_add(ms * 1_000_000));
        let known = self.known();
        self.table.raise(word::BLOCK_UNTIL, until);
        for tries in 0..MAX_TRIES {
            pause(tries);
            if self.try_block(&known.limits, fingerprint, until, now) {
                return Ok(());
            }
        }
        self.block_cell(fingerprint, until);
        Ok(())
    }

    /// As [`super::super::Limiter::unblock`].
    pub fn unblock(&self, key: &[u8]) {
        let (fingerprint, now) = (self.fingerprinter.of(key), self.now());
        if let Some((target, _)) = self.table.locate(fingerprint | BLOCK, now) {
            self.table.update(target, 0, |word| word.min(now.word));
        }
    }

    /// Blocks a key, unless other processes are at work.
    fn try_block(&self, limits: &[Limit], fingerprint: u64, until: u64, now: Moment) -> bool {
        let marked = fingerprint | BLOCK;
        if let Some((target, word)) = self.table.locate(marked, now) {
            return self.table.swap(target, 0, word, until);
        }
        let mut words = [0; MAX_LIMITS];
        words[0] = until;
        match self.newcomer(limits, marked, &words, now).insert() {
            Inserted::Done => return true,
            Inserted::Again(_) => return false,
            Inserted::Full(_) => {}
        }
        // The block takes the slot of the key's state, and lasts until the key has recovered.
        let Some((own, first)) = self.table.locate(fingerprint, now) else {
            self.block_cell(fingerprint, until);
            return true;
        };
        let state = self.table.words(own, first);
        words[0] = state.into_iter().fold(until, u64::max);
        self.table.raise(word::BLOCK_UNTIL, words[0]);
        let claimed =
            own.place().map(|place| self.newcomer(limits, marked, &words, now).claim(place, true));
        matches!(claimed, Some(Inserted::Done))
    }

    /// Blocks all keys that have no slot and share a cell, unless they are allowed.
    fn block_cell(&self, fingerprint: u64, until: u64) {
        if self.on_full == OnFull::Allow {
            return;
        }
        self.table.raise(word::OVERFLOW_UNTIL, until);
        self.table.cell(fingerprint).1.fetch_max(until, SeqCst);
    }

    /// Nanoseconds until the block of a key ends.
    #[inline]
    pub(super) fn held_ns(&self, fingerprint: u64, now: Moment) -> u64 {
        let mut until = 0;
        if self.table.is_ahead(word::BLOCK_UNTIL, now)
            && let Some((_, word)) = self.table.locate(fingerprint | BLOCK, now)
        {
            until = word;
        } else if self.table.is_ahead(word::OVERFLOW_UNTIL, now)
            && self.table.locate(fingerprint, now).is_none()
        {
            until = self.table.cell(fingerprint).1.load(SeqCst);
        }
        if until > now.word { self.algorithm.left_ns(until, now) } else { 0 }
    }
}
