//! The parameters of a rate limit.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::error::{Code, Error, Result};

/// The largest `limit` and `burst`.
pub const MAX_UNITS: u32 = 1_000_000_000;

/// The longest window, 366 days, in milliseconds.
pub const MAX_WINDOW_MS: u64 = 366 * 24 * 60 * 60 * 1000;

/// `burst` intervals stay below this limit, in nanoseconds (146 years). So the sum of a debt, a
/// cost and a clock reading fits in 64 bits, here and in governor, which does not check.
const CAPACITY_END_NS: u64 = 1 << 62;

/// A valid rate limit: `limit` units per window, of which `burst` may be used at once.
///
/// In GCRA's terms the emission interval T is window / limit. **In any period of length W at most
/// `burst + W / T` units are admitted.** So with the default `burst`, an idle key can use up to
/// twice `limit` within one window: once immediately, and once more as its units return. If `limit`
/// must hold in every window, pass half of it as both `limit` and `burst`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    limit: u32,
    burst: NonZeroU32,
    interval_ns: u64,
}

impl Quota {
    /// `limit` units (1 to 1e9) every `window_ms` milliseconds (1 to 366 days), of which `burst`
    /// (1 to 1e9, default `limit`) may be used at once.
    ///
    /// T is rounded down to whole nanoseconds, so that a full window always returns `limit` units,
    /// and is at least 1 ns. The rate exceeds the requested one by less than one part in T: a
    /// billionth at one unit per second, a thousandth at a million units per second.
    ///
    /// Fails with `ERR_OUT_OF_RANGE`, naming the option that is outside its limits. The option is
    /// `burst` also if burst × T is 2^62 ns (146 years) or more.
    pub fn new(limit: u32, window_ms: u64, burst: Option<u32>) -> Result<Self> {
        let limit = units("limit", limit)?;
        let burst = units("burst", burst.unwrap_or(limit.get()))?;
        if !(1..=MAX_WINDOW_MS).contains(&window_ms) {
            return Err(Error::new(
                Code::OutOfRange,
                format!("windowMs must be from 1 to {MAX_WINDOW_MS} (366 days)"),
            ));
        }
        let interval_ns = (window_ms * 1_000_000 / u64::from(limit.get())).max(1);
        match interval_ns.checked_mul(u64::from(burst.get())) {
            Some(capacity) if capacity < CAPACITY_END_NS => {
                Ok(Self { limit: limit.get(), burst, interval_ns })
            }
            _ => Err(Error::new(
                Code::OutOfRange,
                "burst must be smaller: a key that has used it up would need over 146 years to \
                 recover",
            )),
        }
    }

    /// Units per window.
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// Units that may be used at once.
    pub fn burst(&self) -> u32 {
        self.burst.get()
    }

    /// T: nanoseconds until one unit returns, at least 1.
    pub fn interval_ns(&self) -> u64 {
        self.interval_ns
    }

    /// burst × T: nanoseconds until a key that has used everything has fully recovered, below 2^62.
    pub fn capacity_ns(&self) -> u64 {
        self.weight_ns(self.burst.get())
    }

    /// The debt that `cost` units add, in nanoseconds; exact for every cost up to the burst.
    pub fn weight_ns(&self, cost: u32) -> u64 {
        self.interval_ns.saturating_mul(u64::from(cost))
    }

    /// Checks that the cost of one call can be allowed: from 1 (otherwise `ERR_OUT_OF_RANGE`) to
    /// the burst (otherwise `ERR_LIMIT_COST`).
    pub fn cost(&self, cost: u32) -> Result<NonZeroU32> {
        let Some(units) = NonZeroU32::new(cost) else {
            return Err(Error::new(Code::OutOfRange, "cost must be at least 1"));
        };
        if units > self.burst { Err(self.cost_above_burst(units)) } else { Ok(units) }
    }

    /// The error `ERR_LIMIT_COST`.
    pub(super) fn cost_above_burst(&self, cost: NonZeroU32) -> Error {
        Error::new(
            Code::LimitCost,
            format!(
                "a cost of {cost} can never be allowed: lower it or raise burst, which is {}",
                self.burst
            ),
        )
    }

    /// The same quota in governor's type.
    pub(super) fn to_governor(self) -> governor::Quota {
        governor::Quota::with_period(Duration::from_nanos(self.interval_ns))
            // governor refuses only an interval of zero, which a quota cannot have. The fallback is
            // one per second.
            .unwrap_or(governor::Quota::per_second(NonZeroU32::MIN))
            .allow_burst(self.burst)
    }
}

fn units(option: &str, value: u32) -> Result<NonZeroU32> {
    NonZeroU32::new(value).filter(|units| units.get() <= MAX_UNITS).ok_or_else(|| {
        Error::new(Code::OutOfRange, format!("{option} must be from 1 to {MAX_UNITS}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(limit: u32, window_ms: u64, burst: Option<u32>) -> String {
        let error = Quota::new(limit, window_ms, burst).unwrap_err();
        assert_eq!(error.code, Code::OutOfRange);
        error.message.split(' ').next().unwrap().to_owned()
    }

    #[test]
    fn the_error_names_the_option_that_is_out_of_range() {
        assert_eq!(refused(0, 1000, None), "limit");
        assert_eq!(refused(MAX_UNITS + 1, 1000, None), "limit");
        assert_eq!(refused(1, 1000, Some(0)), "burst");
        assert_eq!(refused(1, 1000, Some(u32::MAX)), "burst");
        assert_eq!(refused(1, 0, None), "windowMs");
        assert_eq!(refused(1, MAX_WINDOW_MS + 1, None), "windowMs");
        assert_eq!(refused(1, MAX_WINDOW_MS, Some(MAX_UNITS)), "burst");
    }

    #[test]
    fn interval_is_rounded_down_to_at_least_a_nanosecond() {
        assert_eq!(Quota::new(3, 1000, None).unwrap().interval_ns(), 333_333_333);
        assert_eq!(Quota::new(MAX_UNITS, 1, None).unwrap().interval_ns(), 1);
        assert_eq!(Quota::new(MAX_UNITS, 1500, None).unwrap().interval_ns(), 1);
    }

    #[test]
    fn capacity_ends_below_two_to_the_62nd() {
        let interval = Quota::new(1, MAX_WINDOW_MS, None).unwrap().interval_ns();
        let most = u32::try_from((CAPACITY_END_NS - 1) / interval).unwrap();
        assert!(Quota::new(1, MAX_WINDOW_MS, Some(most)).unwrap().capacity_ns() < CAPACITY_END_NS);
        assert_eq!(refused(1, MAX_WINDOW_MS, Some(most + 1)), "burst");
    }

    #[test]
    fn cost_is_from_one_to_the_burst() {
        let quota = Quota::new(10, 1000, Some(5)).unwrap();
        assert_eq!(quota.cost(0).unwrap_err().code, Code::OutOfRange);
        assert_eq!(quota.cost(5).unwrap().get(), 5);
        assert_eq!(quota.cost(6).unwrap_err().code, Code::LimitCost);
        assert_eq!(quota.cost(u32::MAX).unwrap_err().code, Code::LimitCost);
    }
}
