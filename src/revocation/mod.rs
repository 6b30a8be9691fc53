//! The revocation list: ids, sessions, subjects and keys that are refused before their tokens
//! expire.
//!
//! Exact, in memory, of bounded size. Ids are held as keyed 128-bit fingerprints (SipHash-1-3 of
//! 64 bits under two random keys), so that an entry costs the same whatever its id's length, and
//! nobody without the keys can make two ids collide (with a million entries, the chance that any
//! two do by accident is below 10⁻²⁶). Nearly every question is of a token that is not revoked: a
//! small filter answers it by half a fingerprint, and the tables are looked at when it says
//! perhaps.

mod expiry;
mod filter;
mod list;
mod table;
mod terms;

pub use self::list::RevocationList;
pub use self::terms::{ListLimits, MAX_CLOCK_TOLERANCE, OnFull, Query, Scope, Stats};
