//! The list itself: four kinds of entry, one question.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use siphasher::sip128::{Hasher128, SipHasher13};

use super::MAX_CLOCK_TOLERANCE;
use super::expiry::{ExpiryWheel, ProvenTime};
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::id::random_bytes;

/// How many expired entries one write forgets at most: enough to keep up, too few to be felt.
const PRUNED_PER_WRITE: usize = 16;

/// What bounds a list.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Entries of all kinds together; about 60 bytes each.
    pub max_entries: usize,
    /// The longest life of a token that is checked against the list, in seconds.
    pub max_token_ttl: u64,
    /// What happens to a revocation that finds no room.
    pub on_full: OnFull,
}

impl Default for Limits {
    /// A million entries, 30 days, an error.
    fn default() -> Self {
        Self { max_entries: 1_000_000, max_token_ttl: 30 * 24 * 3600, on_full: OnFull::Error }
    }
}

/// What happens to a revocation that finds no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFull {
    /// `ERR_REVOCATION_FULL`: the caller learns that nothing was revoked.
    Error,
    /// Every token issued until now is refused, which makes the room.
    RejectOlder,
}

/// Whose ids are meant: those of one issuer (`iss`), or of any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    /// Tokens of every issuer, and tokens without one.
    Any,
    /// Tokens of this issuer.
    Issuer(&'a str),
}

/// What is known of a token when it is asked whether it has been revoked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Query<'a> {
    /// `iss`
    pub issuer: Option<&'a str>,
    /// `jti`
    pub id: Option<&'a str>,
    /// `sid`
    pub session: Option<&'a str>,
    /// `sub`
    pub subject: Option<&'a str>,
    /// `iat`, seconds. A revoked subject's token without it counts as revoked.
    pub issued_at: Option<f64>,
    /// `kid` of the key that signed.
    pub kid: Option<&'a str>,
}

/// Counts, for monitoring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Revoked token ids.
    pub ids: usize,
    /// Revoked sessions.
    pub sessions: usize,
    /// Subjects with a moment before which their tokens are refused.
    pub subjects: usize,
    /// Revoked keys.
    pub keys: usize,
    /// The bound of their sum.
    pub max_entries: usize,
    /// Tokens issued at or before this time are refused altogether: 0, unless the list has been
    /// full under [`OnFull::RejectOlder`].
    pub rejects_issued_until: u64,
}

/// What has been taken back.
pub struct RevocationList {
    limits: Limits,
    clock: Arc<dyn Clock>,
    hash_key: [u8; 16],
    started: ProvenTime,
    /// The largest clock tolerance of the verifiers that ask.
    tolerance: AtomicU64,
    state: RwLock<State>,
}

impl RevocationList {
    /// An empty list.
    pub fn new(limits: Limits, clock: Arc<dyn Clock>) -> Result<Self> {
        let mut hash_key = [0; 16];
        random_bytes(&mut hash_key)?;
        let started = ProvenTime::start(&*clock);
        Ok(Self {
            limits,
            clock,
            hash_key,
            started,
            tolerance: AtomicU64::new(0),
            state: RwLock::default(),
        })
    }

    /// The longest life of a token that may be checked against this list, in seconds.
    pub fn max_token_ttl(&self) -> u64 {
        self.limits.max_token_ttl
    }

    /// Takes note that a verifier accepts tokens issued up to `seconds` in the future.
    pub fn tolerate(&self, seconds: u64) {
        self.tolerance.fetch_max(seconds, Ordering::Relaxed);
    }

    /// Revokes one token by its `jti`, until `expires_at` (seconds) and the clock tolerance have
    /// passed.
    pub fn revoke_id(&self, id: &str, expires_at: u64, scope: Scope<'_>) -> Result<()> {
        self.insert(Kind::Id, id, scope, expires_at, expires_at)
    }

    /// Revokes every token of a session by its `sid`, until `expires_at` (seconds) and the clock
    /// tolerance have passed.
    pub fn revoke_session(&self, sid: &str, expires_at: u64, scope: Scope<'_>) -> Result<()> {
        self.insert(Kind::Session, sid, scope, expires_at, expires_at)
    }

    /// Revokes every token of a session that gets no more of them: [`Self::revoke_session`] with
    /// an entry that may go when room is made.
    pub fn revoke_ended_session(&self, sid: &str, expires_at: u64) -> Result<()> {
        self.insert(Kind::EndedSession, sid, Scope::Any, expires_at, expires_at)
    }

