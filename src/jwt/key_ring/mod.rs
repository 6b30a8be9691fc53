//! Key rings: which key signs, which keys verify, and which are published.
//!
//! A `ring` has a `book`: the `entries` in their `state`s, and the ids that are `spent`. A `change`
//! alters the book in memory, or replaces the `record` of the ring in its store; then the other
//! processes `follow`. `rotation` makes the changes that are due.

mod book;
mod change;
mod difference;
mod entries;
mod entry;
mod follow;
#[cfg(any(test, feature = "fuzz"))]
#[allow(clippy::expect_used, reason = "a failed expectation is a finding")]
pub(super) mod fuzz;
pub(super) mod jwks;
mod lookup;
pub(super) mod options;
pub(super) mod pending;
mod plain;
mod record;
pub(super) mod ring;
mod rotation;
pub(super) mod sealed;
mod spent;
pub(super) mod state;
pub(super) mod stored;
#[cfg(test)]
mod tests;
