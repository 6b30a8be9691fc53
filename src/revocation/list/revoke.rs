//! Revokes, in memory or on a store.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, RwLockReadGuard};

use zeroize::Zeroizing;

use super::log::Log;
use super::remote::Caller;
use super::replayed::{TIME_RECORD, time_of, time_record};
use super::row::Row;
use super::state::{EVERY_TOKEN, Entry, Kind, State};
use super::{RevocationList, check_open};
use crate::error::Result;
use crate::revocation::terms::{Origin, Scope};
use crate::store::{self, Batch, Expected, RecordChange, Told};

/// A revocation that is to be made.
#[derive(Clone, Copy, Debug)]
pub struct Revocation<'a> {
    kind: Kind,
    id: &'a str,
    scope: Scope<'a>,
    /// `None` for the moment of the call, in milliseconds since 1970.
    value: Option<u64>,
}

/// Gets the result of a revocation, on any thread. It must be quick.
pub type Done = Box<dyn FnOnce(Result<()>) + Send>;

impl<'a> Revocation<'a> {
    /// One token by its `jti`, until `expires_at` (seconds) and the clock tolerance have passed.
    pub const fn id(id: &'a str, expires_at: u64, scope: Scope<'a>) -> Self {
        Self { kind: Kind::Id, id, scope, value: Some(expires_at) }
    }

    /// Every token of a session by its `sid`, until `expires_at` (seconds) and the clock tolerance
    /// have passed.
    pub const fn session(sid: &'a str, expires_at: u64, scope: Scope<'a>) -> Self {
        Self { kind: Kind::Session, id: sid, scope, value: Some(expires_at) }
    }

    /// Every token of a session that receives no more tokens. Unlike [`Self::session`], its entry
    /// may be removed to make room.
    pub const fn ended_session(sid: &'a str, expires_at: u64) -> Self {
        Self { kind: Kind::EndedSession, id: sid, scope: Scope::Any, value: Some(expires_at) }
    }

    /// Every token of a subject issued in or before the second `issued_until`. `iat` is in whole
    /// seconds, so a token issued later in that same second is refused as well.
    pub const fn subject(sub: &'a str, issued_until: u64, scope: Scope<'a>) -> Self {
        Self { kind: Kind::Subject, id: sub, scope, value: Some(issued_until) }
    }

    /// Every token of a subject issued until now, or dated later by a clock that is ahead by no
    /// more than verifiers tolerate. A token whose `jti` is a UUID of version 7 from the second of
    /// its `iat`, and from a later millisecond than this call, was issued afterwards. If the clock
    /// has been set back, the time before counts, with which tokens may be dated.
    pub const fn subject_now(sub: &'a str, scope: Scope<'a>) -> Self {
        Self { kind: Kind::SubjectNow, id: sub, scope, value: None }
    }

    /// Every token, of the issuer or of any, issued in or before the second `issued_until`.
    pub const fn all(issued_until: u64, scope: Scope<'a>) -> Self {
        Self { kind: Kind::All, id: EVERY_TOKEN, scope, value: Some(issued_until) }
    }

    /// Every token, of the issuer or of any, issued until now, as [`Self::subject_now`] does for a
    /// subject.
    pub const fn all_now(scope: Scope<'a>) -> Self {
        Self { kind: Kind::AllNow, id: EVERY_TOKEN, scope, value: None }
    }

    /// Every token signed by a key, permanently: a holder of the key can always sign another token.
    pub const fn key(kid: &'a str) -> Self {
        Self { kind: Kind::Key, id: kid, scope: Scope::Any, value: Some(u64::MAX) }
    }
}

impl RevocationList {
    /// Revokes. On a store it blocks until every process sees the revocation, after the loss of
    /// power as well.
    ///
    /// If several machines share the list, it only begins to publish the revocation.
    pub fn revoke(&self, revocation: &Revocation<'_>) -> Result<()> {
        let _keys = self.keys();
        let entry = self.entry_of(revocation);
        if let Some(remote) = self.remote() {
            return self.revoke_unwatched(entry, &remote);
        }
        let Some(log) = self.log() else { return self.put(entry, Origin::Local) };
        let rows = self.rows(entry, &log)?;
        if rows.is_empty() {
            return Ok(());
        }
        let result = log.store.commit_and_wait(
            Batch { entries: rows.clone(), ..Batch::default() },
            log.store.patience(),
        );
        self.committed(&rows, result.map(drop))
    }

    /// As [`Self::revoke`], without blocking: `done` gets the result. The store waits for
    /// [`Self::begin_commit`], at most for a millisecond, so that the revocations that a caller
    /// makes at once become durable together.
    ///
    /// `told` is called after all of them, and others, have their results.
    pub fn revoke_later(self: &Arc<Self>, revocation: &Revocation<'_>, done: Done, told: &Told) {
        let at_once = |done: Done, result| {
            done(result);
            told();
        };
        let _keys = self.keys();
        let entry = self.entry_of(revocation);
        if let Some(remote) = self.remote() {
            return self.revoke_remotely(entry, &remote, Caller { done, told: told.clone() });
        }
        let Some(log) = self.log() else { return at_once(done, self.put(entry, Origin::Local)) };
        let rows = match self.rows(entry, &log) {
            Ok(rows) if rows.is_empty() => return at_once(done, Ok(())),
            Ok(rows) => rows,
            Err(error) => return at_once(done, Err(error)),
        };
        let batch = Batch { entries: rows.clone(), ..Batch::default() };
        // The store calls one of them, and drops the other.
        let done = Arc::new(Mutex::new(Some(done)));
        let (list, expected, waiting) = (self.clone(), rows.clone(), done.clone());
        let tell = move |result: Result<store::Commit>| {
            settle(&waiting, list.committed(&expected, result.map(drop)));
        };
        if let Err(error) = log.store.commit_soon(batch, Box::new(tell), told.clone()) {
            settle(&done, self.committed(&rows, Err(error)));
            told();
        }
    }

