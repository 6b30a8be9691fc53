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

/// The largest limit of a fixed window, whose state has 22 bits for the count.
pub const MAX_FIXED_UNITS: u32 = (1 << 22) - 1;

/// How units come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// One after the other: the generic cell rate algorithm.
    Gcra,
    /// All together, a window after the first unit was taken.
    FixedWindow,
}

/// A valid rate limit: `limit` units per window, of which `burst` may be used at once.
///
/// In GCRA's terms the emission interval T is window / limit. **In any period of length W at most
/// `burst + W / T` units are admitted.** So with the default `burst`, an idle key can use up to
/// twice `limit` within one window: once immediately, and once more as its units return. A
/// [`Quota::strict`] one keeps to the limit in every window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    limit: u32,
    burst: NonZeroU32,
    /// The debt of one unit: T, or 1 in a fixed window, whose debts are counts.
    interval_ns: u64,
    window_ms: u64,
    algorithm: Algorithm,
    is_strict: bool,
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
        let length_ns = nanos(window_ms)?;
        let interval_ns = (length_ns / u64::from(limit.get())).max(1);
        Self {
            limit: limit.get(),
            burst,
            interval_ns,
            window_ms,
            algorithm: Algorithm::Gcra,
            is_strict: false,
        }
        .checked()
    }

    /// At most `limit` units in every period of a window: `burst` (1 to `limit`, default half of
    /// it, rounded up) at once, and `limit - burst` more in a window, of which T is the fraction
    /// rounded up. If `burst` is `limit`, a unit comes back after more than a window.
    ///
    /// Fails as [`Quota::new`], and with `ERR_OUT_OF_RANGE` for a burst above the limit.
    pub fn strict(limit: u32, window_ms: u64, burst: Option<u32>) -> Result<Self> {
        let limit = units("limit", limit)?.get();
        let burst = units("burst", burst.unwrap_or(limit.div_ceil(2)))?;
        let length_ns = nanos(window_ms)?;
        let interval_ns = match limit.checked_sub(burst.get()) {
            Some(0) => length_ns + 1,
            Some(later) => length_ns.div_ceil(u64::from(later)),
            None => {
                return Err(Error::new(
                    Code::OutOfRange,
                    "burst must be at most the limit if strict is set",
                ));
            }
        };
        Self { limit, burst, interval_ns, window_ms, algorithm: Algorithm::Gcra, is_strict: true }
            .checked()
    }

    /// `limit` units (1 to 4,194,303) in a window that begins with the first one.
    ///
    /// Fails with `ERR_OUT_OF_RANGE`, naming the option that is outside its limits.
    pub fn fixed_window(limit: u32, window_ms: u64) -> Result<Self> {
        nanos(window_ms)?;
        let burst = NonZeroU32::new(limit).filter(|limit| limit.get() <= MAX_FIXED_UNITS);
        let burst = burst.ok_or_else(|| {
            let range = format!("limit must be from 1 to {MAX_FIXED_UNITS} in a fixed window");
            Error::new(Code::OutOfRange, range)
        })?;
        let algorithm = Algorithm::FixedWindow;
        Ok(Self { limit, burst, interval_ns: 1, window_ms, algorithm, is_strict: false })
    }

    fn checked(self) -> Result<Self> {
        match self.interval_ns.checked_mul(u64::from(self.burst.get())) {
            Some(capacity) if capacity < CAPACITY_END_NS => Ok(self),
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

    /// The window, in milliseconds.
    pub fn window_ms(&self) -> u64 {
        self.window_ms
    }

    /// How units come back.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether the limit holds in every window.
    pub fn is_strict(&self) -> bool {
        self.is_strict
    }

    /// The debt of one unit, at least 1: T in nanoseconds, or 1 in a fixed window.
    pub fn interval(&self) -> u64 {
        self.interval_ns
    }

    /// burst × T: the debt of a key that has used everything, below 2^62.
    pub fn capacity(&self) -> u64 {
        self.weight(self.burst.get())
    }

    /// The largest debt that a penalty can cause: one window beyond the capacity. A fixed window
    /// ends with everything in it, so there it is the capacity.
    pub fn max_debt(&self) -> u64 {
        self.capacity() + self.max_penalty()
    }

    /// The debt that `cost` units add; exact for every cost up to the burst.
    pub fn weight(&self, cost: u32) -> u64 {
        self.interval_ns.saturating_mul(u64::from(cost))
    }

    /// A debt under this quota, where `other` takes its place: at most the burst of that, and of a
    /// penalty at most a window.
    pub(super) fn carried_over(&self, debt: u64, other: &Self) -> u64 {
        let penalty = debt.saturating_sub(self.capacity()).min(other.max_penalty());
        debt.min(other.capacity()) + penalty
    }

    fn max_penalty(&self) -> u64 {
        match self.algorithm {
            Algorithm::Gcra => self.window_ms * 1_000_000,
            Algorithm::FixedWindow => 0,
        }
    }

    /// Checks that a cost is at most the burst (otherwise `ERR_LIMIT_COST`).
    pub(super) fn check_cost(&self, cost: NonZeroU32) -> Result<()> {
        if cost > self.burst { Err(self.cost_above_burst(cost)) } else { Ok(()) }
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

fn nanos(window_ms: u64) -> Result<u64> {
    if (1..=MAX_WINDOW_MS).contains(&window_ms) {
        return Ok(window_ms * 1_000_000);
    }
    Err(Error::new(
        Code::OutOfRange,
        format!("windowMs must be from 1 to {MAX_WINDOW_MS} (366 days)"),
    ))
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
        assert_eq!(Quota::new(3, 1000, None).unwrap().interval(), 333_333_333);
        assert_eq!(Quota::new(MAX_UNITS, 1, None).unwrap().interval(), 1);
        assert_eq!(Quota::new(MAX_UNITS, 1500, None).unwrap().interval(), 1);
    }

    #[test]
    fn capacity_ends_below_two_to_the_62nd() {
        let interval = Quota::new(1, MAX_WINDOW_MS, None).unwrap().interval();
        let most = u32::try_from((CAPACITY_END_NS - 1) / interval).unwrap();
        assert!(Quota::new(1, MAX_WINDOW_MS, Some(most)).unwrap().capacity() < CAPACITY_END_NS);
        assert_eq!(refused(1, MAX_WINDOW_MS, Some(most + 1)), "burst");
    }

    #[test]
    fn a_cost_is_at_most_the_burst() {
        let quota = Quota::new(10, 1000, Some(5)).unwrap();
        let check = |cost| quota.check_cost(NonZeroU32::new(cost).unwrap());
        assert!(check(5).is_ok());
        assert_eq!(check(6).unwrap_err().code, Code::LimitCost);
        assert_eq!(check(u32::MAX).unwrap_err().code, Code::LimitCost);
    }

    #[test]
    fn a_strict_quota_never_admits_more_than_its_limit_in_a_window() {
        for (limit, window_ms, burst) in
            [(1, 1000, None), (2, 1000, None), (10, 1000, None), (7, 999, Some(7)), (9, 7, Some(2))]
        {
            let quota = Quota::strict(limit, window_ms, burst).unwrap();
            // A closed window holds one unit more than an open one.
            let later = window_ms * 1_000_000 / quota.interval();
            assert!(u64::from(quota.burst()) + later <= u64::from(limit), "{quota:?}");
        }
        assert_eq!(Quota::strict(10, 1000, None).unwrap().burst(), 5);
        assert_eq!(Quota::strict(10, 1000, Some(11)).unwrap_err().code, Code::OutOfRange);
    }

    #[test]
    fn a_fixed_window_counts_to_at_most_two_to_the_22nd() {
        assert!(Quota::fixed_window(MAX_FIXED_UNITS, 1).is_ok());
        for (limit, window_ms) in [(0, 1), (MAX_FIXED_UNITS + 1, 1), (1, 0)] {
            let refused = Quota::fixed_window(limit, window_ms);
            assert_eq!(refused.unwrap_err().code, Code::OutOfRange);
        }
    }
}
