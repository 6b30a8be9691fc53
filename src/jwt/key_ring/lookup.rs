//! Finds the key of a ring that signs, and the key that a token names.

use std::sync::Arc;

use super::ring::{Home, KeyRing};
use super::state::KeyState;
use crate::error::Result;
use crate::jwt::algorithm::Algorithm;
use crate::jwt::key::key::Key;
use crate::jwt::key_lookup;
use crate::jwt::token::rejection::Rejection;

impl KeyRing {
    /// The key that signs; `ERR_KEYRING_NO_ACTIVE_KEY` if there is none.
    pub fn signing_key(&self) -> Result<Arc<Key>> {
        let book = self.read();
        if let Home::Server(server) = &self.home {
            server.check_life(&book, self.now())?;
        }
        let active = book.only(KeyState::Active).and_then(|entry| entry.signing.clone());
        active.ok_or_else(|| self.cannot_sign())
    }

    /// The key that a token names, and until when, in seconds since 1970, it may be used. A
    /// token without `kid` is accepted only when exactly one key has its algorithm. A token that
    /// names a revoked key is refused as revoked.
    pub fn find(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> std::result::Result<(Arc<Key>, u64), Rejection> {
        // A clock that is ahead refuses a retired key for the moment, as it refuses an `exp`.
        let now = self.now().max(self.clock.unix_seconds());
        self.catch_up(now).map_err(|_| Rejection::KeyringStore)?;
        let book = self.read();
        let is_revoked = |kid| {
            let mut named = book.entries().iter().filter(|entry| entry.info.kid == kid);
            named.any(|entry| entry.info.state == KeyState::Revoked)
        };
        if kid.is_some_and(is_revoked) {
            return Err(Rejection::KeyRevoked);
        }
        let usable = book.entries().iter();
        let usable =
            usable.filter_map(|entry| Some((entry.verifying.as_ref()?, book.usable(entry, now)?)));
        key_lookup::find(usable, kid, algorithm)
    }
}