    /// Has the store begin with the revocations of [`Self::revoke_later`].
    pub fn begin_commit(&self) {
        if let Some(log) = self.log() {
            log.store.begin_commit();
        }
    }

    /// Whether the list is on a store.
    pub fn is_durable(&self) -> bool {
        self.is_durable
    }

    /// Keeps the keys of fingerprints as they are.
    fn keys(&self) -> RwLockReadGuard<'_, ()> {
        self.under_keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn entry_of(&self, revocation: &Revocation<'_>) -> Entry {
        let Revocation { kind, id, scope, value } = *revocation;
        if kind == Kind::Id {
            self.latest_issue.note(id);
        }
        let fingerprint = {
            let state = self.read();
            let fingerprinter = state.fingerprinter(&self.fingerprinter);
            fingerprinter.complete(fingerprinter.hash(kind.field(), id), id, scope)
        };
        let value = value.unwrap_or_else(|| self.observe().latest);
        Entry { kind, fingerprint, value, scoped: scope != Scope::Any }
    }

    /// The rows of a revocation; none if the list has it already, which it has read in the store.
    pub(super) fn rows(&self, entry: Entry, log: &Log) -> Result<Vec<store::Entry>> {
        drop(self.current()?);
        let moment = self.observe();
        let life = self.limits.max_token_ttl;
        let mut state = self.write();
        check_open(&state)?;
        state.prune(moment.proven / 1000, life);
        let held = state.table(entry.kind).get(entry.fingerprint);
        if held.is_some_and(|held| held >= entry.value) {
            return Ok(Vec::new());
        }
        let mut waiting = log.waiting();
        let row = Row::Entry(entry).to_stored(life);
        let is_new = held.is_none() && !waiting.has(&row);
        let is_full = |state: &State| state.len() + waiting.len() >= self.limits.max_entries;
        if is_new && is_full(&state) {
            state.prune_one(moment.proven / 1000, life);
        }
        let mut rows = Vec::with_capacity(1);
        if is_new && is_full(&state) {
            let now = self.find_room(&mut state, moment, waiting.has_forgotten())?;
            let make_room = Row::MakeRoom { now, max_token_ttl: life }.to_stored(life);
            waiting.add(&make_room, false);
            rows.push(make_room);
        }
        waiting.add(&row, held.is_none());
        rows.push(row);
        Ok(rows)
    }

    /// Takes the rows into the list, or forgets them if they were not written.
    fn committed(&self, rows: &[store::Entry], result: Result<()>) -> Result<()> {
        match result {
            Ok(()) => self.written(),
            Err(_) => self.forget(rows),
        }
        result
    }

    /// Takes rows that were written into the list.
    pub(super) fn written(&self) {
        // If it fails, the next answer reads the rows, or fails.
        drop(self.current());
        self.tend();
    }

    pub(super) fn forget(&self, rows: &[store::Entry]) {
        if let Some(log) = self.log() {
            let mut waiting = log.waiting();
            for row in rows {
                waiting.remove(row);
            }
        }
    }

    /// Once a minute, deletes the rows that are not needed any more, and stores the proven time for
    /// the next process. A failure shows in the next revocation.
    fn tend(&self) {
        let Some(log) = self.log() else { return };
        let moment = self.observe();
        if !log.begins_tending(moment.steady / 1000) {
            return;
        }
        let _ = self.store_times(&log);
        if moment.proven > 0 {
            let _ = log.store.delete_expired(moment.proven / 1000, Box::new(drop));
        }
    }

    /// Stores the proven time, and the largest tolerance of any process.
    fn store_times(&self, log: &Arc<Log>) -> Result<()> {
        let mut expected = Expected::Absent;
        if let Some((place, record)) = log.store.record(TIME_RECORD)? {
            expected = Expected::At(place);
            self.tolerate(time_of(&record, &*self.clock)?.1);
        }
        let record = time_record(self.proven_time(), self.tolerance.load(Ordering::Relaxed));
        let value = Some(Zeroizing::new(record));
        let change = RecordChange { name: TIME_RECORD.to_vec(), expected, value };
        let batch = Batch { records: vec![change], ..Batch::default() };
        let of_waiter = log.clone();
        let waiter = move |result| {
            // Another process was first, and may have a smaller tolerance.
            if matches!(result, Ok(store::Commit::Conflict)) {
                of_waiter.tend_again();
            }
        };
        log.store.commit(batch, Box::new(waiter))
    }
}

fn settle(done: &Mutex<Option<Done>>, result: Result<()>) {
    let done = done.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(done) = done {
        done(result);
    }
}
