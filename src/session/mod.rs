//! Sessions: pairs of a short-lived access token and a rotating refresh token (RFC 9700 section
//! 4.14.2), with reuse detection.
//!
//! A refresh token is `version ‖ session id ‖ generation ‖ HMAC-SHA256` of these fields. No token
//! is stored: the table holds each session's generation, and the tag, under a key in secret memory,
//! proves that we made a token. So an old generation can be told from a forgery, and only an old
//! generation ends the session. Knowing a session's id is not enough to end it.

mod ends;
mod families;
mod limits;
mod refresh_token;

use std::sync::Arc;

use uuid::Uuid;

use self::families::{FamilyTable, Presented};
use self::refresh_token::Codec;
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::jwt::json::scan_object;
use crate::jwt::{Issuer, Overrides};
use crate::revocation::{RevocationList, Scope};

pub use self::families::SessionInfo;
pub use self::limits::SessionLimits;

/// The tokens for a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenPair {
    /// The JWT.
    pub access_token: String,
    /// The access token's lifetime, in seconds.
    pub expires_in: u64,
    /// The next refresh token: 71 characters.
    pub refresh_token: String,
    /// When the refresh token expires, in milliseconds since 1970.
    pub refresh_expires_at: u64,
    /// The session's id, the access token's `sid`.
    pub session: Uuid,
}

/// The outcome of a refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// A new pair; the presented token is used up.
    Rotated(TokenPair),
    /// The token was rotated moments ago: the same successor again.
    Replayed(TokenPair),
    /// The token was used up long ago, so there is a copy of it. The session has been ended.
    Reuse(Ended),
    /// The session has expired.
    Expired(Ended),
    /// The token belongs to no known session.
    Unknown,
}

/// A session that has ended, so that the caller can react.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The session's id.
    pub session: Uuid,
    /// The session's subject.
    pub subject: Arc<str>,
}

/// All sessions of one issuer.
pub struct Sessions {
    issuer: Arc<Issuer>,
    revocations: Arc<RevocationList>,
    clock: Arc<dyn Clock>,
    codec: Codec,
    families: FamilyTable,
}

impl Sessions {
    /// An empty table with its own key, so it does not know the refresh tokens of another table.
    pub fn new(
        options: SessionLimits,
        issuer: Arc<Issuer>,
        revocations: Arc<RevocationList>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        if issuer.expires_in() > revocations.max_token_ttl() {
            return Err(Error::new(
                Code::OutOfRange,
                "the issuer's expiresIn must not exceed the revocation list's maxTokenTtl; raise \
                 maxTokenTtl, or verifiers refuse every token",
            ));
        }
        if !issuer.sets_ids() {
            return Err(Error::new(
                Code::InvalidArgValue,
                "the issuer of sessions must set jti: without ids verifiers with a revocation list \
                 refuse every token; leave out jti: false",
            ));
        }
        Ok(Self {
            issuer,
            revocations,
            clock,
            codec: Codec::new()?,
            families: FamilyTable::new(options),
        })
    }

    /// Starts a session. `claims` is a JSON object as text that every access token of the session
    /// carries, without `sub` and `sid`.
    pub fn start(&self, subject: &str, claims: &str) -> Result<TokenPair> {
        check_claims(claims)?;
        let id = crate::id::uuid_v7(self.clock.unix_millis())?;
        // Signed before it is stored, so that claims that cannot be signed leave no session behind.
        let pair = self.pair(id, 0, subject, claims)?;
        let ends_at = self.families.insert(id, subject, claims, self.clock.unix_millis())?;
        Ok(TokenPair { refresh_expires_at: ends_at, ..pair })
    }