    /// Revokes every token of a subject issued in or before the second `issued_until`. `iat` is
    /// in whole seconds, so a token issued later in that same second is refused as well.
    pub fn revoke_subject(&self, sub: &str, issued_until: u64, scope: Scope<'_>) -> Result<()> {
        let needed_until = issued_until.saturating_add(self.limits.max_token_ttl);
        self.insert(Kind::Subject, sub, scope, issued_until, needed_until)
    }

    /// Revokes every token signed by a key, for good: who has the key can always sign another.
    pub fn revoke_key(&self, kid: &str) -> Result<()> {
        self.insert(Kind::Key, kid, Scope::Any, u64::MAX, u64::MAX)
    }

    /// Whether a token has been revoked by id, session, subject or key.
    pub fn is_revoked(&self, query: &Query<'_>) -> Result<bool> {
        let state = self.read();
        if state.closed {
            return Err(closed());
        }
        let issued_until = |limit: u64| {
            // Whole seconds fit an f64 exactly until the year 285 million.
            #[expect(clippy::cast_precision_loss, reason = "see above")]
            query.issued_at.is_none_or(|issued_at| issued_at.floor() <= limit as f64)
        };
        if state.rejects_issued_until > 0 && issued_until(self.rejects_issued_until(&state)) {
            return Ok(true);
        }
        let find = |kind: Kind, id: Option<&str>| {
            let table = &state.tables[kind as usize];
            let id = id.filter(|_| !table.entries.is_empty())?;
            let find = |scope| table.entries.get(&self.fingerprint(kind, id, scope));
            let scoped = query.issuer.filter(|_| table.scoped).map(Scope::Issuer);
            // Both, because the later of two moments counts for a subject.
            find(Scope::Any).max(scoped.and_then(find)).copied()
        };
        Ok(find(Kind::Id, query.id).is_some()
            || find(Kind::Session, query.session).is_some()
            || find(Kind::EndedSession, query.session).is_some()
            || find(Kind::Key, query.kid).is_some()
            || find(Kind::Subject, query.subject).is_some_and(issued_until))
    }

    /// Counts, for monitoring.
    pub fn stats(&self) -> Stats {
        let state = self.read();
        let count = |kind: Kind| state.tables[kind as usize].entries.len();
        Stats {
            ids: count(Kind::Id),
            sessions: count(Kind::Session) + count(Kind::EndedSession),
            subjects: count(Kind::Subject),
            keys: count(Kind::Key),
            max_entries: self.limits.max_entries,
            rejects_issued_until: self.rejects_issued_until(&state),
        }
    }

    /// Frees the entries. Every later call fails, and so does verification against the list:
    /// what cannot be asked must not be taken for "not revoked".
    pub fn close(&self) {
        *self.write() = State { closed: true, ..State::default() };
    }

    fn insert(
        &self,
        kind: Kind,
        id: &str,
        scope: Scope<'_>,
        value: u64,
        needed_until: u64,
    ) -> Result<()> {
        let fingerprint = self.fingerprint(kind, id, scope);
        let now = self.started.now(&*self.clock);
        let mut state = self.write();
        if state.closed {
            return Err(closed());
        }
        state.prune(now, self.limits.max_token_ttl);
        if state.len() >= self.limits.max_entries
            && !state.tables[kind as usize].entries.contains_key(&fingerprint)
        {
            self.make_room(&mut state)?;
        }
        let table = &mut state.tables[kind as usize];
        table.scoped |= scope != Scope::Any;
        match table.entries.entry(fingerprint) {
            Entry::Vacant(free) => {
                free.insert(value);
                if needed_until < u64::MAX {
                    let until = needed_until.saturating_add(MAX_CLOCK_TOLERANCE);
                    state.wheel.insert((kind, fingerprint), until);
                }
            }
            // Its place in the wheel is corrected when it comes up.
            Entry::Occupied(mut held) => *held.get_mut() = value.max(*held.get()),
        }
        Ok(())
    }

