//! A limiter whose table lies in a file that every process of the machine maps.
//!
//! The layout is that of a shard ([`super::layout`]), behind a header. Nothing is ever locked for a
//! call on a key: each step is one compare-and-swap of one word, so a process may be killed or
//! stopped between any two, and the others go on. See [`owner`] for the steps.

mod block;
mod calls;
mod change;
mod charge;
mod fault;
mod file;
#[cfg(any(test, feature = "fuzz"))]
#[allow(clippy::expect_used, reason = "a failed expectation is a finding")]
pub(super) mod fuzz;
mod header;
mod insert;
mod limiter;
mod limits;
mod locate;
mod open;
mod owner;
mod seen;
mod table;
mod whole;

#[cfg(unix)]
#[cfg(test)]
mod file_tests;
#[cfg(test)]
mod step_tests;
#[cfg(test)]
mod tests;

pub use self::limiter::MachineLimiter;
pub use self::open::MachineOptions;
