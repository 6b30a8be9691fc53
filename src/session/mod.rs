//! Sessions: pairs of a short-lived access token and a rotating refresh token (RFC 9700 section
//! 4.14.2), with reuse detection.
//!
//! A refresh token is `version ‖ session id ‖ generation ‖ variant ‖ secret ‖ HMAC-SHA256` of these
//! fields. No token is stored: the row of a session has the place of the current token and the
//! SHA-256 of the secret, 16 random bytes that all its tokens have in common. The tag, under a key
//! in secret memory, proves that we made a token. So an old token can be told from a forgery, and
//! only an old token ends the session; knowing a session's id is not enough to end it. The key
//! alone makes no token, because it does not know the secret, and neither do the rows.
//!
//! - `family` judges tokens and makes the next row; it knows neither tables nor stores.
//! - `table` has the rows, in memory. On a store it is the read path: `shared` keeps it up to date,
//!   and each change is a compare-and-swap in the store first (`attempt`), in one transaction with
//!   the revocations that belong to it.
//! - `start`, `refresh` and `ending` are the calls of `sessions`.
//! - `remote` is for sessions on a server that judges tokens itself: it has the keys.

mod attempt;
mod change;
mod ending;
mod ends;
mod family;
#[cfg(any(test, feature = "fuzz"))]
#[allow(clippy::expect_used, reason = "a failed expectation is a finding")]
pub(crate) mod fuzz;
mod limits;
mod log;
mod refresh;
mod refresh_token;
mod remote;
mod sessions;
mod shared;
mod start;
mod stored;
mod stored_row;
mod table;

pub use self::attempt::{Attempt, Writing};
pub use self::change::{Change, MAX_META};
pub use self::ending::EndAll;

pub use self::limits::{OnLimit, SessionLimits};
pub use self::refresh::{Ended, Refreshed};
pub use self::remote::{
    CurrentRow, Presented, RemotePair, RemoteSessions, RemoteStart, SubjectTag, Text, place_of,
};
pub use self::sessions::{SessionInfo, Sessions, TokenPair};
pub use self::start::Started;
pub use self::stored::StoredSessions;

#[cfg(test)]
mod tests;
