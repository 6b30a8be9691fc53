//! Sessions start, go on and are listed.

use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use super::attempt::{Attempt, Writing};
use super::family::{Change, Family, Phase, Stamp, Verdict};
use super::limits::SessionLimits;
use super::refresh_token::{RefreshToken, SessionSecret, Step};
use super::shared::SharedTable;
use super::stored::StoredSessions;
use super::table::Admission;
use crate::clock::{Clock, Moment, ProvenTime};
use crate::error::{Code, Error, Result};
use crate::jwt::json::scan_object;
use crate::jwt::{Issuer, Overrides};
use crate::revocation::RevocationList;
use crate::store::{Batch, Expected, Position, Store};

/// The most expired rows that the start of a session removes.
const PRUNED_PER_START: usize = 16;

/// How much later than in the row of a store an access token may be issued without a change of the
/// row, in milliseconds: entries of revoked sessions are kept this much longer.
const UNNOTED_MS: u64 = 300_000;

/// The longest meta data, in bytes of JSON.
const MAX_META: usize = 4096;

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

/// A session that has started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// Its tokens.
    pub pair: TokenPair,
    /// The sessions of the subject that have ended for it.
    pub ended: Vec<Uuid>,
}

/// The outcome of a refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// A new pair; the presented token is used up.
    Rotated(TokenPair),
    /// As [`Self::Rotated`], of a token that was later than the session: the store has lost
    /// changes, or was restored from a backup.
    Restored(TokenPair),
    /// The token was rotated moments ago: the same successor again.
    Replayed(TokenPair),
    /// The token was used up long ago, so there is a copy of it. The session has been ended.
    Reuse(Ended),
    /// The session has expired. If only the wall clock says so, it has not ended, because the clock
    /// may be wrong for the moment.
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

    /// Starts a session. `claims` is a JSON object as text that every access token of the session
    /// carries, without `sub` and `sid`; `meta` is one that only [`Self::list`] shows.
    pub fn start(
        &self,
        subject: &str,
        claims: &str,
        meta: Option<&str>,
    ) -> Result<Attempt<Started>> {
        check_change(Change { claims: Some(claims), meta })?;
        if !self.shared.is_current()? {
            return Ok(Attempt::Behind);
        }
        let now = self.now();
        let id = crate::id::uuid_v7(now.wall)?;
        let secret = SessionSecret::random()?;
        let mut family = Family {
            subject: subject.into(),
            claims: claims.into(),
            meta: meta.map(Into::into),
            secret: secret.hash(),
            current: Step::default(),
            previous: 0,
            number: 0,
            phase: Phase::Live,
            started: now,
            used: now,
            issued_at: now.wall,
            linger: 0,
            is_of_this_boot: true,
            position: Position::START,
        };
        // Signed before it is stored, so that claims that cannot be signed leave no session behind.
        let pair = self.pair(id, &secret, &family)?;
        let admission = {
            let (mut table, mut over) = (self.shared.table(), Vec::new());
            table.prune(now, PRUNED_PER_START, &mut over);
            let admission = table.admit(subject, now, &mut over);
            drop(table);
            self.shared.delete(over);
            admission?
        };
        let Admission::Admitted { number, instead_of } = admission else {
            return Ok(Attempt::Again);
        };
        family.number = number;
        let started = Started { pair, ended: instead_of };
        if self.is_durable() {
            return self.start_on_store(id, family, started);
        }
        let ended: Result<()> =
            started.ended.iter().try_for_each(|oldest| self.end_in_memory(*oldest, Phase::Ending));
        let mut table = self.shared.table();
        let added = ended.and_then(|()| table.put(id, family));
        table.started(subject, &started.ended);
        added.map(|()| Attempt::Done(started))
    }

    fn start_on_store(
        &self,
        id: Uuid,
        family: Family,
        started: Started,
    ) -> Result<Attempt<Started>> {
        let (shared, subject) = (self.shared.clone(), family.subject.clone());
        let instead_of = started.ended.clone();
        let settle = move || shared.table().started(&subject, &instead_of);
        let ending = self.ending(&started.ended, Phase::Ending, None);
        let ending = ending.inspect_err(|_| settle())?;
        let mut rows = ending.rows;
        let mut records = self.changes(&rows);
        if ending.full.is_none() {
            records.push(self.shared.change(id, &family, Expected::Absent));
            rows.push((id, family));
        }
        let (entries, revoked) = ending.revoked;
        let then = move |result: Result<bool>| {
            settle();
            match (result?, ending.full) {
                (true, None) => Ok(Attempt::Done(started)),
                (_, Some(full)) => Err(full),
                (false, None) => Ok(Attempt::Again),
            }
        };
        let batch = Batch { entries, records };
        Ok(Writing::new(&self.shared, batch, rows, revoked, Box::new(then)))
    }

    /// Exchanges a refresh token for the next pair.
    ///
    /// A call that fails uses up nothing: the pair is signed before the session rotates, and a
    /// session to be ended stays until its access tokens have been revoked.
    pub fn refresh(&self, token: &str, change: Change<'_>) -> Result<Attempt<Refreshed>> {
        check_change(change)?;
        if !self.shared.is_current()? {
            return Ok(Attempt::Behind);
        }
        let Some(token) = self.shared.codec()?.decode(token) else {
            return Ok(Attempt::Done(Refreshed::Unknown));
        };
        loop {
            let Some(family) = self.shared.get(token.session)? else {
                return Ok(Attempt::Done(Refreshed::Unknown));
            };
            let now = self.now();
            let verdict = family.judge(&token, now, &self.shared.limits);
            let (next, outcome): (_, fn(TokenPair) -> Refreshed) = match verdict {
                Verdict::Current => (family.rotated(token.step, now, change), Refreshed::Rotated),
                Verdict::Ahead => (family.rotated(token.step, now, change), Refreshed::Restored),
                Verdict::Retried => (family.retried(now, change), Refreshed::Rotated),
                Verdict::JustRotated => (Some(family.issuing(now, change)), Refreshed::Replayed),
                _ => return self.refuse(token.session, &family, verdict),
            };
            let Some(next) = next else { return Ok(Attempt::Done(Refreshed::Unknown)) };
            let refreshed = outcome(self.pair(token.session, &token.secret, &next)?);
            if self.is_durable() {
                return Ok(self.write(token.session, &family, next, refreshed));
            }
            if self.shared.table().swap(token.session, &family, next)? {
                return Ok(Attempt::Done(refreshed));
            }
            // Another call rotated the session first: present the token again.
        }
    }

    /// Answers a token that gets no successor.
    fn refuse(
        &self,
        session: Uuid,
        family: &Family,
        verdict: Verdict,
    ) -> Result<Attempt<Refreshed>> {
        let ended = Ended { session, subject: family.subject.clone() };
        let (phase, refreshed) = match verdict {
            Verdict::Ending => (Phase::Ending, Refreshed::Unknown),
            Verdict::Reused => (Phase::Reused, Refreshed::Reuse(ended)),
            Verdict::Expired => (Phase::Ending, Refreshed::Expired(ended)),
            Verdict::SeemsExpired => return Ok(Attempt::Done(Refreshed::Expired(ended))),
            _ => return Ok(Attempt::Done(Refreshed::Unknown)),
        };
        self.end_with(session, phase, refreshed)
    }

    /// Writes the next row of a session, unless it need not be told.
    fn write(
        &self,
        id: Uuid,
        family: &Family,
        next: Family,
        refreshed: Refreshed,
    ) -> Attempt<Refreshed> {
        let noted = Family { issued_at: family.issued_at, ..next.clone() };
        if noted == *family && next.issued_at <= family.issued_at.saturating_add(UNNOTED_MS) {
            return Attempt::Done(refreshed);
        }
        let change = self.shared.change(id, &next, Expected::At(family.position));
        let batch = Batch { records: vec![change], ..Batch::default() };
        let then = |result: Result<bool>| {
            Ok(if result? { Attempt::Done(refreshed) } else { Attempt::Again })
        };
        Writing::new(&self.shared, batch, vec![(id, next)], None, Box::new(then))
    }

    /// The sessions of a subject that have not ended, oldest first.
    pub fn list(&self, subject: &str) -> Result<Attempt<Vec<SessionInfo>>> {
        if !self.shared.is_current()? {
            return Ok(Attempt::Behind);
        }
        let (now, limits) = (self.now(), &self.shared.limits);
        let table = self.shared.table();
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
        stamp(&*self.clock)
    }

    pub(super) fn moment(&self) -> Moment {
        self.time.lock().unwrap_or_else(PoisonError::into_inner).observe(&*self.clock)
    }

    pub(super) fn access_life_ms(&self) -> u64 {
        self.issuer.expires_in().saturating_mul(1000)
    }

    /// Signs the pair of a row.
    fn pair(&self, session: Uuid, secret: &SessionSecret, family: &Family) -> Result<TokenPair> {
        let mut buffer = Uuid::encode_buffer();
        let sid = session.hyphenated().encode_lower(&mut buffer);
        let overrides = Overrides {
            subject: Some(&family.subject),
            session: Some(sid),
            ..Overrides::default()
        };
        let (mut payload, mut token) = (Vec::new(), Vec::new());
        self.issuer.sign_into(&family.claims, &overrides, &mut payload, &mut token)?;
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

/// The present by both clocks.
pub(super) fn stamp(clock: &dyn Clock) -> Stamp {
    let boot = i64::try_from(clock.boot_millis()).unwrap_or(i64::MAX);
    Stamp { wall: clock.unix_millis(), boot }
}

/// Refuses claims that are not a plain object or that contain a name that a session sets itself,
/// and meta data that are not a plain object or too long.
fn check_change(change: Change<'_>) -> Result<()> {
    if let Some(claims) = change.claims {
        let mut taken = false;
        scan_object(claims, |name, _| taken |= name.is("sub") || name.is("sid")).ok_or_else(
            || Error::new(Code::JwtClaim, "claims must be a plain object of JSON values"),
        )?;
        if taken {
            return Err(Error::new(
                Code::JwtClaim,
                "a session sets \"sub\" and \"sid\" itself; leave them out of the claims",
            ));
        }
    }
    let Some(meta) = change.meta else { return Ok(()) };
    if meta.len() > MAX_META {
        return Err(Error::new(
            Code::OutOfRange,
            format!("meta must have at most {MAX_META} bytes as JSON; keep the rest elsewhere"),
        ));
    }
    if !serde_json::from_str::<serde_json::Value>(meta).is_ok_and(|meta| meta.is_object()) {
        let message = "meta must be a plain object of JSON values";
        return Err(Error::new(Code::InvalidArgValue, message));
    }
    Ok(())
}
