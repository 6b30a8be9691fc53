//! A limiter on a file: its parts.

use std::fs::File;
use std::sync::{Arc, Mutex};

use super::limits::{FileLimits, Present};
use super::table::Table;
use crate::clock::Clock;
use crate::limiter::buckets::Words;
use crate::limiter::fingerprint::Fingerprinter;
use crate::limiter::limit::{Limit, MAX_LIMITS};
use crate::limiter::on_full::OnFull;
use crate::limiter::quota::Algorithm;
use crate::limiter::state::Moment;
use crate::os::FileId;

/// Limits for each key, shared by all processes that open the file.
///
/// As [`super::super::Limiter`], with these differences. Rivals for the last units of composed
/// limits may all be refused. A process that is killed leaves at most the cost of its call taken.
pub struct MachineLimiter {
    pub(super) table: Table,
    pub(super) fingerprinter: Fingerprinter,
    pub(super) algorithm: Algorithm,
    pub(super) max_keys: usize,
    pub(super) on_full: OnFull,
    pub(super) limits: FileLimits,
    pub(super) clock: Arc<dyn Clock>,
    /// Locked while the limits are changed.
    pub(super) file: Mutex<File>,
    pub(super) id: FileId,
}

impl MachineLimiter {
    #[inline]
    pub(super) fn known(&self) -> Present<'_> {
        self.limits.get(&self.table, &self.fingerprinter)
    }

    #[inline]
    pub(super) fn now(&self) -> Moment {
        self.algorithm.at(self.clock.monotonic_nanos())
    }
}

/// The words, none of which is larger than its limit allows: those of former limits may be.
pub(super) fn bounded(limits: &[Limit], words: &[u64], now: Moment) -> Words {
    let mut bounded = [0; MAX_LIMITS];
    for ((limit, word), bounded) in limits.iter().zip(words).zip(&mut bounded) {
        *bounded = bounded_word(limit, *word, now);
    }
    bounded
}

#[inline]
pub(super) fn bounded_word(limit: &Limit, word: u64, now: Moment) -> u64 {
    limit.quota().carry_over(word, limit.quota(), now)
}

/// The low half of a generation.
pub(super) fn short(generation: u64) -> u32 {
    u32::try_from(generation & u64::from(u32::MAX)).unwrap_or(0)
}
