//! Decides whether a call is allowed, with governor's arithmetic over our table.
//!
//! governor reads its clock before it knows the key and does not pass the reading on. But the store
//! needs the reading to tell a live entry from an expired one, and the caller needs it to compute
//! the wait. So the caller reads the clock once and passes the reading in the key ([`TimedKey`]),
//! and the store shows governor each state relative to that reading. In governor's view every call
//! happens at time 0, and a state is a debt: the nanoseconds until the key has fully recovered.
//!
//! A cost of n is allowed if debt + n × T ≤ burst × T, and the sum becomes the new debt.

use std::num::NonZeroU32;

use governor::RateLimiter;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;

use super::quota::Quota;
use super::table::{DebtTable, TimedKey};
use crate::error::Result;

/// The result of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether the call may proceed.
    pub allowed: bool,
    /// Units that could be used at once now. The maximum is the quota's burst, which may be above
    /// or below the quota's limit.
    pub remaining: u32,
    /// Nanoseconds until the same cost would be allowed if nothing else is used meanwhile; 0 if the
    /// call is allowed.
    pub retry_after_ns: u64,
    /// Nanoseconds until the key has fully recovered.
    pub reset_ns: u64,
}

/// A quota applied to a table of keys.
pub(super) struct Gcra {
    quota: Quota,
    table: DebtTable,
    governor: RateLimiter<TimedKey, DebtTable, Here, NoOpMiddleware<Nanos>>,
}

impl Gcra {
    /// Applies this quota to the states in this table, which no other quota may use.
    pub(super) fn new(quota: Quota, table: DebtTable) -> Self {
        Self { quota, governor: RateLimiter::new(quota.to_governor(), table.clone(), Here), table }
    }

    /// Takes `cost` units if they are available. A denial takes and writes nothing.
    pub(super) fn take(&self, key: &TimedKey, cost: NonZeroU32) -> Result<bool> {
        match self.governor.check_key_n(key, cost) {
            Ok(outcome) => Ok(outcome.is_ok()),
            // The quota has already refused such a cost; if it ever does not, the error is the
            // same.
            Err(_) => Err(self.quota.cost_above_burst(cost)),
        }
    }

    /// The decision for a call that has been through [`Gcra::take`].
    pub(super) fn decision(&self, key: &TimedKey, cost: NonZeroU32, allowed: bool) -> Decision {
        let debt = key.debt_ns();
        let left = self.quota.capacity_ns().saturating_sub(debt) / self.quota.interval_ns();
        Decision {
            allowed,
            // At most the burst, since the capacity is burst intervals.
            remaining: u32::try_from(left).unwrap_or(self.quota.burst()),
            retry_after_ns: if allowed { 0 } else { self.wait_ns(debt, cost) },
            reset_ns: debt,
        }
    }

    /// The decision for a call of cost 1, which is not made: `allowed` and `remaining` are the
    /// values before it.
    pub(super) fn foresee(&self, key: &TimedKey) -> Decision {
        self.table.read(key);
        let allowed = self.wait_ns(key.debt_ns(), NonZeroU32::MIN) == 0;
        self.decision(key, NonZeroU32::MIN, allowed)
    }

    /// The table that holds the states.
    pub(super) fn table(&self) -> &DebtTable {
        &self.table
    }

    fn wait_ns(&self, debt: u64, cost: NonZeroU32) -> u64 {
        debt.saturating_add(self.quota.weight_ns(cost.get()))
            .saturating_sub(self.quota.capacity_ns())
    }
}

/// governor's clock: every call happens at time 0.
#[derive(Clone, Copy)]
struct Here;

impl Clock for Here {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(0)
    }
}