    /// Exchanges a refresh token for the next pair.
    ///
    /// A call that fails uses up nothing: the pair is signed before the session rotates, and a
    /// session to be ended stays until its access tokens have been revoked.
    pub fn refresh(&self, token: &str) -> Result<Refreshed> {
        let Some((id, generation)) = self.codec.decode(token) else {
            return Ok(Refreshed::Unknown);
        };
        let Some(successor) = generation.checked_add(1) else { return Ok(Refreshed::Unknown) };
        loop {
            let now = self.clock.unix_millis();
            match self.families.present(id, generation, now, self.access_life_ms()) {
                Presented::Current { subject, claims } => {
                    let pair = self.pair(id, successor, &subject, &claims)?;
                    if let Some(ends_at) = self.families.rotate(id, generation, now) {
                        let pair = TokenPair { refresh_expires_at: ends_at, ..pair };
                        return Ok(Refreshed::Rotated(pair));
                    }
                    // Another call rotated the session first: present the token again.
                }
                Presented::JustRotated { subject, claims, ends_at } => {
                    let pair = self.pair(id, successor, &subject, &claims)?;
                    return Ok(Refreshed::Replayed(TokenPair {
                        refresh_expires_at: ends_at,
                        ..pair
                    }));
                }
                Presented::Ending => {
                    self.end(id)?;
                    return Ok(Refreshed::Unknown);
                }
                Presented::Reused { subject } => {
                    self.end(id)?;
                    return Ok(Refreshed::Reuse(Ended { session: id, subject }));
                }
                Presented::Expired { subject } => {
                    self.end(id)?;
                    return Ok(Refreshed::Expired(Ended { session: id, subject }));
                }
                Presented::Unknown => return Ok(Refreshed::Unknown),
            }
        }
    }

    /// Ends a session: revokes its access tokens, and from now on its refresh token is unknown. For
    /// an unknown session, the access tokens are revoked too. If they cannot be revoked, the
    /// session no longer refreshes, and the caller can try to end it again.
    pub fn end(&self, session: Uuid) -> Result<()> {
        self.families.begin_end(session, self.clock.unix_millis(), self.access_life_ms());
        let last_expiry = self.clock.unix_seconds().saturating_add(self.issuer.expires_in());
        let mut buffer = Uuid::encode_buffer();
        let sid = session.hyphenated().encode_lower(&mut buffer);
        self.revocations.revoke_ended_session(sid, last_expiry)?;
        self.families.remove(session);
        Ok(())
    }

    /// Ends the session of a refresh token that this table made, even of one that is used up.
    /// Returns its id; `None` if there was no such session.
    pub fn end_by_refresh_token(&self, token: &str) -> Result<Option<Uuid>> {
        let known = self.codec.decode(token).map(|(session, _)| session);
        let known = known.filter(|session| self.families.contains(*session));
        if let Some(session) = known {
            self.end(session)?;
        }
        Ok(known)
    }

    /// Ends every session of a subject, and refuses every access token of the subject that was
    /// issued before the current second. A token issued within this second belongs to a known
    /// session, or to a session started just after this call, which must not be refused.
    pub fn end_all(&self, subject: &str) -> Result<()> {
        let before = self.clock.unix_seconds().saturating_sub(1);
        let older = self.revocations.revoke_subject(subject, before, Scope::Any);
        // Ends all sessions, even if one of them fails.
        let sessions = self.families.of(subject).into_iter().map(|session| self.end(session));
        sessions.collect::<Vec<_>>().into_iter().fold(older, Result::and)
    }

    /// The sessions of a subject that have not ended, oldest first.
    pub fn list(&self, subject: &str) -> Vec<SessionInfo> {
        self.families.list(subject, self.clock.unix_millis())
    }

    fn access_life_ms(&self) -> u64 {
        self.issuer.expires_in().saturating_mul(1000)
    }

    /// Signs a pair, whose refresh token's expiry the caller then sets.
    fn pair(
        &self,
        session: Uuid,
        generation: u32,
        subject: &str,
        claims: &str,
    ) -> Result<TokenPair> {
        let mut buffer = Uuid::encode_buffer();
        let sid = session.hyphenated().encode_lower(&mut buffer);
        let overrides =
            Overrides { subject: Some(subject), session: Some(sid), ..Overrides::default() };
        let (mut payload, mut token) = (Vec::new(), Vec::new());
        self.issuer.sign_into(claims, &overrides, &mut payload, &mut token)?;
        Ok(TokenPair {
            access_token: token.into_iter().map(char::from).collect(),
            expires_in: self.issuer.expires_in(),
            refresh_token: self.codec.encode(session, generation),
            refresh_expires_at: 0,
            session,
        })
    }
}

/// Refuses claims that are not a plain object or that contain a name that a session sets itself.
fn check_claims(claims: &str) -> Result<()> {
    let mut taken = false;
    scan_object(claims, |name, _| taken |= name.is("sub") || name.is("sid")).ok_or_else(|| {
        Error::new(Code::JwtClaim, "claims must be a plain object of JSON values")
    })?;
    if taken {
        return Err(Error::new(
            Code::JwtClaim,
            "a session sets \"sub\" and \"sid\" itself; leave them out of the claims",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
