//! Sessions whose rows are on a server that all machines ask. The server judges a refresh token and
//! changes the row in one step, by a script that lib/redis/session-script.js has; this file makes
//! and reads everything that needs a key: tokens, the tags of subjects, and sealed texts.
//!
//! The id of a session has the tag of its subject in its last 62 bits, and so has each of its
//! refresh tokens. Thus an id or a token alone finds the row in a cluster, in one step, and no
//! index from ids to subjects has to be kept.

mod keys;

use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;
use zeroize::Zeroizing;

use self::keys::Keys;
pub use self::keys::{SubjectTag, Text, place_of};
use super::change::Change;
use super::ending::IssueTimes;
use super::limits::SessionLimits;
use super::refresh_token::{RefreshToken, SecretHash, SessionSecret, Step};
use super::sessions::check;
use crate::clock::{Clock, Moment, ProvenTime};
use crate::error::{Code, Error, Result};
use crate::jwt::{Issuer, MAX_TOKEN_LEN, Overrides};
use crate::revocation::{Revocation, RevocationList, Scope};
use crate::secret::Secret;

/// The most that a subject of 1024 bytes, each of which JSON may write with six, the id of the
/// session and a signature add to a token, in characters.
const MAX_ADDED: usize = (6 * 1024 + 64) * 4 / 3 + 4096;
/// How much later than now an access token may have been issued, in milliseconds: a day. A row that
/// somebody has changed must not fill the list for years.
const MAX_AHEAD_MS: u64 = 86_400_000;

/// Sessions on a server.
pub struct RemoteSessions {
    issuer: Arc<Issuer>,
    revocations: Arc<RevocationList>,
    clock: Arc<dyn Clock>,
    time: Mutex<ProvenTime>,
    limits: SessionLimits,
    keys: Keys,
}

/// The tokens of a session, whose end the server knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemotePair {
    /// The JWT.
    pub access_token: String,
    /// The access token's lifetime, in seconds.
    pub expires_in: u64,
    /// The next refresh token.
    pub refresh_token: String,
    /// The session's id, the access token's `sid`.
    pub session: Uuid,
}

/// A session that is to start: the parts of its row, and its tokens.
pub struct RemoteStart {
    /// The tag of its subject.
    pub tag: SubjectTag,
    /// The hash of its secret.
    pub secret: SecretHash,
    /// When its access token was issued, in milliseconds since 1970.
    pub issued_at: u64,
    /// Its subject, sealed.
    pub subject: Vec<u8>,
    /// Its claims, sealed.
    pub claims: Vec<u8>,
    /// Its meta data, sealed; empty if there are none.
    pub meta: Vec<u8>,
    /// Its tokens.
    pub pair: RemotePair,
}

/// A refresh token that was made with the key, for the server to judge.
pub struct Presented {
    /// The id of its session.
    pub session: Uuid,
    /// The number of exchanges before it.
    pub generation: u32,
    /// The number of tokens of the same generation that it voids.
    pub variant: u32,
    /// The hash of its secret.
    pub secret: SecretHash,
    /// The time of issue of an access token now, in milliseconds since 1970.
    pub issued_at: u64,
    /// New claims, sealed; empty if they stay.
    pub claims: Vec<u8>,
    /// New meta data, sealed; empty if they stay.
    pub meta: Vec<u8>,
    /// Whether the server must only tell the subject.
    pub asks: bool,
}

/// The present row of a session, whose next pair is to be made.
pub struct CurrentRow<'a> {
    /// The generation of the token that works.
    pub generation: u32,
    /// The variant of the token that works.
    pub variant: u32,
    /// The subject, sealed.
    pub subject: &'a [u8],
    /// The claims, sealed.
    pub claims: &'a [u8],
}

impl RemoteSessions {
    /// Sessions under a key that all machines have, whose names on the server begin with `prefix`.
    pub fn new(
        (key, prefix): (&Secret, &str),
        limits: SessionLimits,
        issuer: Arc<Issuer>,
        revocations: Arc<RevocationList>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        check(&issuer, &revocations)?;
        if revocations.is_durable() {
            return Err(Error::new(
                Code::InvalidArgValue,
                "revocations must not be on a store, which other machines do not see; pass a list \
                 in memory that RedisRevocations.open has opened",
            ));
        }
        let time = Mutex::new(ProvenTime::start(&*clock));
        Ok(Self { issuer, revocations, clock, time, limits, keys: Keys::derive(key, prefix)? })
    }

    /// The limits.
    pub fn limits(&self) -> SessionLimits {
        self.limits
    }

    /// The list on which sessions that have ended are revoked.
    pub fn revocations(&self) -> &Arc<RevocationList> {
        &self.revocations
    }

    /// The tag of a subject.
    pub fn tag(&self, subject: &str) -> SubjectTag {
        self.keys.tag(subject)
    }

    /// Makes a session. `claims` and `meta` are JSON objects as text.
    pub fn start(&self, subject: &str, claims: &str, meta: Option<&str>) -> Result<RemoteStart> {
        Change { claims: Some(claims), meta }.check()?;
        let tag = self.tag(subject);
        let session = crate::id::uuid_v8(self.clock.unix_millis(), tag.place)?;
        let secret = SessionSecret::random()?;
        let token = RefreshToken { session, step: Step::default(), secret };
        let (pair, issued_at) = self.pair(&token, subject, claims)?;
        let seal = |kind, text| self.keys.seal(session, kind, text);
        Ok(RemoteStart {
            tag,
            secret: secret.hash(),
            issued_at,
            subject: seal(Text::Subject, subject)?,
            claims: seal(Text::Claims, claims)?,
            meta: meta.map(|meta| seal(Text::Meta, meta)).transpose()?.unwrap_or_default(),
            pair,
        })
    }

