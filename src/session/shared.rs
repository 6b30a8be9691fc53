//! The table of sessions that all `Sessions` on one store have in common, and how it follows the
//! store: as the revocation list does, it has every row that any process has committed before it
//! answers. Each process judges by it and writes by compare-and-swap, so that a row that another
//! process has just changed is never lost.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, TryLockError};
use std::time::Duration;

use uuid::Uuid;
use zeroize::Zeroizing;

use super::family::{Family, Stamp};
use super::limits::SessionLimits;
use super::log::{Followed, Log, closed, lock};
use super::refresh_token::Codec;
use super::stored_row::{self, BootId};
use super::table::Table;
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::id::random_bytes;
use crate::revocation::RevocationList;
use crate::secret::Secret;
use crate::store::{Batch, Commit, Expected, Position, Receipt, RecordChange, Store};

/// The record of the key of the codec.
const KEY_RECORD: &[u8] = b"sessions/key";
const KEY_LEN: usize = 32;

/// The most records that a call reads itself: less than 0.2 ms.
const FEW: usize = 64;
/// The most records that are read while others wait for the database.
const PAGE: usize = 256;
/// The most rows that are removed twice a second.
const PRUNED_PER_LOOK: usize = 200;

pub(super) struct SharedTable {
    pub(super) limits: SessionLimits,
    pub(super) log: Option<Log>,
    codec: OnceLock<Codec>,
    table: Mutex<Table>,
}

impl SharedTable {
    /// A table in memory, with a key of its own.
    pub(super) fn in_memory(limits: SessionLimits) -> Result<Self> {
        let codec = OnceLock::from(Codec::random()?);
        Ok(Self { limits, log: None, codec, table: Mutex::new(Table::new(limits)) })
    }

    /// A table that is filled by [`Self::catch_up`].
    pub(super) fn on_store(
        limits: SessionLimits,
        store: &Store,
        clock: Arc<dyn Clock>,
        list: &Arc<RevocationList>,
    ) -> Self {
        let log = Log::new(store, clock, list);
        let table = Mutex::new(Table::new(limits));
        Self { limits, log: Some(log), codec: OnceLock::new(), table }
    }

