//! The store of a table of sessions, and the part of it that the table has read.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use ring::digest;

use super::stored_row::{BootId, Present};
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::revocation::RevocationList;
use crate::store::{Position, Sequence, Store, StoreSlot};

/// How long the row of a session that has ended tells the other processes, at least, in
/// milliseconds.
pub(super) const TOLD_MS: u64 = 3_600_000;
/// A process that has not read for so long, because it was stopped, may have missed such a row, and
/// reads all rows again.
const MISSED_MS: u64 = TOLD_MS / 2;

pub(super) struct Log {
    store: StoreSlot,
    /// The longest wait for a commit.
    pub(super) patience: Duration,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) boot_id: BootId,
    /// The list on the same store, for the proven time.
    list: Weak<RevocationList>,
    pub(super) followed: Mutex<Followed>,
    /// The last transaction of which the table has all rows; 0 until it was filled.
    pub(super) applied: AtomicU64,
    /// Whether there was no memory for a row, so that all must be read again.
    pub(super) lacks_rows: AtomicBool,
}

pub(super) struct Followed {
    pub(super) position: Position,
    pub(super) is_filled: bool,
    /// The last time at which nothing was missing, by the boot clock.
    pub(super) complete_at: u64,
}

impl Log {
    pub(super) fn new(store: &Store, clock: Arc<dyn Clock>, list: &Arc<RevocationList>) -> Self {
        let (position, is_filled, complete_at) = (Position::START, false, 0);
        Self {
            store: StoreSlot::new(store),
            patience: store.patience(),
            boot_id: boot_id(&*clock),
            clock,
            list: Arc::downgrade(list),
            followed: Mutex::new(Followed { position, is_filled, complete_at }),
            applied: AtomicU64::new(0),
            lacks_rows: AtomicBool::new(false),
        }
    }

    /// The store. Fails with `ERR_STORE_CLOSED` if it is closed, or the process has forked.
    pub(super) fn store(&self) -> Result<Arc<Store>> {
        let store = self.store.get().map_err(|_| closed())?;
        store.check()?;
        Ok(store)
    }

    /// Gives up the store, so that nothing of it stays mapped.
    pub(super) fn close(&self) {
        self.store.empty();
    }

    pub(super) fn has_all(&self) -> bool {
        let is_applied = |store: &Arc<Store>| store.epoch() <= self.applied.load(Ordering::Acquire);
        self.store.lend(is_applied).unwrap_or(false) && !self.lacks_rows.load(Ordering::Acquire)
    }

    pub(super) fn may_have_missed(&self, followed: &Followed) -> bool {
        self.clock.boot_millis().saturating_sub(followed.complete_at) > MISSED_MS
    }

    /// Notes a transaction of this process, of which the table has all rows, or gets them from the
    /// other calls whose rows are in it.
    pub(super) fn note_own(&self, sequence: Sequence) {
        let Ok(mut followed) = self.followed.try_lock() else { return };
        // The end, because a read may have stopped within the transaction before.
        let before = Position::end_of(sequence.saturating_sub(1));
        if followed.is_filled && followed.position == before {
            followed.position = Position::end_of(sequence);
            self.applied.store(sequence, Ordering::Release);
        }
    }

    pub(super) fn present(&self) -> Present {
        let proven = self.list.upgrade().map_or(0, |list| list.moment().proven);
        let boot = i64::try_from(self.clock.boot_millis()).unwrap_or(i64::MAX);
        Present { boot_id: self.boot_id, boot, proven }
    }
}

/// The start of the machine, as 16 bytes.
fn boot_id(clock: &dyn Clock) -> BootId {
    let Some(id) = clock.boot_id() else { return BootId::default() };
    let hash = digest::digest(&digest::SHA256, id.as_bytes());
    hash.as_ref().first_chunk().copied().unwrap_or_default()
}

/// The error of a call after the store was closed.
pub(super) fn closed() -> Error {
    let message = "the store of the sessions is closed; close it after the last request";
    Error::new(Code::StoreClosed, message)
}

/// Locks a mutex, also after a panic.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
