//! The proofs that have been used, in a table of bounded size.
//!
//! The table lies in memory of the process, or in a file that every process of the machine maps.
//! Nothing is locked, so that a process may be killed or stopped at any point; see [`table`] for
//! the steps.

mod cache;
mod header;
mod open;
mod size;
mod table;
mod words;

#[cfg(test)]
mod tests;

pub use self::cache::ReplayCache;
pub use self::size::{DEFAULT_ENTRIES, MAX_ENTRIES, MIN_ENTRIES};
