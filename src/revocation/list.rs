//! The list itself: it stores the entries and answers whether a token is revoked.

mod state;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use siphasher::sip::SipHasher13;

use self::state::{Field, Kind, State};
use super::expiry::ProvenTime;
use super::table::{EntryTable, Fingerprint};
use super::terms::{ListLimits, MAX_CLOCK_TOLERANCE, OnFull, Query, Scope, Stats};
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::id::{random_bytes, uuid_v7_millis};

/// Indexes of hashers after those of the four fields: `OF_ID` hashes the ids of all fields for the
/// second half of a fingerprint, `OF_ISSUER` hashes issuers.
const OF_ID: usize = 4;
const OF_ISSUER: usize = 5;
const HASHERS: usize = 6;

/// A list of revoked token ids, sessions, subjects and keys.
pub struct RevocationList {
    limits: ListLimits,
    clock: Arc<dyn Clock>,
    hashers: [SipHasher13; HASHERS],
    started: ProvenTime,
    /// The largest clock tolerance, in seconds, of the verifiers that use this list.
    tolerance: AtomicU64,
    state: RwLock<State>,
}

impl RevocationList {
    /// An empty list.
    pub fn new(limits: ListLimits, clock: Arc<dyn Clock>) -> Result<Self> {
        let mut keys = [[0; 16]; HASHERS];
        random_bytes(keys.as_flattened_mut())?;
        let started = ProvenTime::start(&*clock);
        Ok(Self {
            limits,
            clock,
            hashers: keys.map(|key| SipHasher13::new_with_key(&key)),
            started,
            tolerance: AtomicU64::new(0),
            state: RwLock::default(),
        })
    }

    /// The longest lifetime of a token that may be checked against this list, in seconds.
    pub fn max_token_ttl(&self) -> u64 {
        self.limits.max_token_ttl
    }

    /// Records that a verifier accepts tokens issued up to `seconds` in the future.
    pub fn tolerate(&self, seconds: u64) {
        self.tolerance.fetch_max(seconds, Ordering::Relaxed);
    }

    /// Revokes one token by its `jti`, until `expires_at` (seconds) and the clock tolerance have
    /// passed.
    pub fn revoke_id(&self, id: &str, expires_at: u64, scope: Scope<'_>) -> Result<()> {
        self.insert(Kind::Id, id, scope, expires_at)
    }

    /// Revokes every token of a session by its `sid`, until `expires_at` (seconds) and the clock
    /// tolerance have passed.
    pub fn revoke_session(&self, sid: &str, expires_at: u64, scope: Scope<'_>) -> Result<()> {
        self.insert(Kind::Session, sid, scope, expires_at)
    }

    /// Revokes every token of a session that receives no more tokens. Unlike
    /// [`Self::revoke_session`], its entry may be removed to make room.
    pub fn revoke_ended_session(&self, sid: &str, expires_at: u64) -> Result<()> {
        self.insert(Kind::EndedSession, sid, Scope::Any, expires_at)
    }

    /// Revokes every token of a subject issued in or before the second `issued_until`. `iat` is
    /// in whole seconds, so a token issued later in that same second is refused as well.
    pub fn revoke_subject(&self, sub: &str, issued_until: u64, scope: Scope<'_>) -> Result<()> {
        self.insert(Kind::Subject, sub, scope, issued_until)
    }

    /// Revokes every token of a subject issued until now, or dated later by a clock that is ahead
    /// by no more than verifiers tolerate. A token whose `jti` is a UUID of version 7 from the
    /// second of its `iat`, and from a later millisecond than this call, was issued afterwards.
    pub fn revoke_subject_now(&self, sub: &str, scope: Scope<'_>) -> Result<()> {
        self.insert(Kind::SubjectNow, sub, scope, self.clock.unix_millis())
    }

    /// Revokes every token signed by a key, permanently: a holder of the key can always sign
    /// another token.
    pub fn revoke_key(&self, kid: &str) -> Result<()> {
        self.insert(Kind::Key, kid, Scope::Any, u64::MAX)
    }

    /// Whether a token has been revoked by id, session, subject or key.
    pub fn is_revoked(&self, query: &Query<'_>) -> Result<bool> {
        let state = self.read();
        if state.closed {
            return Err(closed());
        }
        let issued_until = |limit: u64| {
            // An f64 represents whole seconds exactly until the year 285 million.
            #[expect(clippy::cast_precision_loss, reason = "see above")]
            query.issued_at.is_none_or(|issued_at| issued_at.floor() <= limit as f64)
        };
        let not_later_than = |millis: u64| {
            let tolerated = (millis / 1000).saturating_add(self.tolerance.load(Ordering::Relaxed));
            issued_until(tolerated) && !proves_later(query, millis)
        };
        if state.rejects_issued_until > 0 && issued_until(self.rejects_issued_until(&state)) {
            return Ok(true);
        }
        let asked = [query.id, query.session, query.subject, query.kid];
        let ids = Field::ALL.map(|field| {
            let text = asked[field as usize].filter(|_| state.has(field))?;
            Some((text, self.hash(field as usize, text)))
        });
        // Computes all hashes first, so that the memory accesses need not wait for each other.
        let perhaps = ids.map(|id| id.filter(|(_, hash)| state.filter.may_hold(*hash)));
        if perhaps.iter().all(Option::is_none) {
            return Ok(false);
        }
        let find = |kind: Kind| {
            let (text, hash) = perhaps[kind.field() as usize]?;
            let table = state.table(kind);
            let any = self.fingerprint(hash, text, Scope::Any);
            let scoped = query.issuer.filter(|_| table.is_scoped()).map(Scope::Issuer);
            let scoped = scoped.and_then(|scope| table.get(self.fingerprint(hash, text, scope)));
            // Looks up both, because for a subject the later of the two times counts.
            table.get(any).max(scoped)
        };
        Ok(find(Kind::Id).is_some()
            || find(Kind::Session).is_some()
            || find(Kind::EndedSession).is_some()
            || find(Kind::Key).is_some()
            || find(Kind::Subject).is_some_and(issued_until)
            || find(Kind::SubjectNow).is_some_and(not_later_than))
    }

