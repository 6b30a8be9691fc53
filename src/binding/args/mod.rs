//! The one checker of arguments.
//!
//! napi-rs converts: -1 becomes 4294967295, NaN becomes 0, a lone surrogate becomes U+FFFD, a
//! view of shared memory becomes a slice. Nothing here converts. A value is what it must be, or
//! the caller gets an error that names the argument.

mod arg;
mod bytes;
mod declare;
pub mod facade;
pub mod fault;
pub mod handle;
pub mod option_set;
mod options;
pub mod out;
mod production;
pub mod scalars;
mod text;

pub use arg::Arg;
pub(crate) use declare::options;
pub use fault::{Fault, Result, internal};
pub use option_set::{Declaration, OptionSet};
pub use options::Options;