    /// The table. Fails with `ERR_STORE_CLOSED` if its store is closed.
    pub(super) fn table(&self) -> Result<MutexGuard<'_, Table>> {
        let table = lock(&self.table);
        if table.is_closed() { Err(closed()) } else { Ok(table) }
    }

    /// The store of the table.
    pub(super) fn store(&self) -> Result<Arc<Store>> {
        let without_store = || Error::new(Code::Internal, "the sessions are not on a store");
        self.log.as_ref().ok_or_else(without_store)?.store()
    }

    /// The longest wait for a commit; none in memory.
    pub(super) fn patience(&self) -> Duration {
        self.log.as_ref().map_or(Duration::ZERO, |log| log.patience)
    }

    /// The codec, which is there as soon as the table is current.
    pub(super) fn codec(&self) -> Result<&Codec> {
        self.codec.get().ok_or_else(|| Error::new(Code::Internal, "the sessions were not read"))
    }

    /// Whether the table has every row that any process has committed before this call. It reads
    /// few rows itself; if there are more, [`Self::catch_up`] must read them.
    pub(super) fn is_current(&self) -> Result<bool> {
        let Some(log) = &self.log else { return Ok(true) };
        log.store()?;
        if log.has_all() {
            return Ok(true);
        }
        let mut followed = match log.followed.try_lock() {
            Ok(followed) => followed,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(false),
        };
        let lacks_rows = log.lacks_rows.load(Ordering::Acquire);
        if !followed.is_filled || lacks_rows || log.may_have_missed(&followed) {
            return Ok(false);
        }
        self.read(log, &mut followed, FEW, None)
    }

    /// Reads all rows that are missing. It may block for seconds.
    pub(super) fn catch_up(&self) -> Result<()> {
        let Some(log) = &self.log else { return Ok(()) };
        self.prepare_codec(&*log.store()?)?;
        let mut followed = lock(&log.followed);
        let mut seen = None;
        if followed.is_filled && log.may_have_missed(&followed) {
            seen = Some(HashSet::new());
            followed.position = Position::START;
        }
        if log.lacks_rows.swap(false, Ordering::AcqRel) {
            followed.position = Position::START;
        }
        if followed.position == Position::START {
            log.applied.store(0, Ordering::Release);
        }
        while !self.read(log, &mut followed, PAGE, seen.as_mut())? {}
        if let Some(seen) = seen {
            self.table()?.keep(&seen, followed.position.sequence());
        }
        followed.is_filled = true;
        log.applied.store(followed.position.sequence(), Ordering::Release);
        Ok(())
    }

    /// Keeps a table that was filled up to date, and removes rows that are over.
    pub(super) fn look(&self, now: Stamp) {
        let Some(log) = &self.log else { return };
        // While another thread fills it, the writer must not wait.
        let is_filled = log.followed.try_lock().is_ok_and(|followed| followed.is_filled);
        if !is_filled || self.catch_up().is_err() {
            return;
        }
        let mut over = Vec::new();
        let Ok(mut table) = self.table() else { return };
        table.prune(now, PRUNED_PER_LOOK, &mut over);
        drop(table);
        self.delete(over);
    }

    /// Gives up the store, which this process has closed, and the rows.
    pub(super) fn close(&self) {
        if let Some(log) = &self.log {
            log.close();
        }
        let rows = lock(&self.table).close();
        // Freed after the lock: a million rows take a while.
        drop(rows);
    }

    /// A session's row. If the store may have another one, reads that.
    pub(super) fn get(&self, id: Uuid) -> Result<Option<Arc<Family>>> {
        let is_doubted = self.table()?.is_doubted(id);
        if let Some(log) = self.log.as_ref().filter(|_| is_doubted) {
            match log.store()?.record(&stored_row::name_of(id))? {
                Some((position, value)) => {
                    let family = stored_row::decode(&value, position, log.present())?;
                    self.table()?.put(id, family)?;
                }
                None => drop(self.table()?.remove(id)),
            }
        }
        Ok(self.table()?.get(id))
    }

    /// The change of the record of a row.
    pub(super) fn change(&self, id: Uuid, family: &Family, expected: Expected) -> RecordChange {
        let boot_id = self.log.as_ref().map_or_else(BootId::default, |log| log.boot_id);
        let value = Some(stored_row::encode(family, &boot_id));
        RecordChange { name: stored_row::name_of(id), expected, value }
    }

    /// Takes over rows that were written. A failure shows in the next call, which reads them.
    pub(super) fn wrote(&self, receipt: &Receipt, rows: Vec<(Uuid, Family)>) {
        let Ok(mut table) = self.table() else { return };
        let mut is_complete = true;
        for ((id, family), position) in rows.into_iter().zip(&receipt.records) {
            is_complete &= table.put(id, Family { position: *position, ..family }).is_ok();
        }
        drop(table);
        let Some(log) = &self.log else { return };
        if is_complete {
            log.note_own(receipt.sequence);
        } else {
            log.lacks_rows.store(true, Ordering::Release);
        }
    }

    /// Notes that rows were not as expected.
    pub(super) fn doubt(&self, ids: impl Iterator<Item = Uuid>) {
        let Ok(mut table) = self.table() else { return };
        ids.for_each(|id| table.doubt(id));
    }

    /// Deletes the records of rows that were removed, unless another process has changed them.
    pub(super) fn delete(&self, over: Vec<(Uuid, Position)>) {
        let Some(Ok(store)) = self.log.as_ref().map(Log::store) else { return };
        for (id, position) in over {
            let (name, expected) = (stored_row::name_of(id), Expected::At(position));
            let change = RecordChange { name, expected, value: None };
            let batch = Batch { records: vec![change], ..Batch::default() };
            // If it fails, the next process that opens the store removes the row.
            let _ = store.commit(batch, Box::new(drop));
        }
    }

    /// Reads at most `limit` records, and returns whether there are no more.
    fn read(
        &self,
        log: &Log,
        followed: &mut Followed,
        limit: usize,
        mut seen: Option<&mut HashSet<Uuid>>,
    ) -> Result<bool> {
        let present = log.present();
        let (position, is_complete) =
            log.store()?.records_after(followed.position, limit, &mut |record| {
                let Some(id) = stored_row::id_of(record.name) else { return Ok(()) };
                if let Some(seen) = &mut seen {
                    seen.insert(id);
                }
                if self.table()?.has(id, record.position) {
                    return Ok(());
                }
                let family = stored_row::decode(&record.open()?, record.position, present)?;
                self.table()?.put(id, family)
            })?;
        followed.position = position;
        if is_complete {
            followed.complete_at = log.clock.boot_millis();
            if followed.is_filled {
                log.applied.store(position.sequence(), Ordering::Release);
            }
        }
        Ok(is_complete)
    }

    /// Makes the codec with the key of the store. It may commit, and waits for that.
    fn prepare_codec(&self, store: &Store) -> Result<()> {
        if self.codec.get().is_some() {
            return Ok(());
        }
        if store.record(KEY_RECORD)?.is_none() {
            let mut key = Zeroizing::new(vec![0; KEY_LEN]);
            random_bytes(&mut key)?;
            let (name, expected) = (KEY_RECORD.to_vec(), Expected::Absent);
            let change = RecordChange { name, expected, value: Some(key) };
            let batch = Batch { records: vec![change], ..Batch::default() };
            // With a conflict, another process was first.
            let _: Commit = store.commit_and_wait(batch, store.patience())?;
        }
        let key = store.record(KEY_RECORD)?.filter(|(_, key)| key.len() == KEY_LEN);
        let (_, key) = key.ok_or_else(|| {
            Error::new(
                Code::StoreCorrupt,
                "the store is damaged: the key of its refresh tokens is missing; restore its \
                 directory from a backup",
            )
        })?;
        // Another thread may have been first, with the same key.
        let _ = self.codec.set(Codec::with_key(&Secret::copy_from(&key)?)?);
        Ok(())
    }
}
