//! A handle of a store.

use std::any::Any;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use zeroize::Zeroizing;

use super::backup;
use super::batch::{Batch, Commit};
use super::counters::StoreStats;
use super::directory::Directory;
use super::fault::{closed, older};
use super::follow;
use super::follower::Follower;
use super::head::Head;
use super::keys::Keys;
use super::openers::{self, Release};
use super::options::StoreOptions;
use super::queue::{Job, Told, Waiter, When, Work};
use super::record::SealedRecord;
use super::replay::Replay;
use super::row::{Entry, Position, Sequence};
use super::shared::Shared;
use crate::error::{Code, Error, Result};
use crate::secret::{Secret, check_process};

/// How much later than its limit a busy writer may give up.
const GRACE: Duration = Duration::from_secs(1);

/// One of the handles of a store. When the last one is closed, the store is closed; also when the
/// last one is dropped, unless the state is used without a handle ([`Replay::is_used`]).
pub struct Store {
    shared: Arc<Shared>,
    is_closed: AtomicBool,
    /// Whether it keeps the store open.
    counts: bool,
}

impl Store {
    /// Opens a store, or makes it in a directory that is missing or empty. `key` has at least
    /// [`MIN_KEY_LEN`](super::MIN_KEY_LEN) bytes and is not needed afterwards.
    ///
    /// If this process does not have the store open, `make` makes the state that gets all rows, and
    /// that all handles share.
    pub fn open(
        path: &Path,
        key: &Secret,
        options: StoreOptions,
        make: impl FnOnce() -> Box<dyn Replay>,
    ) -> Result<Self> {
        options.check()?;
        // The key is not in the memory of a forked child.
        check_process()?;
        let keys = Keys::derive(key)?;
        let directory = Directory::prepare(path, options.allow_filesystem)?;
        let shared = openers::acquire(directory, keys, options, make)?;
        Ok(Self { shared, is_closed: AtomicBool::new(false), counts: true })
    }

    /// A handle that does not keep the store open: when the last other handle is closed, its calls
    /// fail.
    #[must_use]
    pub fn view(&self) -> Self {
        Self { shared: self.shared.clone(), is_closed: AtomicBool::new(false), counts: false }
    }

    /// Whether both are handles of one store.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// The last transaction of any process, as far as its process told: one load. It is known
    /// before the process that commits has its result.
    pub fn epoch(&self) -> Sequence {
        self.shared.epoch.get()
    }

    /// The code of the failure that readers must assume, because the last commit or look at the
    /// database failed; `None` if all is well.
    pub fn failing(&self) -> Option<Code> {
        self.shared.health.failing()
    }

    /// The state that got all rows when the store was opened; `None` if it has another type.
    pub fn state<T: Replay>(&self) -> Option<Arc<T>> {
        let state: Arc<dyn Any + Send + Sync> = self.shared.state.clone();
        state.downcast().ok()
    }

    /// A reader that knows the rows which the state got.
    pub fn follower(&self) -> Follower {
        Follower::at(&self.shared.replayed)
    }

    /// The time at which this store noticed last that it had lost commits, because the machine
    /// stopped after [`Durability::Process`](super::Durability::Process); milliseconds since 1970.
    pub fn lost_at(&self) -> Option<u64> {
        Some(self.shared.lost_at.load(Ordering::Relaxed)).filter(|time| *time > 0)
    }

    /// As [`Self::lost_at`], if that was since the machine started, for the first caller in this
    /// process only.
    pub fn take_loss(&self) -> Option<u64> {
        self.shared.has_loss_to_tell.swap(false, Ordering::AcqRel).then(|| self.lost_at())?
    }

    /// The name of the file system, if only
    /// [`StoreOptions::allow_filesystem`] permits it.
    pub fn shared_filesystem(&self) -> Option<&str> {
        self.shared.directory.shared_filesystem()
    }

