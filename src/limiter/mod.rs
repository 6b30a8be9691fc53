//! Rate limits for keys that an attacker may choose.
//!
//! The generic cell rate algorithm (GCRA) stores one number per key and limit: the time at which
//! the key has fully recovered. It is a token bucket without a counter to refill. A [`Limiter`] has
//! one or more [`Limit`]s over a table of bounded size. It uses the monotonic clock, so changes of
//! the system time have no effect.

mod arguments;
mod buckets;
mod calls;
mod either;
mod fingerprint;
#[cfg(any(test, feature = "fuzz"))]
#[allow(clippy::expect_used, reason = "a failed expectation is a finding")]
pub(crate) mod fuzz;
mod layout;
mod limit;
mod machine;
mod on_full;
mod process;
mod quota;
mod report;
mod room;
mod slots;
mod snapshot;
mod state;
mod table;
mod view;
mod whole;

pub use self::either::AnyLimiter;
pub use self::limit::{DEFAULT_NAME, Limit, Limits, MAX_LIMITS, MAX_NAME_LEN, checked, quotas};
pub use self::machine::{MachineLimiter, MachineOptions};
pub use self::on_full::OnFull;
pub use self::process::Limiter;
pub use self::quota::{Algorithm, MAX_FIXED_UNITS, MAX_UNITS, MAX_WINDOW_MS, Quota};
pub use self::report::{Decision, Report, Stats, Terms};
pub use self::snapshot::MAX_SNAPSHOT_LEN;
pub use self::table::{DEFAULT_MAX_KEYS, MAX_MAX_KEYS, MIN_MAX_KEYS};

#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod snapshot_tests;
#[cfg(test)]
mod spray_tests;
#[cfg(test)]
mod tests;