    /// Reads a refresh token, and seals the change. `None` for a text that is no token of this key.
    /// A failure that would come when the pair is signed comes here, before the token is used up,
    /// unless the caller only `asks` for the subject. Where the subject decides whether the claims
    /// fit into a token, this asks for it too: the caller then presents the token again with it.
    pub fn present(
        &self,
        token: &str,
        change: Change<'_>,
        asks: bool,
        subject: Option<&str>,
    ) -> Result<Option<Presented>> {
        change.check()?;
        let Some(token) = self.keys.codec.decode(token) else { return Ok(None) };
        let RefreshToken { session, step, secret } = token;
        let asks = asks || self.needs_subject(&token, change.claims, subject)?;
        let seal = |kind, text: Option<&str>| {
            let sealed = text.map(|text| self.keys.seal(session, kind, text));
            sealed.transpose().map(Option::unwrap_or_default)
        };
        Ok(Some(Presented {
            session,
            generation: step.generation,
            variant: step.variant,
            secret: secret.hash(),
            issued_at: self.issuer.latest_issue(),
            claims: seal(Text::Claims, change.claims)?,
            meta: seal(Text::Meta, change.meta)?,
            asks,
        }))
    }

    /// Fails as signing the next pair would. Returns whether only the subject can tell.
    fn needs_subject(
        &self,
        token: &RefreshToken,
        claims: Option<&str>,
        subject: Option<&str>,
    ) -> Result<bool> {
        if let Some(subject) = subject {
            return self.pair(token, subject, claims.unwrap_or("{}")).map(|_| false);
        }
        let overrides = Overrides { subject: Some("-"), ..Overrides::default() };
        let unsigned = self.issuer.prepare(claims.unwrap_or("{}"), &overrides)?;
        Ok(claims.is_some() && unsigned.len() + MAX_ADDED > MAX_TOKEN_LEN)
    }

    /// Makes the next pair for a token that the server has accepted.
    pub fn refreshed(&self, token: &str, row: &CurrentRow<'_>) -> Result<RemotePair> {
        let token = self.keys.codec.decode(token).ok_or_else(|| {
            Error::new(Code::Internal, "the refresh token is not the one that was presented")
        })?;
        let subject = self.open(token.session, Text::Subject, row.subject)?;
        let claims = self.open(token.session, Text::Claims, row.claims)?;
        let step = Step { generation: row.generation, variant: row.variant };
        Ok(self.pair(&RefreshToken { step, ..token }, &subject, &claims)?.0)
    }

    /// Opens a sealed text of a session. Fails with `ERR_SESSION_STORE` if it was changed.
    pub fn open(&self, session: Uuid, kind: Text, sealed: &[u8]) -> Result<Zeroizing<String>> {
        self.keys.open(session, kind, sealed)
    }

    /// Has `revoke` make the revocation of the tokens of a session, of which the last is known to
    /// be of `issued_at`, in milliseconds since 1970. Other processes may issue one more for
    /// `patience` seconds.
    pub fn revoke_session<T>(
        &self,
        session: Uuid,
        issued_at: u64,
        patience: u64,
        revoke: impl FnOnce(&Revocation<'_>) -> T,
    ) -> T {
        let mut buffer = Uuid::encode_buffer();
        let sid = session.hyphenated().encode_lower(&mut buffer);
        let latest = self.moment().latest;
        let issued_at = issued_at.min(latest.saturating_add(MAX_AHEAD_MS));
        let times = IssueTimes::on_machines(&self.issuer, latest, &self.revocations);
        revoke(&times.revocation(sid, issued_at, patience))
    }

    /// Has `revoke` make the revocation of the tokens of a subject that were issued before the
    /// current second.
    pub fn revoke_subject<T>(&self, subject: &str, revoke: impl FnOnce(&Revocation<'_>) -> T) -> T {
        let latest = self.moment().latest.max(self.issuer.latest_issue());
        let before = (latest / 1000).saturating_sub(1);
        revoke(&Revocation::subject(subject, before, Scope::Any))
    }

    fn moment(&self) -> Moment {
        self.time.lock().unwrap_or_else(PoisonError::into_inner).observe(&*self.clock)
    }

    fn pair(&self, token: &RefreshToken, subject: &str, claims: &str) -> Result<(RemotePair, u64)> {
        let mut buffer = Uuid::encode_buffer();
        let sid = token.session.hyphenated().encode_lower(&mut buffer);
        let overrides =
            Overrides { subject: Some(subject), session: Some(sid), ..Overrides::default() };
        let (mut payload, mut access) = (Vec::new(), Vec::new());
        let issued_at = self.issuer.sign_into(claims, &overrides, &mut payload, &mut access)?;
        let pair = RemotePair {
            access_token: access.into_iter().map(char::from).collect(),
            expires_in: self.issuer.expires_in(),
            refresh_token: self.keys.codec.encode(token),
            session: token.session,
        };
        Ok((pair, issued_at))
    }
}
