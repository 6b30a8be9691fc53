//! How much is allowed: the parameters of one limit.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::error::{Code, Error, Result};

/// The largest `limit` and `burst`.
pub const MAX_UNITS: u32 = 1_000_000_000;

/// The longest window, 366 days, in milliseconds.
pub const MAX_WINDOW_MS: u64 = 366 * 24 * 60 * 60 * 1000;

/// `burst` intervals stay below this, in nanoseconds (146 years): a debt, a cost and a reading of
/// the clock can then be added up in 64 bits, here and in governor, which does not check.
const CAPACITY_END_NS: u64 = 1 << 62;

/// A limit that can be kept: `limit` units a window, `burst` of them at once.
///
/// In GCRA's terms the emission interval T is window / limit. **In any stretch of time W at most
/// `burst + W / T` units are admitted**, so with `burst` at its default a key that was idle can
/// use up to twice `limit` within one window: once at a stroke, once as it trickles back. Where
/// `limit` must hold in every window, give half of it as `limit` and as `burst`.
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
    /// T is rounded down to whole nanoseconds, so that a full window always brings back `limit`
    /// units, and is at least one. The rate is above the one asked for by less than one part in
    /// T: a billionth at one a second, a thousandth at a million a second.
    ///
    /// `ERR_OUT_OF_RANGE` names the option that is outside its limits, `burst` also when burst × T
    /// is 2^62 ns (146 years) or more.
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

    /// Units a window.
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// Units at once.
    pub fn burst(&self) -> u32 {
        self.burst.get()
    }

    /// T: nanoseconds until one unit is back, at least 1.
    pub fn interval_ns(&self) -> u64 {
        self.interval_ns
    }

    /// burst × T: nanoseconds until a key that has used everything is fresh again, below 2^62.
    pub fn capacity_ns(&self) -> u64 {
        self.weight_ns(self.burst.get())
    }

    /// What `cost` units weigh, in nanoseconds; exact for every cost up to the burst.
    pub fn weight_ns(&self, cost: u32) -> u64 {
        self.interval_ns.saturating_mul(u64::from(cost))
    }

    /// The cost of one call, if it can ever be met: from 1 (`ERR_OUT_OF_RANGE`) to the burst
    /// (`ERR_LIMIT_COST`).
    pub fn cost(&self, cost: u32) -> Result<NonZeroU32> {
        let Some(units) = NonZeroU32::new(cost) else {
            return Err(Error::new(Code::OutOfRange, "cost must be at least 1"));
        };
        if units > self.burst { Err(self.cost_above_burst(units)) } else { Ok(units) }
    }

    /// `ERR_LIMIT_COST`.
    pub(super) fn cost_above_burst(&self, cost: NonZeroU32) -> Error {
        Error::new(
            Code::LimitCost,
            format!(
                "a cost of {cost} can never be allowed: lower it or raise burst, which is {}",
                self.burst
            ),
        )
    }

    /// The same quota in governor's terms.
    pub(super) fn to_governor(self) -> governor::Quota {
        governor::Quota::with_period(Duration::from_nanos(self.interval_ns))
            // Only an interval of zero is refused, and there is none; one a second otherwise.
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