    /// Makes changes. Together with those of other callers they become one transaction; the waiter
    /// gets the result on the thread of the writer. If this call fails, the waiter is not called.
    pub fn commit(&self, batch: Batch, waiter: Waiter) -> Result<()> {
        batch.check()?;
        self.enqueue(Work::Change(batch, 0), waiter, When::Now)
    }

    /// As [`Self::commit`], for a caller that may have more changes at once: the writer waits for
    /// [`Self::begin_commit`], at most for a millisecond, so that all of them become one
    /// transaction. `told` is called after their waiters, unless this call fails.
    pub fn commit_soon(&self, batch: Batch, waiter: Waiter, told: Told) -> Result<()> {
        batch.check()?;
        self.enqueue(Work::Change(batch, 0), waiter, When::Soon(told))
    }

    /// Has the writer begin with the changes of [`Self::commit_soon`].
    pub fn begin_commit(&self) {
        self.shared.queue.begin();
    }

    /// The longest wait for a commit: the writer gives up after [`StoreOptions::busy`].
    pub fn patience(&self) -> Duration {
        self.shared.options.busy + GRACE
    }

    /// As [`Self::commit`], but waits for the result, at most for `wait`. If it then fails with
    /// `ERR_STORE_BUSY`, the changes may still be made later.
    pub fn commit_and_wait(&self, batch: Batch, wait: Duration) -> Result<Commit> {
        let (tell, told) = mpsc::sync_channel(1);
        // Nobody may listen any more.
        self.commit(batch, Box::new(move |result| drop(tell.send(result))))?;
        told.recv_timeout(wait).unwrap_or_else(|_| {
            Err(Error::new(
                Code::StoreBusy,
                "the store has not answered in time; the change may still be written, so look \
                 before you repeat it",
            ))
        })
    }

    /// Deletes entries, at most [`MAX_ROWS`](super::MAX_ROWS) in a transaction; those that no
    /// longer exist are skipped. Batches that wait go first.
    pub fn delete(&self, positions: Vec<Position>, waiter: Waiter) -> Result<()> {
        self.enqueue(Work::Delete(positions), waiter, When::Now)
    }

    /// Deletes every entry whose `until` is at most `until`, as [`Self::delete`] does.
    pub fn delete_expired(&self, until: u64, waiter: Waiter) -> Result<()> {
        self.enqueue(Work::Expire(until, Position::START), waiter, When::Now)
    }

    /// Visits at most `limit` entries that are new to a follower, of all processes and in their
    /// order. Returns whether it has seen all of them. Fails with `ERR_STORE_CORRUPT` if one of
    /// them vanished or was changed, or if the epoch counts transactions that are not there.
    pub fn entries_after(
        &self,
        follower: &mut Follower,
        limit: usize,
        visit: &mut dyn FnMut(Position, &Entry),
    ) -> Result<bool> {
        self.read(|shared, engine| {
            // Read before the head, which therefore is not older.
            let epoch = shared.epoch.get();
            let is_complete = follow::entries_after(engine, &shared.keys, follower, limit, visit)?;
            if is_complete && follower.sequence() < epoch {
                return Err(older());
            }
            Ok(is_complete)
        })
    }

