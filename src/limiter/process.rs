//! A limiter of this process: its parts.

use std::sync::{Arc, Mutex};

use super::fingerprint::Fingerprinter;
use super::limit::Limits;
use super::on_full::OnFull;
use super::quota::Algorithm;
use super::state::Moment;
use super::table::Table;
use crate::clock::Clock;
use crate::error::Result;

/// Limits for each key, shared by all threads. Every call on a key takes well under a microsecond.
///
/// In any period of length W, a key is admitted at most `burst + W / T` units of each limit, where
/// T is the quota's emission interval: see [`Quota`](super::Quota). There is one exception: if more keys than
/// `max_keys` are in debt, the table may forget keys that are not blocked ([`Stats::evictions`](super::Stats::evictions)).
pub struct Limiter {
    pub(super) table: Table,
    pub(super) fingerprinter: Fingerprinter,
    pub(super) algorithm: Algorithm,
    pub(super) has_one_limit: bool,
    pub(super) on_full: OnFull,
    pub(super) clock: Arc<dyn Clock>,
    /// How often the limits were changed. Held while they are.
    pub(super) generation: Mutex<u32>,
}

impl Limiter {
    /// A limiter for `max_keys` keys (8 to 2^26), at most 24 bytes each, and
    /// 8 more for each limit after the first.
    ///
    /// Fails with `ERR_OUT_OF_RANGE` for other values of `max_keys`, with `ERR_LIMIT_FULL` if there
    /// is no memory, and with `ERR_RANDOM` if the system provides no random bytes for the secret of
    /// the fingerprints.
    pub fn new(
        limits: &Limits,
        max_keys: usize,
        on_full: OnFull,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        Self::with(limits, max_keys, on_full, clock, Fingerprinter::new()?)
    }

    pub(super) fn with(
        limits: &Limits,
        max_keys: usize,
        on_full: OnFull,
        clock: Arc<dyn Clock>,
        fingerprinter: Fingerprinter,
    ) -> Result<Self> {
        Ok(Self {
            table: Table::new(max_keys, on_full, limits)?,
            fingerprinter,
            algorithm: limits[0].quota().algorithm(),
            has_one_limit: limits.len() == 1,
            on_full,
            clock,
            generation: Mutex::new(0),
        })
    }

    /// The treatment of newcomers while the table is full.
    pub fn on_full(&self) -> OnFull {
        self.on_full
    }

    pub(super) fn now(&self) -> Moment {
        self.algorithm.at(self.clock.monotonic_nanos())
    }
}
