//! Decides whether a call is allowed, with governor's arithmetic.
//!
//! governor reads its clock before it knows the key, finds the state of the key in a store, and
//! writes the new state there if it allows the call. Several limits have to be decided together, so
//! the states are staged: a key of governor carries the debt that it has, and gets the debt that it
//! would have ([`Staged`]). The caller commits the new states of all limits, or none.
//!
//! In governor's view every call happens at time 0, and a state is a debt: nanoseconds until the
//! key has fully recovered, or a count of units in a fixed window. A cost of n is allowed if
//! debt + n × T ≤ burst × T, and the sum becomes the new debt.

use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::num::NonZeroU32;
use std::sync::Arc;

use governor::RateLimiter;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;

use super::quota::Quota;
use super::state::Moment;
use crate::error::{Code, Error, Result};

/// The most limits that are decided together.
pub const MAX_LIMITS: usize = 4;

/// The name of a limit that has none.
pub const DEFAULT_NAME: &str = "default";

/// The longest name of a limit.
pub const MAX_NAME_LEN: usize = 64;

/// The limits of a limiter, with the same algorithm.
pub type Limits = Arc<[Limit]>;

/// A quota with a name.
pub struct Limit {
    name: String,
    quota: Quota,
    governor: RateLimiter<Staged, Stage, Here, NoOpMiddleware<Nanos>>,
}

impl Limit {
    /// A quota with a name of 1 to 64 printable ASCII characters without `"` and `\`, which can
    /// stand in a `RateLimit` header. Fails with `ERR_INVALID_ARG_VALUE` for other names.
    pub fn new(name: &str, quota: Quota) -> Result<Self> {
        let is_plain = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\';
        if !(1..=MAX_NAME_LEN).contains(&name.len()) || !name.bytes().all(is_plain) {
            return Err(Error::new(
                Code::InvalidArgValue,
                format!(
                    "the name of a limit must have 1 to {MAX_NAME_LEN} printable ASCII \
                     characters, without \" and \\"
                ),
            ));
        }
        let governor = RateLimiter::new(quota.to_governor(), Stage, Here);
        Ok(Self { name: name.to_owned(), quota, governor })
    }

    /// The only limit of a limiter.
    pub fn only(quota: Quota) -> Result<Limits> {
        Ok(Arc::new([Self::new(DEFAULT_NAME, quota)?]))
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The quota.
    pub fn quota(&self) -> &Quota {
        &self.quota
    }

    /// The word of a key after a call of this cost, or none if the call is refused. The cost is at
    /// most the burst.
    #[expect(clippy::inline_always, reason = "the words then stay in registers")]
    #[inline(always)]
    pub(super) fn take(&self, word: u64, cost: NonZeroU32, now: Moment) -> Result<Option<u64>> {
        let staged = Staged { debt: Cell::new(self.quota.debt(word, now)) };
        match self.governor.check_key_n(&staged, cost) {
            Ok(Ok(())) => Ok(Some(self.quota.word(staged.debt.get(), word, now))),
            Ok(Err(_)) => Ok(None),
            // The cost was checked; if it ever is not, the error is the same.
            Err(_) => Err(self.quota.cost_above_burst(cost)),
        }
    }

    /// Whether a key with this word has to wait for its next unit.
    pub(super) fn blocks(&self, word: u64, now: Moment) -> bool {
        self.quota.wait_ns(word, 1, now) > 0
    }
}

/// The names and numbers of limits.
pub fn quotas(limits: &Limits) -> Vec<(String, Quota)> {
    limits.iter().map(|limit| (limit.name.clone(), limit.quota)).collect()
}

/// Checks that limits can be decided together: 1 to 4 of them, with different names and the same
/// algorithm. Fails with `ERR_OUT_OF_RANGE` or `ERR_INVALID_ARG_VALUE`.
pub fn checked(limits: Vec<Limit>) -> Result<Limits> {
    if !(1..=MAX_LIMITS).contains(&limits.len()) {
        let message = format!("limits must be an array of 1 to {MAX_LIMITS} limits");
        return Err(Error::new(Code::OutOfRange, message));
    }
    let invalid = |message: &'static str| Err(Error::new(Code::InvalidArgValue, message));
    for (index, limit) in limits.iter().enumerate() {
        if limits[..index].iter().any(|other| other.name == limit.name) {
            return invalid("limits must have different names: name each of them");
        }
        if limit.quota.algorithm() != limits[0].quota.algorithm() {
            return invalid("limits must have the same algorithm");
        }
    }
    Ok(limits.into())
}

/// A key, as governor sees it: the debt before a decision, and after one that allows the call.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Staged {
    debt: Cell<u64>,
}

// governor requires `Hash` of every key for its own maps. It cannot be derived, because `Cell`
// lacks it.
impl Hash for Staged {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.debt.get().hash(state);
    }
}

/// governor's store: a key has its state with it.
struct Stage;

impl StateStore for Stage {
    type Key = Staged;

    fn measure_and_replace<T, F, E>(&self, key: &Staged, decide: F) -> std::result::Result<T, E>
    where
        F: Fn(Option<Nanos>) -> std::result::Result<(T, Nanos), E>,
    {
        let (outcome, after) = decide(Some(key.debt.get().into()))?;
        key.debt.set(after.as_u64());
        Ok(outcome)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Result<Limit> {
        Limit::new(name, Quota::new(1, 1000, None)?)
    }

    #[test]
    fn a_name_fits_a_header() {
        assert!(named("per minute").is_ok() && named(&"x".repeat(64)).is_ok());
        for name in ["", "a\"b", "a\\b", "a\nb", "\u{e9}", &"x".repeat(65)] {
            assert_eq!(named(name).err().unwrap().code, Code::InvalidArgValue, "{name}");
        }
    }

    #[test]
    fn limits_that_cannot_be_told_apart_or_mixed_are_refused() {
        let window = || Limit::new("b", Quota::fixed_window(1, 1000).unwrap()).unwrap();
        let five = ["a", "b", "c", "d", "e"].map(|name| named(name).unwrap());
        for (limits, code) in [
            (Vec::new(), Code::OutOfRange),
            (Vec::from(five), Code::OutOfRange),
            (vec![named("a").unwrap(), named("a").unwrap()], Code::InvalidArgValue),
            (vec![named("a").unwrap(), window()], Code::InvalidArgValue),
        ] {
            assert_eq!(checked(limits).err().unwrap().code, code);
        }
        assert_eq!(checked(vec![named("a").unwrap(), named("b").unwrap()]).unwrap().len(), 2);
    }
}
