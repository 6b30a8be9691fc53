//! Key rings: which key signs, which keys verify, and which are published.
//!
//! A `ring` has a `book`: the `entries` in their `state`s, and the ids that are `spent`. A `change`
//! alters the book in memory, or replaces the `record` of the ring in its store; then the other
//! processes `follow`. `rotation` makes the changes that are due. On a `server`, which only the
//! façade reaches, a version has a `stamp`, and a process `propose`s the next one; versions that
//! were made apart are `merge`d.

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
mod merge;
pub(super) mod options;
pub(super) mod pending;
mod plain;
pub(super) mod propose;
mod record;
pub(super) mod ring;
mod rotation;
pub(super) mod sealed;
mod server;
mod spent;
pub(super) mod stamp;
pub(super) mod state;
pub(super) mod stored;
#[cfg(test)]
mod tests;