    /// Numbers of entries, for monitoring.
    pub fn stats(&self) -> Stats {
        let state = self.read();
        let count = |kind: Kind| state.table(kind).len();
        Stats {
            ids: count(Kind::Id),
            sessions: count(Kind::Session) + count(Kind::EndedSession),
            subjects: count(Kind::Subject) + count(Kind::SubjectNow),
            keys: count(Kind::Key),
            max_entries: self.limits.max_entries,
            rejects_issued_until: self.rejects_issued_until(&state),
        }
    }

    /// Frees the entries. Every later call fails, and verification against the list fails too:
    /// without an answer, a token must not count as not revoked.
    pub fn close(&self) {
        *self.write() = State { closed: true, ..State::default() };
    }

    fn insert(&self, kind: Kind, id: &str, scope: Scope<'_>, value: u64) -> Result<()> {
        let fingerprint = self.fingerprint(self.hash(kind.field() as usize, id), id, scope);
        let now = self.started.now(&*self.clock);
        let mut state = self.write();
        if state.closed {
            return Err(closed());
        }
        let life = self.limits.max_token_ttl;
        state.prune(now, life);
        if state.tables[kind as usize].raise(fingerprint, value) {
            return Ok(());
        }
        // All memory is taken before the first change, so that a call that fails changes nothing.
        let mut until = kind.needed_until(value, life);
        let older = if state.len() < self.limits.max_entries {
            None
        } else {
            Some(self.find_room(&mut state)?)
        };
        if let Some(now) = older.filter(|_| Kind::SUBJECTS.contains(&kind)) {
            // A place in the wheel before this time would go with those of the older subjects.
            until = until.max(until.and(Kind::Subject.needed_until(latest(now), life)));
        }
        // If its table makes room, the entry is the first of a new one.
        let mut emptied = None;
        if older.is_some() && Kind::FORGOTTEN.contains(&kind) {
            emptied.insert(EntryTable::default()).reserve(until)?;
        } else {
            state.tables[kind as usize].reserve(until)?;
        }
        state.reserve_in_filter()?;
        if let Some(now) = older {
            state.rejects_issued_until = state.rejects_issued_until.max(now);
            state.forget_older(latest(now), life);
        }
        let table = &mut state.tables[kind as usize];
        if let Some(emptied) = emptied {
            *table = emptied;
        }
        table.insert(fingerprint, value, until, scope != Scope::Any);
        state.filter.insert(fingerprint.id);
        Ok(())
    }

    /// The time until which issued tokens must be refused so that entries can be removed.
    /// `ERR_REVOCATION_FULL` if none can.
    fn find_room(&self, state: &mut State) -> Result<u64> {
        let full = |remedy: &str| {
            let entries = self.limits.max_entries;
            Err(Error::new(
                Code::RevocationFull,
                format!(
                    "the revocation list is full with {entries} entries that have not expired, so \
                     nothing was revoked; raise maxEntries{remedy}"
                ),
            ))
        };
        if self.limits.on_full == OnFull::Error {
            return full(", shorten token lifetimes, or choose onFull: 'reject-older'");
        }
        // The system time, not the proven time: it may be later, and then more tokens are refused.
        let now = self.clock.unix_seconds();
        if !state.has_older(latest(now), self.limits.max_token_ttl) {
            return full(": revoked sessions and keys fill the list and cannot be dropped");
        }
        Ok(now)
    }

    /// The latest issue time that a verifier accepted at the moment when room was made.
    fn rejects_issued_until(&self, state: &State) -> u64 {
        match state.rejects_issued_until {
            0 => 0,
            made => made.saturating_add(self.tolerance.load(Ordering::Relaxed)),
        }
    }

    /// `hash` is the hash of the id under the key of its field.
    fn fingerprint(&self, hash: u64, id: &str, scope: Scope<'_>) -> Fingerprint {
        let issuer = match scope {
            Scope::Any => 0,
            Scope::Issuer(issuer) => self.hash(OF_ISSUER, issuer),
        };
        Fingerprint { id: hash, rest: self.hash(OF_ID, id) ^ issuer }
    }

    fn hash(&self, hasher: usize, text: &str) -> u64 {
        self.hashers[hasher].hash(text.as_bytes())
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the id of a token shows that it was issued after `millis`, within the second that the
/// token states.
fn proves_later(query: &Query<'_>, millis: u64) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "48 bits, in seconds")]
    let is_of_second = |made: u64| {
        let second = (made / 1000) as f64;
        query.issued_at.is_some_and(|issued_at| (second..second + 1.0).contains(&issued_at))
    };
    query.id.and_then(uuid_v7_millis).is_some_and(|made| made > millis && is_of_second(made))
}

/// The latest issue time of a token that a verifier accepts. Entries that also refuse later tokens
/// stay when room is made.
const fn latest(now: u64) -> u64 {
    now.saturating_add(MAX_CLOCK_TOLERANCE)
}

fn closed() -> Error {
    Error::new(Code::RevocationClosed, "the revocation list has been closed; make a new one")
}

#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod tests;
