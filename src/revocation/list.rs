//! The list itself: it stores the entries and answers whether a token is revoked.

mod follow;
#[cfg(any(test, feature = "fuzz"))]
#[allow(clippy::expect_used, reason = "a failed expectation is a finding")]
pub(crate) mod fuzz;
mod issued;
mod log;
mod lookup;
pub(super) mod machines;
pub(super) mod remote;
pub(super) mod replayed;
pub(super) mod revoke;
mod row;
pub(super) mod staged;
mod state;
mod waiting;

use std::mem;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use self::issued::LatestIssue;
use self::log::Log;
use self::remote::Remote;
use self::state::{Entry, Kind, State};
use super::fingerprint::Fingerprinter;
use super::table::{EntryTable, Expiry};
use super::terms::{Field, ListLimits, OnFull, Origin, Revoked, Stats};
use crate::clock::{Clock, Moment, ProvenTime};
use crate::error::{Code, Error, Result};
use crate::listeners::{Listener, Listeners};

/// A list of revoked token ids, sessions, subjects and keys.
pub struct RevocationList {
    limits: ListLimits,
    clock: Arc<dyn Clock>,
    fingerprinter: Fingerprinter,
    time: Mutex<ProvenTime>,
    /// The largest clock tolerance, in seconds, of the verifiers that use this list.
    tolerance: AtomicU64,
    latest_issue: LatestIssue,
    state: RwLock<LoggedState>,
    /// Held while a fingerprint is made and added, and alone while the keys are replaced.
    under_keys: RwLock<()>,
    listeners: Listeners<Revoked>,
    /// Whether the list is on a store.
    is_durable: bool,
}

/// The entries, and the store that they come from. Closing the list takes both away, so that
/// nothing of the store stays mapped. A remote log stays, for the callers that wait for it.
#[derive(Default)]
struct LoggedState {
    state: State,
    /// The store, if the list is on one that is open.
    log: Option<Arc<Log>>,
    /// The log that several machines share, if the list is on one.
    remote: Option<Arc<Remote>>,
}

impl Deref for LoggedState {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for LoggedState {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl LoggedState {
    /// The maker of fingerprints: that of all machines, or else `own`.
    fn fingerprinter<'a>(&'a self, own: &'a Fingerprinter) -> &'a Fingerprinter {
        self.remote.as_deref().map_or(own, Remote::fingerprinter)
    }
}

impl RevocationList {
    /// An empty list.
    pub fn new(limits: ListLimits, clock: Arc<dyn Clock>) -> Result<Self> {
        Ok(Self {
            limits,
            fingerprinter: Fingerprinter::random()?,
            time: Mutex::new(ProvenTime::start(&*clock)),
            clock,
            tolerance: AtomicU64::new(0),
            latest_issue: LatestIssue::default(),
            state: RwLock::default(),
            under_keys: RwLock::default(),
            listeners: Listeners::default(),
            is_durable: false,
        })
    }

    /// The limits of the list.
    pub fn limits(&self) -> ListLimits {
        self.limits
    }

    /// The longest lifetime of a token that may be checked against this list, in seconds.
    pub fn max_token_ttl(&self) -> u64 {
        self.limits.max_token_ttl
    }

    /// Records that a verifier accepts tokens issued up to `seconds` in the future.
    pub fn tolerate(&self, seconds: u64) {
        self.tolerance.fetch_max(seconds, Ordering::Relaxed);
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
            all: count(Kind::All) + count(Kind::AllNow),
            max_entries: self.limits.max_entries,
            rejects_issued_until: self.rejects_issued_until(&state),
        }
    }

    /// Frees the entries. Every later call fails, and verification against the list fails too:
    /// without an answer, a token must not count as not revoked.
    pub fn close(&self) {
        self.close_with(Code::RevocationClosed);
    }

    fn close_with(&self, code: Code) {
        let state = State { closed: Some(code), ..State::default() };
        // Freed after the lock: a million entries take a while.
        let closed = {
            let mut held = self.write();
            let remote = held.remote.clone();
            mem::replace(&mut *held, LoggedState { state, log: None, remote })
        };
        drop(closed);
    }

    /// Tells `listener` of every revocation from now on; returns a number for [`Self::unlisten`].
    pub fn listen(&self, listener: Listener<Revoked>) -> u64 {
        self.listeners.add(listener)
    }

    /// Removes a listener.
    pub fn unlisten(&self, id: u64) {
        self.listeners.remove(id);
    }

    /// Adds an entry, or raises the one that there is.
    fn put(&self, entry: Entry, origin: Origin) -> Result<()> {
        let Entry { kind, fingerprint, value, .. } = entry;
        let moment = self.observe();
        let now = moment.proven / 1000;
        let mut state = self.write();
        check_open(&state)?;
        let life = self.limits.max_token_ttl;
        state.prune(now, life);
        let raised = state.tables[kind as usize].raise(fingerprint, value);
        if raised.is_none() {
            if state.len() >= self.limits.max_entries {
                state.prune_one(now, life);
            }
            self.add(&mut state, entry, moment, origin)?;
        }
        state.note_all(kind, value);
        self.tell(kind, raised.unwrap_or(value), origin);
        Ok(())
    }

