//! The one checker of arguments.
//!
//! napi-rs converts: -1 becomes 4294967295, NaN becomes 0, a lone surrogate becomes U+FFFD, a
//! view of shared memory becomes a slice. Nothing here converts. A value is what it must be, or
//! the caller gets an error that names the argument.

mod arg;
mod bytes;
mod declare;
pub(super) mod facade;
pub(super) mod fault;
pub(super) mod handle;
pub(super) mod option_set;
mod options;
pub(super) mod out;
mod production;
pub(super) mod scalars;
mod text;

pub(super) use arg::Arg;
pub(crate) use declare::options;
pub(super) use fault::{Fault, Result, internal};
pub(super) use option_set::{Declaration, OptionSet};
pub(super) use options::Options;
