//! The list of a store before a `RevocationList` is made on it: the rows and records that opening
//! the store has read.

use std::hint;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use zeroize::Zeroizing;

use super::issued::LatestIssue;
use super::log::Log;
use super::row::Row;
use super::state::{Kind, State};
use super::{LoggedState, RevocationList};
use crate::clock::{Clock, ProvenTime, is_same_clock};
use crate::error::{Code, Error, Result};
use crate::id::random_bytes;
use crate::listeners::Listeners;
use crate::revocation::fingerprint::{Fingerprinter, KEYS_LEN};
use crate::revocation::table::Expiry;
use crate::revocation::terms::ListLimits;
use crate::store::{
    self, Appended, Batch, Commit, Expected, Position, RecordChange, Replay, SealedRecord, Store,
};

/// The record of the keys of fingerprints.
const KEYS_RECORD: &[u8] = b"revocation/keys";
/// The record of the proven time and of the largest tolerance.
pub(super) const TIME_RECORD: &[u8] = b"revocation/time";

/// The entries whose places fit into the first cache of a processor.
const LOOKS_AHEAD: usize = 128;

/// The list of a store.
pub struct StoredList(Mutex<Contents>);

struct Contents {
    state: State,
    /// The list takes it.
    fingerprinter: Option<Fingerprinter>,
    time: Option<ProvenTime>,
    tolerance: u64,
    /// About the present, in seconds since 1970.
    now: u64,
    clock: Arc<dyn Clock>,
    answers_from_memory: bool,
    /// The list that got the state.
    made: Option<Arc<RevocationList>>,
}

impl StoredList {
    /// A list without rows.
    ///
    /// `answers_from_memory` says whether the list answers while the store cannot be read.
    pub fn new(clock: Arc<dyn Clock>, answers_from_memory: bool) -> Self {
        Self(Mutex::new(Contents {
            state: State::default(),
            fingerprinter: None,
            time: None,
            tolerance: 0,
            now: clock.unix_seconds(),
            clock,
            answers_from_memory,
            made: None,
        }))
    }

    /// Makes sure that the store has keys of fingerprints. It may commit, and waits for that.
    pub fn prepare(&self, store: &Store) -> Result<()> {
        let contents = self.lock();
        if contents.fingerprinter.is_some() || contents.made.is_some() {
            return Ok(());
        }
        // The writer needs the lock for the commit. Threads that draw keys at the same time agree,
        // because one of them is first.
        drop(contents);
        let mut keys = Zeroizing::new(vec![0; KEYS_LEN]);
        random_bytes(&mut keys)?;
        let mut fingerprinter = fingerprinter_of(&keys)?;
        let change = RecordChange {
            name: KEYS_RECORD.to_vec(),
            expected: Expected::Absent,
            value: Some(keys),
        };
        let batch = Batch { records: vec![change], ..Batch::default() };
        if store.commit_and_wait(batch, store.patience())? == Commit::Conflict {
            // Another process was first.
            let record = store.record(KEYS_RECORD)?;
            let (_, stored) =
                record.ok_or_else(|| damaged("its keys of fingerprints are missing"))?;
            fingerprinter = fingerprinter_of(&stored)?;
        }
        let mut contents = self.lock();
        if contents.made.is_none() {
            contents.fingerprinter = Some(fingerprinter);
        }
        Ok(())
    }

    /// Whether the list answers while the store cannot be read.
    pub fn answers_from_memory(&self) -> bool {
        self.lock().answers_from_memory
    }

    /// The number of transactions of which the list does not have the rows.
    pub fn lag(&self, store: &Store) -> u64 {
        let has = |list: &RevocationList| list.log().map(|log| log.applied());
        let made = self.lock().made.as_deref().and_then(has);
        store.epoch().saturating_sub(made.unwrap_or_else(|| store.follower().sequence()))
    }