    /// Visits at most `limit` records that changed behind a position, in the order of their last
    /// changes. Returns the position from which to go on, and whether there are no more. Records
    /// that were deleted are not reported.
    pub fn records_after(
        &self,
        after: Position,
        limit: usize,
        visit: &mut dyn FnMut(&SealedRecord<'_>) -> Result<()>,
    ) -> Result<(Position, bool)> {
        self.read(|shared, engine| {
            // Read before the head, which therefore is not older.
            let epoch = shared.epoch.get();
            let (last, is_complete) =
                follow::records_after(engine, &shared.keys, after, limit, visit)?;
            if is_complete && last.sequence() < epoch {
                return Err(older());
            }
            Ok((last, is_complete))
        })
    }

    /// Reads a record: the place of its last change, for [`Expected::At`](super::Expected::At), and
    /// its value. `None` if there is none.
    pub fn record(&self, name: &[u8]) -> Result<Option<(Position, Zeroizing<Vec<u8>>)>> {
        self.read(|shared, engine| {
            let Some((position, sealed)) = engine.record(name)? else { return Ok(None) };
            Ok(Some((position, shared.keys.open(name, position, &sealed)?)))
        })
    }

    /// As [`Self::record`], for a reader that knows the record as of a place and may act on what it
    /// reads: `None` if the record was not changed since. Raises the epoch for a process that died
    /// before it could, so that others learn of the change as well. Fails with `ERR_STORE_CORRUPT`
    /// if the record is older or missing.
    pub fn newer_record(
        &self,
        name: &[u8],
        known: Position,
    ) -> Result<Option<(Position, Zeroizing<Vec<u8>>)>> {
        self.read(|shared, engine| {
            let found = engine.record(name)?.filter(|(position, _)| *position >= known);
            let (position, sealed) = found.ok_or_else(older)?;
            if position == known {
                return Ok(None);
            }
            let value = shared.keys.open(name, position, &sealed)?;
            shared.epoch.raise(position.sequence());
            Ok(Some((position, value)))
        })
    }

    /// The key under which the owner of a record seals a secret, so that its plain value is never
    /// outside of protected memory. It is derived from the key of the store.
    pub fn secrets_key(&self) -> &Secret {
        self.shared.keys.secrets()
    }

    /// The state of the store.
    pub fn stats(&self) -> Result<StoreStats> {
        let head = self.read(|shared, engine| Head::read(engine, &shared.keys))?;
        let files = fs::read_dir(self.shared.directory.path());
        let sizes = files.into_iter().flatten().filter_map(|file| file.ok()?.metadata().ok());
        let mut stats = StoreStats {
            entries: head.entries,
            records: head.records,
            bytes: sizes.map(|metadata| metadata.len()).sum(),
            sequence: head.sequence,
            transactions: 0,
            batches: 0,
            rows: 0,
            largest_group: 0,
            lost_at: Some(head.lost_at).filter(|time| *time > 0),
            openers: self.shared.openers.load(Ordering::Relaxed),
        };
        self.shared.counters.fill(&mut stats);
        Ok(stats)
    }

    /// Makes a new directory with a consistent copy of the store, which [`Self::open`] opens with
    /// the same key. The store stays in use. A path that exists is `ERR_STORE_OPEN`; if the copy
    /// fails, the directory is removed.
    pub fn backup(&self, path: &Path) -> Result<()> {
        self.check()?;
        self.shared.back_up(|| backup::write(&self.shared, path))
    }

    /// Closes this handle; later calls fail with `ERR_STORE_CLOSED`. The last handle of the process
    /// writes the changes that wait, closes the files and waits for both, and for backups that run.
    pub fn close(&self) {
        if self.counts && !self.is_closed.swap(true, Ordering::AcqRel) {
            openers::release(&self.shared, Release::Close);
        }
    }

    fn enqueue(&self, work: Work, waiter: Waiter, when: When) -> Result<()> {
        self.check()?;
        self.shared.queue.add(Job::new(work, self.shared.options.busy, waiter, when))
    }

    fn read<T>(
        &self,
        body: impl FnOnce(&Shared, &mut dyn super::engine::Engine) -> Result<T>,
    ) -> Result<T> {
        self.check()?;
        self.shared.read(|engine| body(&self.shared, engine))
    }

    /// Fails with `ERR_STORE_CLOSED` if the handle is closed or the process has forked.
    pub fn check(&self) -> Result<()> {
        if self.is_closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        self.shared.check_process()
    }
}

/// Closes the handle, without waiting for the files: a collector of garbage may drop it.
impl Drop for Store {
    fn drop(&mut self) {
        if self.counts && !*self.is_closed.get_mut() {
            openers::release(&self.shared, Release::Drop);
        }
    }
}
