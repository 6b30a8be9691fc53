//! The public keys of a ring as a JWK Set (RFC 7517 section 5).

use std::fmt::Write as _;

use aws_lc_rs::digest;

use super::ring::KeyRing;
use super::state::KeyState;
use crate::error::Result;
use crate::jwt::token::base64url;

/// A JWK Set (RFC 7517 section 5) and how to serve it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwks {
    /// The JSON.
    pub body: String,
    /// A strong entity tag (RFC 9110 section 8.8.3), quotes included.
    pub etag: String,
    /// For `Cache-Control: max-age`, in seconds.
    pub max_age: u64,
}

impl KeyRing {
    /// The public keys that verification accepts right now. HMAC keys are never among them.
    pub fn jwks(&self) -> Result<Jwks> {
        let now = self.now();
        self.catch_up(now)?;
        let mut body = String::from("{\"keys\":[");
        let book = self.read();
        // Publishing a next key does not make cached sets invalid: the key signs only when all sets
        // without it have expired. A ring with neither an active nor a next key is different: its
        // first key signs at once, so its set must not be cached.
        let has_any = [KeyState::Active, KeyState::Next].map(|state| book.only(state).is_some());
        let mut max_age = if has_any.contains(&true) { book.options().jwks_max_age } else { 0 };
        for entry in book.entries() {
            let Some(until) = book.usable(entry, now) else { continue };
            let jwk = entry.verifying.as_ref().and_then(|key| key.public_jwk());
            let Some(jwk) = jwk else { continue };
            if !body.ends_with('[') {
                body.push(',');
            }
            body.push_str(&jwk);
            max_age = max_age.min(until.saturating_sub(now));
        }
        body.push_str("]}");
        let digest = digest::digest(&digest::SHA256, body.as_bytes());
        let mut etag = String::new();
        let _ = write!(etag, "\"{}\"", base64url::encode(&digest.as_ref()[..16]));
        Ok(Jwks { body, etag, max_age })
    }
}
