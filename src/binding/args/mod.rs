//! Checks the arguments of every native function.
//!
//! napi-rs converts values silently: -1 becomes 4294967295, NaN becomes 0, a lone surrogate becomes
//! U+FFFD, a view of shared memory becomes a slice. This module never converts. If a value does not
//! have the required type and range, the caller gets an error that names the argument.

mod arg;
mod bytes;
mod declare;
pub(super) mod facade;
pub(super) mod fault;
pub(super) mod handle;
pub(super) mod held;
pub(super) mod option_set;
mod options;
pub(super) mod out;
mod production;
pub(super) mod scalars;
mod text;

pub(super) use arg::Arg;
pub(crate) use declare::options;
pub(super) use fault::{Fault, Outcome, Result, internal};
pub(super) use option_set::{Declaration, OptionSet};
pub(super) use options::Options;
