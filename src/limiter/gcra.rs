//! The decision: governor's arithmetic over our table, and the answer to the caller.
//!
//! governor reads its clock before it knows the key and does not pass the reading on, yet the
//! store needs it to tell a live entry from an expired one, and the caller to tell how long to
//! wait. So the clock is read once, by the caller, and travels in the key ([`TimedKey`]); the store
//! shows governor each state as its distance from that reading. In governor's time every call
//! happens at 0 and a state is a debt: nanoseconds until the key is as good as new.
//!
//! A cost of n is allowed when debt + n × T ≤ burst × T, and the sum becomes the debt.

use std::num::NonZeroU32;

use governor::RateLimiter;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;

use super::quota::Quota;
use super::table::{DebtTable, TimedKey};
use crate::error::Result;

/// The answer to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether it may proceed.
    pub allowed: bool,
    /// Units that could be used at once from here; counts up to the quota's burst, which may be
    /// above or below the quota's limit.
    pub remaining: u32,
    /// Nanoseconds until the same cost would be allowed, if nothing else is used meanwhile; 0 when
    /// this one was.
    pub retry_after_ns: u64,
    /// Nanoseconds until the key is as good as new.
    pub reset_ns: u64,
}

/// A quota applied to a table of keys.
pub(super) struct Gcra {
    quota: Quota,
    table: DebtTable,
    governor: RateLimiter<TimedKey, DebtTable, Here, NoOpMiddleware<Nanos>>,
}

impl Gcra {
    /// Keeps the states of this quota in this table, which no other quota may use.
    pub(super) fn new(quota: Quota, table: DebtTable) -> Self {
        Self { quota, governor: RateLimiter::new(quota.to_governor(), table.clone(), Here), table }
    }

    /// Takes `cost` units if they are there; a denial takes and writes nothing.
    pub(super) fn take(&self, key: &TimedKey, cost: NonZeroU32) -> Result<bool> {
        match self.governor.check_key_n(key, cost) {
            Ok(outcome) => Ok(outcome.is_ok()),
            // The quota has refused such a cost before; should it ever not, it is the same error.
            Err(_) => Err(self.quota.cost_above_burst(cost)),
        }
    }

    /// What a call that has been through [`Gcra::take`] was told.
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

    /// What a call of cost 1 would be told; `allowed` and `remaining` as they are before it.
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

/// governor's clock: each call is its own origin.
#[derive(Clone, Copy)]
struct Here;

impl Clock for Here {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(0)
    }
}
