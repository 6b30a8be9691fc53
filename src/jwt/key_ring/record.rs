//! The record of a ring in a store: its bytes, its place, and whether this process has read it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use zeroize::Zeroizing;

use super::book::Book;
use super::entry::RingEntry;
use super::plain::{self, Plain};
use crate::clock::ProvenTime;
use crate::error::{Code, Error, Result};
use crate::secret::{SealKind, Secret};
use crate::store::{
    Batch, Commit, Expected, MAX_VALUE_LEN, Position, RecordChange, Sequence, Store, StoreSlot,
};

/// The name of the record.
const NAME: &[u8] = b"keyring/ring";

/// The context of the seal, which no sealed ring of an application has.
const CONTEXT: &[u8] = b"store";

/// A ring's place in a store, and what this process has read of it.
pub(super) struct RingRecord {
    store: StoreSlot,
    /// The longest wait for a commit.
    pub(super) patience: Duration,
    /// Whether the ring answers while the store cannot.
    answers_from_memory: bool,
    place: Mutex<Place>,
    /// The last transaction whose version of the ring this process has.
    applied: AtomicU64,
    /// Whether a thread does what is due.
    pub(super) is_rotating: AtomicBool,
    /// When the next attempt to do what is due may begin, in seconds since 1970.
    pub(super) rotates_from: AtomicU64,
}

/// The place of a version of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The place of the change that wrote the record.
    pub position: Position,
    /// The number of changes so far.
    pub version: u64,
}

/// The one thread of a process that does what is due.
pub(super) struct Rotating(Arc<RingRecord>);

impl RingRecord {
    /// A record that was read, or written, at a place when the epoch was `applied`.
    pub(super) fn new(
        store: &Store,
        answers_from_memory: bool,
        place: Place,
        applied: Sequence,
    ) -> Self {
        Self {
            store: StoreSlot::new(store),
            patience: store.patience(),
            answers_from_memory,
            place: Mutex::new(place),
            applied: AtomicU64::new(applied),
            is_rotating: AtomicBool::new(false),
            rotates_from: AtomicU64::new(0),
        }
    }

    /// The most seconds from the making of a key until every process can see it.
    pub(super) fn publishing(&self) -> u64 {
        self.patience.as_secs()
    }

    /// Whether the ring is the newest version of any process, and the store is well.
    pub(super) fn is_current(&self) -> bool {
        let is_current = |store: &Arc<Store>| {
            store.epoch() <= self.applied.load(Ordering::Acquire) && store.failing().is_none()
        };
        self.store.lend(is_current).unwrap_or(false)
    }

    /// The store. Fails with `ERR_STORE_CLOSED` if it is closed.
    pub(super) fn store(&self) -> Result<Arc<Store>> {
        self.store.get()
    }

    /// The place of the version that this process has. While it is locked, no other thread adopts
    /// another version.
    pub(super) fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that the ring is the newest version as of a transaction.
    pub(super) fn note_applied(&self, sequence: Sequence) {
        self.applied.fetch_max(sequence, Ordering::AcqRel);
    }

    /// Every later call fails with `ERR_STORE_CLOSED`, and nothing of the store stays mapped.
    pub(super) fn close(&self) {
        self.store.empty();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.store.is_empty()
    }

    /// Reads the version behind a place, if there is one.
    pub(super) fn newer(
        &self,
        place: Place,
        known: &[RingEntry],
    ) -> Result<Option<(Place, Plain)>> {
        let store = self.store()?;
        if let Some(code @ Code::StoreCorrupt) = store.failing() {
            return Err(Error::new(code, "the store is damaged; restore it from a backup"));
        }
        let found = store.newer_record(NAME, place.position)?;
        let read = |(position, value): (Position, Zeroizing<Vec<u8>>)| {
            let plain = open(&store, &value, known)?;
            Ok((Place { position, version: plain.version }, plain))
        };
        found.map(read).transpose()
    }

    /// The answer while the store cannot be read.
    pub(super) fn without_store(&self, error: Error) -> Result<()> {
        let is_final = matches!(error.code, Code::StoreCorrupt | Code::StoreClosed);
        if self.answers_from_memory && !is_final { Ok(()) } else { Err(error) }
    }

    /// Begins to do what is due, unless another thread does. `now` is in seconds since 1970.
    pub(super) fn begin_rotation(self: &Arc<Self>, now: u64) -> Option<Rotating> {
        let may = now >= self.rotates_from.load(Ordering::Acquire)
            && !self.is_rotating.swap(true, Ordering::AcqRel);
        may.then(|| Rotating(self.clone()))
    }
}

impl Drop for Rotating {
    fn drop(&mut self) {
        self.0.is_rotating.store(false, Ordering::Release);
    }
}

/// Reads the version of a store, with its place. `None` if the store has no ring.
pub(super) fn read(store: &Store) -> Result<Option<(Place, Plain)>> {
    let Some((position, value)) = store.record(NAME)? else { return Ok(None) };
    let plain = open(store, &value, &[])?;
    Ok(Some((Place { position, version: plain.version }, plain)))
}

/// Commits a version, and waits until it is durable and every process can see it. Without `place`
/// it is the first one. Returns its place and its transaction; `None` if another process was first.
/// `ERR_KEYRING_FULL` if the ring is too large for a record.
pub(super) fn write(
    store: &Store,
    place: Option<Place>,
    book: &Book,
    time: ProvenTime,
) -> Result<Option<(Place, Sequence)>> {
    let version = place.map_or(1, |place| place.version.saturating_add(1));
    let plain = plain::write(book, book.options().rotate_every, version, &time.to_bytes())?;
    let value = plain.seal(store.secrets_key(), SealKind::Ring, CONTEXT)?;
    if value.len() > MAX_VALUE_LEN {
        return Err(Error::new(
            Code::KeyringFull,
            format!(
                "the keys of the ring take {} bytes, and its store has room for {MAX_VALUE_LEN}; \
                 wait until retired keys are removed, or use smaller keys",
                value.len()
            ),
        ));
    }
    let change = RecordChange {
        name: NAME.to_vec(),
        expected: place.map_or(Expected::Absent, |place| Expected::At(place.position)),
        value: Some(Zeroizing::new(value)),
    };
    let batch = Batch { records: vec![change], ..Batch::default() };
    Ok(match store.commit_and_wait(batch, store.patience())? {
        Commit::Conflict => None,
        Commit::Done(receipt) => {
            let place =
                receipt.records.first().map(|position| Place { position: *position, version });
            place.map(|place| (place, receipt.sequence))
        }
    })
}

fn open(store: &Store, value: &[u8], known: &[RingEntry]) -> Result<Plain> {
    let plain = Secret::unseal(value, store.secrets_key(), SealKind::Ring, CONTEXT);
    plain.and_then(|plain| plain::read(&plain, known)).map_err(|error| match error.code {
        Code::SecretSeal => Error::new(
            Code::StoreOpen,
            "a later release of this package wrote the key ring of the store; use that release",
        ),
        _ => error,
    })
}
