//! The sessions of one issuer, and what their calls have in common.

use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use super::attempt::Attempt;
use super::family::{Family, Phase, Stamp};
use super::limits::SessionLimits;
use super::refresh_token::{RefreshToken, SessionSecret};
use super::shared::SharedTable;
use super::stored::StoredSessions;
use crate::clock::{Clock, Moment, ProvenTime};
use crate::error::{Code, Error, Result};
use crate::jwt::{Issuer, Overrides};
use crate::revocation::RevocationList;
use crate::store::Store;

/// The tokens for a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenPair {
    /// The JWT.
    pub access_token: String,
    /// The access token's lifetime, in seconds.
    pub expires_in: u64,
    /// The next refresh token: 98 characters.
    pub refresh_token: String,
    /// When the refresh token expires, in milliseconds since 1970.
    pub refresh_expires_at: u64,
    /// The session's id, the access token's `sid`.
    pub session: Uuid,
}

/// One session, as its owner may see it. Times are in milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionInfo {
    /// The session's id.
    pub session: Uuid,
    /// When the session started.
    pub started_at: u64,
    /// When the session was last refreshed, or started.
    pub used_at: u64,
    /// When the session ends unless it is refreshed before.
    pub expires_at: u64,
    /// Its meta data: a JSON object.
    pub meta: Option<Arc<str>>,
}

/// All sessions of one issuer.
pub struct Sessions {
    pub(super) issuer: Arc<Issuer>,
    pub(super) revocations: Arc<RevocationList>,
    clock: Arc<dyn Clock>,
    time: Mutex<ProvenTime>,
    pub(super) shared: Arc<SharedTable>,
}

impl Sessions {
    /// An empty table with its own key, so it does not know the refresh tokens of another table.
    pub fn new(
        limits: SessionLimits,
        issuer: Arc<Issuer>,
        revocations: Arc<RevocationList>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        Self::with(Arc::new(SharedTable::in_memory(limits)?), issuer, revocations, clock)
    }

    /// The sessions of a store. Its table is filled by [`Self::catch_up`], once for each process.
    pub fn on_store(
        (store, stored): (&Store, &StoredSessions),
        limits: SessionLimits,
        issuer: Arc<Issuer>,
        revocations: Arc<RevocationList>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        if !revocations.is_on(store) {
            return Err(Error::new(
                Code::InvalidArgValue,
                "revocations must be on the store of the sessions, so that a session ends together \
                 with its tokens: pass new RevocationList({ store })",
            ));
        }
        let table = stored.table(store, limits, &clock, &revocations)?.ok_or_else(|| {
            Error::new(
                Code::InvalidArgValue,
                "options must be those of the store's sessions, which were made before: pass the \
                 same options everywhere",
            )
        })?;
        Self::with(table, issuer, revocations, clock)
    }

    fn with(
        shared: Arc<SharedTable>,
        issuer: Arc<Issuer>,
        revocations: Arc<RevocationList>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        check(&issuer, &revocations)?;
        let time = Mutex::new(ProvenTime::start(&*clock));
        Ok(Self { issuer, revocations, clock, time, shared })
    }

    /// Whether the sessions are on a store, so that calls have to be repeated or awaited.
    pub fn is_durable(&self) -> bool {
        self.shared.log.is_some()
    }

    /// Reads everything that other processes have written. On a store the first call reads all
    /// sessions, which takes seconds for a million.
    pub fn catch_up(&self) -> Result<()> {
        self.shared.catch_up()
    }

    /// The sessions of a subject that have not ended, oldest first.
    pub fn list(&self, subject: &str) -> Result<Attempt<Vec<SessionInfo>>> {
        if !self.shared.is_current()? {
            return Ok(Attempt::Behind);
        }
        let (now, limits) = (self.now(), &self.shared.limits);
        let table = self.shared.table()?;
        let live = table.of(subject, 0, u64::MAX).filter_map(|(session, family)| {
            let end = family.end(limits);
            let is_live = family.phase == Phase::Live && now.wall < end.wall && now.boot < end.boot;
            is_live.then(|| SessionInfo {
                session,
                started_at: family.started.wall,
                used_at: family.used.wall,
                expires_at: end.wall,
                meta: family.meta.clone(),
            })
        });
        Ok(Attempt::Done(live.collect()))
    }

    pub(super) fn now(&self) -> Stamp {
        Stamp::of(&*self.clock)
    }

    pub(super) fn moment(&self) -> Moment {
        self.time.lock().unwrap_or_else(PoisonError::into_inner).observe(&*self.clock)
    }

    pub(super) fn access_life_ms(&self) -> u64 {
        self.issuer.expires_in().saturating_mul(1000)
    }

    /// Signs the pair of a row, and notes there that an access token was issued.
    pub(super) fn pair(
        &self,
        session: Uuid,
        secret: &SessionSecret,
        family: &mut Family,
    ) -> Result<TokenPair> {
        let mut buffer = Uuid::encode_buffer();
        let sid = session.hyphenated().encode_lower(&mut buffer);
        let overrides = Overrides {
            subject: Some(&family.subject),
            session: Some(sid),
            ..Overrides::default()
        };
        let (mut payload, mut token) = (Vec::new(), Vec::new());
        let issued_at =
            self.issuer.sign_into(&family.claims, &overrides, &mut payload, &mut token)?;
        family.issued_at = family.issued_at.max(issued_at);
        let refresh_token = RefreshToken { session, step: family.current, secret: *secret };
        Ok(TokenPair {
            access_token: token.into_iter().map(char::from).collect(),
            expires_in: self.issuer.expires_in(),
            refresh_token: self.shared.codec()?.encode(&refresh_token),
            refresh_expires_at: family.end(&self.shared.limits).wall,
            session,
        })
    }
}

/// Refuses an issuer whose tokens verifiers with the list would refuse.
pub(super) fn check(issuer: &Issuer, revocations: &RevocationList) -> Result<()> {
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
    Ok(())
}
