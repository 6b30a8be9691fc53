//! The options of limiters.

use std::ops::RangeInclusive;

use crate::binding::args::{Arg, Fault, Result, options};
use crate::binding::clock::ClockOptions;
use crate::error::Code;
use crate::limiter::{
    Algorithm, DEFAULT_MAX_KEYS, DEFAULT_NAME, Limit, Limits, MAX_MAX_KEYS, MAX_NAME_LEN,
    MAX_UNITS, MAX_WINDOW_MS, MIN_MAX_KEYS, OnFull, Quota, checked,
};

/// The bounds of `maxKeys`.
const MAX_KEYS: RangeInclusive<usize> = MIN_MAX_KEYS..=MAX_MAX_KEYS;

/// The most elements of `limits` that are read; fewer make limits.
const MAX_ELEMENTS: u32 = 16;

options! {
    /// The options of `RateLimiter` and of `RateLimiter.restore`.
    pub(crate) struct LimiterOptions<'a> for "RateLimiter" {
        /// The limits.
        quotas: QuotaOptions<'a> = flatten(QuotaOptions),
        /// The table.
        table: TableOptions = flatten(TableOptions),
        /// The clock.
        clock: ClockOptions = flatten(ClockOptions),
    }
}

options! {
    /// The options of `RateLimiter.shared`.
    pub(crate) struct SharedLimiterOptions<'a> for "RateLimiter.shared" {
        /// The limits.
        quotas: QuotaOptions<'a> = flatten(QuotaOptions),
        /// The table.
        table: TableOptions = flatten(TableOptions),
    }
}

options! {
    /// The options of `RateLimiter.machine`.
    pub(crate) struct MachineLimiterOptions<'a> for "RateLimiter.machine" {
        /// The limits.
        quotas: QuotaOptions<'a> = flatten(QuotaOptions),
        /// The table.
        table: TableOptions = flatten(TableOptions),
    }
}

options! {
    /// The options of `RateLimiter.prototype.setLimits`.
    pub(crate) struct ChangedLimits<'a> for "RateLimiter.prototype.setLimits" {
        /// The limits.
        quotas: QuotaOptions<'a> = flatten(QuotaOptions),
    }
}

options! {
    /// One limit, or several.
    pub(crate) struct QuotaOptions<'a> {
        /// The limit without a name.
        limit: BareLimit = flatten(BareLimit),
        /// Limits with names.
        limits("limits"): Option<Vec<Arg<'a>>> = optional(|limits| limits.array(MAX_ELEMENTS)),
        /// Whether the limits hold in every window.
        strict("strict"): bool = default(false, |strict| strict.boolean()),
    }
}

options! {
    /// The numbers of a limit.
    pub(crate) struct BareLimit {
        /// How many units a window allows.
        limit("limit"): Option<u32> = optional(|limit| limit.integer32(1..=MAX_UNITS)),
        /// The length of a window, in milliseconds.
        window_ms("windowMs"): Option<u64> = optional(|window| window.integer(1..=MAX_WINDOW_MS)),
        /// How many units may be taken at once, `limit` unless given.
        burst("burst"): Option<u32> = optional(|burst| burst.integer32(1..=MAX_UNITS)),
    }
}

options! {
    /// An element of `limits`.
    pub(crate) struct NamedLimit for "RateLimiter.limits" {
        /// The name.
        name("name"): Option<String> = optional(|name| name.string(1..=MAX_NAME_LEN)),
        /// The numbers.
        limit: BareLimit = flatten(BareLimit),
    }
}

options! {
    /// The options of a table.
    pub(crate) struct TableOptions {
        /// How many keys fit.
        max_keys("maxKeys"): Option<usize> = optional(|max| max.length(MAX_KEYS)),
        /// The treatment of newcomers while the table is full.
        on_full("onFull"): Option<OnFull> = optional(on_full),
        /// How units come back.
        algorithm("algorithm"): Option<Algorithm> = optional(algorithm),
    }
}

impl TableOptions {
    /// The number of keys, and what happens if there are more.
    pub(crate) fn size(&self) -> (usize, OnFull) {
        (self.max_keys.unwrap_or(DEFAULT_MAX_KEYS), self.on_full.unwrap_or(OnFull::Evict))
    }

    /// The algorithm.
    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm.unwrap_or(Algorithm::Gcra)
    }
}

impl QuotaOptions<'_> {
    /// Whether no limit is given, and nothing about one.
    pub(crate) fn is_empty(&self) -> bool {
        self.limits.is_none() && self.limit.is_empty() && !self.strict
    }

    /// The limits.
    pub(crate) fn limits(&self, algorithm: Algorithm) -> Result<Limits> {
        let quota = |limit: &BareLimit| limit.quota(algorithm, self.strict);
        let Some(given) = &self.limits else {
            return Ok(Limit::only(quota(&self.limit)?)?);
        };
        if !self.limit.is_empty() {
            return Err(Fault::new(
                Code::InvalidArgValue,
                "limits and limit, windowMs or burst exclude each other: pass limits only",
            ));
        }
        let limits = given.iter().map(|element| {
            let NamedLimit { name, limit } = element.read()?;
            Ok(Limit::new(name.as_deref().unwrap_or(DEFAULT_NAME), quota(&limit)?)?)
        });
        Ok(checked(limits.collect::<Result<_>>()?)?)
    }
}

impl BareLimit {
    fn is_empty(&self) -> bool {
        self.limit.is_none() && self.window_ms.is_none() && self.burst.is_none()
    }

    fn quota(&self, algorithm: Algorithm, is_strict: bool) -> Result<Quota> {
        let missing =
            |name| Fault::new(Code::MissingOption, format!("the option \"{name}\" is required"));
        let limit = self.limit.ok_or_else(|| missing("limit"))?;
        let window_ms = self.window_ms.ok_or_else(|| missing("windowMs"))?;
        Ok(match (algorithm, is_strict, self.burst) {
            (Algorithm::Gcra, false, burst) => Quota::new(limit, window_ms, burst)?,
            (Algorithm::Gcra, true, burst) => Quota::strict(limit, window_ms, burst)?,
            (Algorithm::FixedWindow, false, None) => Quota::fixed_window(limit, window_ms)?,
            (Algorithm::FixedWindow, ..) => {
                return Err(Fault::new(
                    Code::InvalidArgValue,
                    "burst and strict do not go with the algorithm 'fixed-window': leave them out",
                ));
            }
        })
    }
}

fn on_full(word: Arg<'_>) -> Result<OnFull> {
    word.one_of(&[("evict", OnFull::Evict), ("deny", OnFull::Deny), ("allow", OnFull::Allow)])
}

fn algorithm(word: Arg<'_>) -> Result<Algorithm> {
    word.one_of(&[("gcra", Algorithm::Gcra), ("fixed-window", Algorithm::FixedWindow)])
}
