//! Calls on all keys.

use std::sync::PoisonError;

use super::arguments::check_same_names;
use super::limit::Limits;
use super::process::Limiter;
use super::report::Stats;
use crate::error::Result;

impl Limiter {
    /// Forgets all keys and blocks. The counters of [`Limiter::stats`] stay.
    pub fn clear(&self) {
        self.table.clear();
    }

    /// Puts other limits in place of the present ones. Every key keeps the time until it has
    /// recovered, at most that of the new burst. Takes about a millisecond for 200,000 keys.
    ///
    /// Fails with `ERR_INVALID_ARG_VALUE` unless they have the same names, in the same order, and
    /// the same algorithm.
    pub fn set_limits(&self, limits: &Limits) -> Result<()> {
        let mut generation = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
        check_same_names(limits, &self.table.limits())?;
        *generation = generation.wrapping_add(1);
        self.table.set_limits(limits, *generation, self.now());
        Ok(())
    }

    /// The limits, and how often they were changed.
    pub fn limits(&self) -> (Limits, u32) {
        let generation = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
        (self.table.limits(), *generation)
    }

    /// The limiter's keys and counters. Reads the whole table, a millisecond for some 500,000 keys;
    /// calls on keys go on meanwhile.
    pub fn stats(&self) -> Stats {
        let now = self.now();
        let (mut keys, mut blocked) = (0, 0);
        self.table.each(|slots| {
            slots.buckets().each(now, |_, is_block, _| {
                keys += usize::from(!is_block);
                blocked += usize::from(is_block);
            });
        });
        let counters = self.table.counters();
        Stats {
            capacity: self.table.max_keys(),
            keys,
            blocked,
            evictions: counters.evictions,
            overflows: counters.overflows,
            growth_failures: counters.growth_failures,
        }
    }
}
