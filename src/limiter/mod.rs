//! Rate limits for keys that an attacker may choose.
//!
//! The generic cell rate algorithm (GCRA) keeps one number a key, the moment at which the key is
//! as good as new; it is a token bucket without a counter to refill. A [`Limiter`] is a [`Quota`]
//! over a table of fixed size, on the monotonic clock: setting the system's time moves nothing.

use std::sync::Arc;

use crate::clock::Clock;
use crate::error::Result;

mod fingerprint;
mod gcra;
mod quota;
mod table;

use self::fingerprint::Fingerprinter;
pub use self::gcra::Decision;
use self::gcra::Gcra;
pub use self::quota::{MAX_UNITS, MAX_WINDOW_MS, Quota};
pub use self::table::{DEFAULT_MAX_KEYS, MAX_MAX_KEYS, MIN_MAX_KEYS};
use self::table::{DebtTable, TimedKey};

/// One quota for each key, shared by all threads; every call is done in well under a microsecond.
///
/// Within any stretch of time W, a key is admitted at most `burst + W / T` units, T being the
/// quota's emission interval: see [`Quota`]. The one exception: once more keys are in debt than
/// there is room for, those with the least debt start afresh ([`Stats::evictions`]).
pub struct Limiter {
    quota: Quota,
    gcra: Gcra,
    fingerprinter: Fingerprinter,
    clock: Arc<dyn Clock>,
}

/// How full a limiter has been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Keys that have room: `max_keys`, rounded up.
    pub capacity: usize,
    /// Keys in debt that had to make room and so started afresh, since the limiter was made. A
    /// number that grows asks for a larger `max_keys`, or is an attack with many keys.
    pub evictions: u64,
}

impl Limiter {
    /// A limiter that remembers `max_keys` keys ([`DEFAULT_MAX_KEYS`], 8 to 2^26), 16 bytes each.
    ///
    /// `ERR_OUT_OF_RANGE` for `max_keys`, `ERR_RANDOM` when there is no secret for fingerprints.
    pub fn new(quota: Quota, max_keys: usize, clock: Arc<dyn Clock>) -> Result<Self> {
        Ok(Self {
            quota,
            gcra: Gcra::new(quota, DebtTable::new(max_keys)?),
            fingerprinter: Fingerprinter::new()?,
            clock,
        })
    }

    /// Takes `cost` units (1 to the burst) and says whether they were there; if not, nothing is
    /// taken. A key is any bytes of any length; it is not kept.
    ///
    /// `ERR_OUT_OF_RANGE` for a cost of 0, `ERR_LIMIT_COST` for one above the burst.
    pub fn check(&self, key: &[u8], cost: u32) -> Result<bool> {
        let cost = self.quota.cost(cost)?;
        self.gcra.take(&self.timed(key), cost)
    }

    /// [`Limiter::check`], with what there is to tell the client.
    pub fn consume(&self, key: &[u8], cost: u32) -> Result<Decision> {
        let cost = self.quota.cost(cost)?;
        let timed = self.timed(key);
        let allowed = self.gcra.take(&timed, cost)?;
        Ok(self.gcra.decision(&timed, cost, allowed))
    }

    /// What a cost of 1 would meet, and what is left before it; takes and writes nothing.
    pub fn peek(&self, key: &[u8]) -> Decision {
        self.gcra.foresee(&self.timed(key))
    }

    /// Makes the key as good as new; whether it was not already.
    pub fn reset(&self, key: &[u8]) -> bool {
        let timed = self.timed(key);
        self.gcra.table().remove(&timed);
        timed.debt_ns() > 0
    }

    /// The quota of every key.
    pub fn quota(&self) -> &Quota {
        &self.quota
    }

    /// How full the limiter has been.
    pub fn stats(&self) -> Stats {
        let table = self.gcra.table();
        Stats { capacity: table.capacity(), evictions: table.evictions() }
    }

    fn timed(&self, key: &[u8]) -> TimedKey {
        TimedKey::new(self.fingerprinter.of(key), self.clock.monotonic_nanos())
    }
}

#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod tests;