    /// The list, which is made by the first call. `None` if it was made with other limits, or with
    /// another clock. Fails with `ERR_STORE_CLOSED` if the handle is closed.
    pub fn list(
        &self,
        store: &Store,
        limits: ListLimits,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Arc<RevocationList>>> {
        let mut contents = self.lock();
        // After the lock: a store that is closed meanwhile closes the list, too.
        store.check()?;
        if let Some(made) = &contents.made {
            let agrees = made.limits == limits && is_same_clock(&made.clock, &clock);
            return Ok(agrees.then(|| made.clone()));
        }
        let fingerprinter = contents.fingerprinter.take();
        let fingerprinter =
            fingerprinter.ok_or_else(|| damaged("its keys of fingerprints are missing"))?;
        let log = Log::new(store.view(), contents.answers_from_memory);
        let mut state = mem::take(&mut contents.state);
        if let Some(lost_at) = store.lost_at() {
            state.rejects_until = state.rejects_until.max(lost_at);
        }
        let time = contents.time.unwrap_or_else(|| ProvenTime::start(&*clock));
        let latest_issue = LatestIssue::default();
        if !state.table(Kind::Id).is_empty() {
            latest_issue.note_unknown(clock.unix_millis());
        }
        let list = Arc::new(RevocationList {
            limits,
            fingerprinter,
            time: Mutex::new(time),
            clock,
            tolerance: contents.tolerance.into(),
            latest_issue,
            state: RwLock::new(LoggedState { state, log: Some(Arc::new(log)), remote: None }),
            under_keys: RwLock::default(),
            listeners: Listeners::default(),
            is_durable: true,
        });
        contents.made = Some(list.clone());
        Ok(Some(list))
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn contents(&mut self) -> &mut Contents {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Replay for StoredList {
    fn expect(&mut self, entries: u64) {
        self.contents().state.expect(usize::try_from(entries).unwrap_or(usize::MAX));
    }

    fn entries(&mut self, entries: &[(Position, store::Entry)]) -> Result<()> {
        for entries in entries.chunks(LOOKS_AHEAD) {
            // Looks at all places first, so that the memory accesses need not wait for each other.
            let state = &self.contents().state;
            for (_, entry) in entries {
                if let Row::Entry(entry) = Row::of(entry)? {
                    hint::black_box(state.may_have(&entry));
                }
            }
            entries.iter().try_for_each(|(position, entry)| self.entry(*position, entry))?;
        }
        Ok(())
    }

    fn entry(&mut self, _: Position, entry: &store::Entry) -> Result<()> {
        let row = Row::of(entry)?;
        let Contents { state, now, .. } = self.contents();
        match row {
            Row::Entry(held) => {
                let expiry = Expiry { until: entry.until, now: *now };
                state.store(held, (entry.until < u64::MAX).then_some(expiry))
            }
            Row::MakeRoom { now, max_token_ttl } => {
                state.rejects_until = state.rejects_until.max(now);
                state.forget_older(now / 1000, max_token_ttl);
                Ok(())
            }
        }
    }

    fn record(&mut self, record: &SealedRecord<'_>) -> Result<()> {
        let contents = self.contents();
        match record.name {
            KEYS_RECORD => contents.fingerprinter = Some(fingerprinter_of(&record.open()?)?),
            TIME_RECORD => {
                let (time, tolerance) = time_of(&record.open()?, &*contents.clock)?;
                (contents.time, contents.tolerance) = (Some(time), tolerance);
            }
            _ => {}
        }
        Ok(())
    }

    fn committed(&self, appended: &Appended<'_>) {
        let made = self.lock().made.clone();
        if let Some(list) = made {
            list.take(appended);
        }
    }

    fn looked(&self) {
        // A process that verifies nothing hears of revocations, too. If it fails, the next answer
        // fails.
        drop(self.lock().made.as_ref().map(|list| list.current().map(drop)));
    }

    fn is_used(&self) -> bool {
        // A verifier may have the list when nobody has the store any more.
        self.lock().made.as_ref().is_some_and(|list| Arc::strong_count(list) > 1)
    }

    fn closed(&self) {
        // The list holds the store, which holds this object.
        let made = self.lock().made.take();
        if let Some(list) = made {
            list.close_with(Code::StoreClosed);
        }
    }
}

/// The value of the record of times: the tolerance in 8 bytes, then the proven time.
pub(super) fn time_record(time: ProvenTime, tolerance: u64) -> Vec<u8> {
    [&tolerance.to_le_bytes()[..], &time.to_bytes()].concat()
}

/// The inverse of [`time_record`]: the time, and the tolerance in seconds.
pub(super) fn time_of(record: &[u8], clock: &dyn Clock) -> Result<(ProvenTime, u64)> {
    let parts = record.split_first_chunk().and_then(|(tolerance, time)| {
        Some((ProvenTime::from_bytes(time, clock)?, u64::from_le_bytes(*tolerance)))
    });
    parts.ok_or_else(|| damaged("its record of times is too short"))
}

fn fingerprinter_of(record: &[u8]) -> Result<Fingerprinter> {
    Fingerprinter::new(record)
        .ok_or_else(|| damaged("its keys of fingerprints have another length"))
}

fn damaged(finding: &str) -> Error {
    Error::new(
        Code::StoreCorrupt,
        format!("the store is damaged: {finding}; restore its directory from a backup"),
    )
}
