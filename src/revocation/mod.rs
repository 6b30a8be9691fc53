//! The revocation list: ids, sessions, subjects and keys that are refused before their tokens
//! expire.
//!
//! The list is exact, in memory and of bounded size. It stores ids as keyed 128-bit fingerprints
//! (SipHash-1-3 of 64 bits under two random keys). So an entry has the same size whatever the
//! length of its id, and an attacker without the keys cannot make two ids collide. With a million
//! entries, the chance that any two collide by accident is below 10⁻²⁶. Nearly all queries are
//! about tokens that are not revoked. A small filter answers them with half a fingerprint; only if
//! it finds a possible match are the tables read.

mod expiry;
mod filter;
mod fingerprint;
mod list;
mod segments;
mod table;
mod terms;

pub use self::list::RevocationList;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) use self::list::fuzz;
pub use self::list::machines::{Attachment, RowBatch};
pub use self::list::remote::{Found, RemoteKeys, RemoteTerms, Wake};
pub use self::list::replayed::StoredList;
pub use self::list::revoke::{Done, Revocation};
pub use self::list::staged::Staged;
pub use self::terms::{
    Field, ListLimits, MAX_CLOCK_TOLERANCE, OnFull, Origin, Query, Revoked, Scope, Stats,
};