    fn make_room(&self, state: &mut State) -> Result<()> {
        let full = |remedy: &str| {
            let entries = self.limits.max_entries;
            Err(Error::new(
                Code::RevocationFull,
                format!(
                    "the revocation list holds {entries} entries that have not expired, so \
                     nothing was revoked; raise maxEntries{remedy}"
                ),
            ))
        };
        if self.limits.on_full == OnFull::Error {
            return full(", shorten token lifetimes, or choose onFull: 'reject-older'");
        }
        // Not the proven time: a later one refuses more.
        let now = self.clock.unix_seconds();
        let latest = now.saturating_add(MAX_CLOCK_TOLERANCE);
        // What refuses tokens that are yet to be issued, too, stays.
        let stays = |kind: Kind, limit: u64| match kind {
            Kind::Id | Kind::EndedSession => false,
            Kind::Subject => limit > latest,
            Kind::Session | Kind::Key => true,
        };
        let entries = |kind: Kind| &state.tables[kind as usize].entries;
        let subjects = entries(Kind::Subject).values().filter(|limit| **limit > latest).count();
        let staying = entries(Kind::Session).len() + entries(Kind::Key).len() + subjects;
        if staying >= self.limits.max_entries {
            return full(": sessions and keys that you revoked, which stay, fill it");
        }
        state.rejects_issued_until = state.rejects_issued_until.max(now);
        for kind in Kind::ALL {
            state.tables[kind as usize].entries.retain(|_, limit| stays(kind, *limit));
        }
        let State { tables, wheel, .. } = state;
        wheel.retain(|(kind, entry)| tables[*kind as usize].entries.contains_key(entry));
        Ok(())
    }

    /// As late as a token that a verifier accepted when room was made may have been issued.
    fn rejects_issued_until(&self, state: &State) -> u64 {
        match state.rejects_issued_until {
            0 => 0,
            made => made.saturating_add(self.tolerance.load(Ordering::Relaxed)),
        }
    }

    fn fingerprint(&self, kind: Kind, id: &str, scope: Scope<'_>) -> u128 {
        let mut hasher = SipHasher13::new_with_key(&self.hash_key);
        if let Scope::Issuer(issuer) = scope {
            hasher.write(issuer.as_bytes());
            // The length keeps the border between issuer and id where it is.
            hasher.write_u64(issuer.len() as u64);
        }
        hasher.write(id.as_bytes());
        hasher.write_u8(kind as u8 | if scope == Scope::Any { 0 } else { 0x80 });
        hasher.finish128().as_u128()
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn closed() -> Error {
    Error::new(Code::RevocationClosed, "the revocation list has been closed; make a new one")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Id = 0,
    Session = 1,
    Subject = 2,
    Key = 3,
    EndedSession = 4,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Id, Self::Session, Self::Subject, Self::Key, Self::EndedSession];
}

#[derive(Default)]
struct State {
    tables: [Table; 5],
    wheel: ExpiryWheel<(Kind, u128)>,
    /// When room was last made; tolerant verifiers add to it.
    rejects_issued_until: u64,
    closed: bool,
}

impl State {
    fn len(&self) -> usize {
        self.tables.iter().map(|table| table.entries.len()).sum()
    }

    fn prune(&mut self, now: u64, max_token_ttl: u64) {
        for _ in 0..PRUNED_PER_WRITE {
            let Some((kind, fingerprint)) = self.wheel.pop_expired(now) else { return };
            let entries = &mut self.tables[kind as usize].entries;
            let Some(value) = entries.get(&fingerprint) else { continue };
            let life = if kind == Kind::Subject { max_token_ttl } else { 0 };
            let needed_until = value.saturating_add(life).saturating_add(MAX_CLOCK_TOLERANCE);
            if needed_until < now {
                entries.remove(&fingerprint);
            } else {
                // Revoked again, until later.
                self.wheel.insert((kind, fingerprint), needed_until);
            }
        }
    }
}

/// Fingerprint to expiry in seconds or, for a subject, to the second until which tokens issued
/// are refused.
#[derive(Default)]
struct Table {
    entries: HashMap<u128, u64, BuildHasherDefault<FingerprintHasher>>,
    /// Whether any entry is of one issuer only.
    scoped: bool,
}

/// Fingerprints are uniformly distributed already.
#[derive(Default)]
struct FingerprintHasher(u64);

impl Hasher for FingerprintHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "64 good bits are plenty")]
    fn write_u128(&mut self, fingerprint: u128) {
        self.0 = fingerprint as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests;