    fn tell(&self, kind: Kind, value: u64, origin: Origin) {
        let until = kind.refuses_until(value, self.limits.max_token_ttl);
        self.listeners.tell(&[Revoked { field: kind.field(), until, origin }]);
    }

    /// Adds a new entry. All memory is taken before the first change, so that a call that fails
    /// changes nothing.
    fn add(&self, state: &mut State, entry: Entry, moment: Moment, origin: Origin) -> Result<()> {
        let Entry { kind, fingerprint, value, scoped } = entry;
        let life = self.limits.max_token_ttl;
        let mut expiry =
            kind.needed_until(value, life).map(|until| Expiry { until, now: moment.steady / 1000 });
        let older = if state.len() < self.limits.max_entries {
            None
        } else {
            Some(self.find_room(state, moment, false)?)
        };
        if let Some(now) = older.filter(|_| Kind::UP_TO_ISSUE.contains(&kind)) {
            // A place in the wheel before this time would go with those of the older subjects.
            let first = kind.forgotten_before(now / 1000, life);
            expiry =
                expiry.map(|Expiry { until, .. }| Expiry { until: until.max(first), now: first });
        }
        // If its table makes room, the entry is the first of a new one.
        let mut emptied = None;
        if older.is_some() && Kind::FORGOTTEN.contains(&kind) {
            emptied.insert(EntryTable::default()).reserve(fingerprint, expiry)?;
        } else {
            state.tables[kind as usize].reserve(fingerprint, expiry)?;
        }
        state.reserve_in_filter()?;
        if let Some(now) = older {
            self.refuse_older(state, now, life, origin);
        }
        let table = &mut state.tables[kind as usize];
        if let Some(emptied) = emptied {
            *table = emptied;
        }
        table.insert(fingerprint, value, expiry, scoped);
        state.filter.insert(fingerprint.id);
        Ok(())
    }

    /// Refuses tokens issued until `now`, in milliseconds, and drops the entries about them.
    fn refuse_older(&self, state: &mut State, now: u64, max_token_ttl: u64, origin: Origin) {
        state.rejects_until = state.rejects_until.max(now);
        state.forget_older(now / 1000, max_token_ttl);
        let until = Some((now / 1000).saturating_add(max_token_ttl));
        self.listeners.tell(&[Revoked { field: Field::All, until, origin }]);
    }

    /// The time until which issued tokens must be refused so that entries can be removed, in
    /// milliseconds. `ERR_REVOCATION_FULL` if none can: neither one of the list, nor one that
    /// waits, as `waits` says.
    fn find_room(&self, state: &mut State, moment: Moment, waits: bool) -> Result<u64> {
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
        if moment.is_ahead() {
            return full(
                ": older tokens are not refused, because the clock of the system was set ahead; \
                 set it right, or wait for an hour",
            );
        }
        // Not the proven time: the tokens that are forgotten may have been issued until now, and
        // later by the clock of their issuer.
        let now = self.latest_issue.until(moment.latest, self.tolerance.load(Ordering::Relaxed));
        if !waits && !state.has_older(now / 1000, self.limits.max_token_ttl) {
            return full(": revoked sessions and keys fill the list and cannot be dropped");
        }
        Ok(now)
    }

    fn observe(&self) -> Moment {
        self.time.lock().unwrap_or_else(PoisonError::into_inner).observe(&*self.clock)
    }

    /// The proven time, to be stored.
    fn proven_time(&self) -> ProvenTime {
        *self.time.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last second of issue of the tokens that are all refused, unless their ids prove that
    /// they were issued later; 0 if there are none.
    fn rejects_issued_until(&self, state: &State) -> u64 {
        match state.rejects_until {
            0 => 0,
            until => (until / 1000).saturating_add(self.tolerance.load(Ordering::Relaxed)),
        }
    }

    /// The store, unless it is closed.
    fn log(&self) -> Option<Arc<Log>> {
        self.read().log.clone()
    }

    fn read(&self) -> RwLockReadGuard<'_, LoggedState> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, LoggedState> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Fails with the code of the closing if the list was closed.
fn check_open(state: &State) -> Result<()> {
    match state.closed {
        None => Ok(()),
        Some(Code::StoreClosed) => {
            let message =
                "the store of the revocation list is closed; close it after the last request";
            Err(Error::new(Code::StoreClosed, message))
        }
        Some(code) => Err(Error::new(code, "the revocation list has been closed; make a new one")),
    }
}

#[cfg(test)]
mod clock_tests;
#[cfg(test)]
mod machines_tests;
#[cfg(test)]
mod memory_tests;
#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod store_tests;
#[cfg(test)]
mod tests;
