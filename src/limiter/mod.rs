//! Rate limits for keys that an attacker may choose.
//!
//! The generic cell rate algorithm (GCRA) stores one number per key: the time at which the key has
//! fully recovered. It is a token bucket without a counter to refill. A [`Limiter`] is a [`Quota`]
//! over a table of fixed size. It uses the monotonic clock, so changes of the system time have no
//! effect.

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

/// One quota for each key, shared by all threads. Every call takes well under a microsecond.
///
/// In any period of length W, a key is admitted at most `burst + W / T` units, where T is the
/// quota's emission interval: see [`Quota`]. There is one exception: if more keys are in debt than
/// the table has room for, the keys with the least debt lose it ([`Stats::evictions`]).
pub struct Limiter {
    quota: Quota,
    gcra: Gcra,
    fingerprinter: Fingerprinter,
    clock: Arc<dyn Clock>,
}

/// The capacity of a limiter and how often it was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// The number of keys that have room: `max_keys`, rounded up.
    pub capacity: usize,
    /// Keys in debt that lost their debt to make room, since the limiter was created. If this
    /// number grows, `max_keys` is too small, or an attacker uses many keys.
    pub evictions: u64,
}

impl Limiter {
    /// A limiter for `max_keys` keys ([`DEFAULT_MAX_KEYS`], 8 to 2^26), 16 bytes each.
    ///
    /// Fails with `ERR_OUT_OF_RANGE` for other values of `max_keys`, and with `ERR_RANDOM` if the
    /// system provides no random bytes for the secret of the fingerprints.
    pub fn new(quota: Quota, max_keys: usize, clock: Arc<dyn Clock>) -> Result<Self> {
        Ok(Self {
            quota,
            gcra: Gcra::new(quota, DebtTable::new(max_keys)?),
            fingerprinter: Fingerprinter::new()?,
            clock,
        })
    }

    /// Takes `cost` units (1 to the burst) and returns whether they were available; if not, nothing
    /// is taken. A key is any bytes of any length; the limiter does not store it.
    ///
    /// Fails with `ERR_OUT_OF_RANGE` for a cost of 0, and with `ERR_LIMIT_COST` for a cost above
    /// the burst.
    pub fn check(&self, key: &[u8], cost: u32) -> Result<bool> {
        let cost = self.quota.cost(cost)?;
        self.gcra.take(&self.timed(key), cost)
    }

    /// As [`Limiter::check`], with the details that a client may be told.
    pub fn consume(&self, key: &[u8], cost: u32) -> Result<Decision> {
        let cost = self.quota.cost(cost)?;
        let timed = self.timed(key);
        let allowed = self.gcra.take(&timed, cost)?;
        Ok(self.gcra.decision(&timed, cost, allowed))
    }

    /// The decision that a cost of 1 would get, with the units remaining before it. Takes and
    /// writes nothing.
    pub fn peek(&self, key: &[u8]) -> Decision {
        self.gcra.foresee(&self.timed(key))
    }

    /// Clears the key's debt and returns whether it had any.
    pub fn reset(&self, key: &[u8]) -> bool {
        let timed = self.timed(key);
        self.gcra.table().remove(&timed);
        timed.debt_ns() > 0
    }

    /// The quota of every key.
    pub fn quota(&self) -> &Quota {
        &self.quota
    }

    /// The limiter's capacity and evictions.
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
