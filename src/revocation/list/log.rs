//! The log of a list: a store, and what this process has read of it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::row::Row;
use super::waiting::Waiting;
use crate::error::{Code, Error, Result};
use crate::store::{self, Appended, Follower, MAX_ROWS, Sequence, Store};

/// How long after the last one the next housekeeping is due, in seconds.
const TENDING_SECONDS: u64 = 60;

/// The rows that are applied under one lock, so that a verifier waits for few.
const AT_A_TIME: usize = 64;

/// A row, and how it is stored.
pub(super) type StoredRow = (Row, store::Entry);

pub(super) struct Log {
    pub(super) store: Store,
    /// Whether the list answers while the store cannot.
    answers_from_memory: bool,
    follower: Mutex<Follower>,
    /// The last transaction whose rows the list has.
    applied: AtomicU64,
    /// Rows of this process that are on their way.
    waiting: Mutex<Waiting>,
    tended: AtomicU64,
}

impl Log {
    /// A log whose replayed rows the list has.
    pub(super) fn new(store: Store, answers_from_memory: bool) -> Self {
        let follower = store.follower();
        Self {
            answers_from_memory,
            applied: AtomicU64::new(follower.sequence()),
            follower: Mutex::new(follower),
            waiting: Mutex::default(),
            tended: AtomicU64::new(0),
            store,
        }
    }

    /// The last transaction whose rows the list has.
    pub(super) fn applied(&self) -> Sequence {
        self.applied.load(Ordering::Acquire)
    }

    /// Whether the list has every row that any process has committed, and the store is well.
    pub(super) fn is_current(&self) -> bool {
        self.store.epoch() <= self.applied() && self.store.failing().is_none()
    }

    /// Reads the rows that the list does not have, and has `apply` add them. `apply` calls
    /// [`Self::is_own`] for each.
    pub(super) fn read(&self, apply: impl Fn(&[StoredRow]) -> Result<()>) -> Result<()> {
        if let Some(code @ Code::StoreCorrupt) = self.store.failing() {
            return Err(Error::new(code, "the store is damaged"));
        }
        let mut follower = lock(&self.follower);
        let epoch = self.store.epoch();
        loop {
            let mut next = follower.clone();
            let mut rows = Vec::new();
            let is_complete =
                self.store.entries_after(&mut next, MAX_ROWS, &mut |_, row| rows.push(*row))?;
            add(rows.iter(), &apply)?;
            *follower = next;
            self.applied.store(follower.sequence(), Ordering::Release);
            if is_complete || follower.sequence() >= epoch {
                return Ok(());
            }
        }
    }

    /// Has `apply` add the rows that this process has just committed, if the list has all rows
    /// before them.
    pub(super) fn take(
        &self,
        appended: &Appended<'_>,
        apply: impl Fn(&[StoredRow]) -> Result<()>,
    ) -> Result<()> {
        let mut follower = lock(&self.follower);
        let Some(rows) = appended.behind(&follower) else { return Ok(()) };
        add(rows, &apply)?;
        *follower = appended.end();
        self.applied.store(follower.sequence(), Ordering::Release);
        Ok(())
    }

    /// The answer while the store cannot be read.
    pub(super) fn without_store(&self, error: &Error) -> Result<()> {
        if self.answers_from_memory && error.code != Code::StoreCorrupt {
            return Ok(());
        }
        Err(Error::new(
            Code::RevocationStore,
            format!(
                "the store of the revocation list cannot answer ({}), so no token is accepted",
                error.code.as_str(),
            ),
        ))
    }

    /// Whether housekeeping is due, which the caller then does.
    pub(super) fn begins_tending(&self, now: u64) -> bool {
        let tended = self.tended.load(Ordering::Relaxed);
        now.abs_diff(tended) >= TENDING_SECONDS
            && self
                .tended
                .compare_exchange(tended, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// Makes housekeeping due.
    pub(super) fn tend_again(&self) {
        self.tended.store(0, Ordering::Relaxed);
    }

    /// The rows that are on their way. They change only while the state of the list is locked, or
    /// when rows were not written.
    pub(super) fn waiting(&self) -> MutexGuard<'_, Waiting> {
        lock(&self.waiting)
    }

    /// Whether this process has committed a row, which then is no longer on its way.
    pub(super) fn is_own(&self, row: &store::Entry) -> bool {
        self.waiting().remove(row)
    }
}

fn add<'a>(
    rows: impl Iterator<Item = &'a store::Entry>,
    apply: &impl Fn(&[StoredRow]) -> Result<()>,
) -> Result<()> {
    let rows: Vec<_> = rows.map(|row| Ok((Row::of(row)?, *row))).collect::<Result<_>>()?;
    rows.chunks(AT_A_TIME).try_for_each(apply)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
