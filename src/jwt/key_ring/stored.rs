//! The ring of a store.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::book::Book;
use super::entries::Times;
use super::options::{RingOptions, RingOverrides};
use super::plain::Plain;
use super::record::{self, Place, RingRecord};
use super::ring::{Home, KeyRing};
use crate::clock::{Clock, ProvenTime};
use crate::error::{Code, Error, Result};
use crate::jwt::key::key::Key;
use crate::store::{Entry, Position, Replay, SealedRecord, Sequence, Store};

/// The ring of a store, which all threads of the process share. A store has one.
#[derive(Default)]
pub struct StoredRing {
    /// Whether the ring answers while the store cannot be read.
    answers_from_memory: bool,
    made: Mutex<Option<Arc<KeyRing>>>,
    /// Held while the ring is opened, which waits for the thread of the store.
    opening: Mutex<()>,
}

impl StoredRing {
    /// A ring that is not open.
    ///
    /// `answers_from_memory` says whether the ring answers while the store cannot be read.
    pub fn new(answers_from_memory: bool) -> Self {
        Self { answers_from_memory, ..Self::default() }
    }

    /// Opens the ring. If the store has none, makes it with its first keys, in one transaction.
    /// `ERR_INVALID_ARG_VALUE` if an option that is given is not the ring's; `ERR_OUT_OF_RANGE` if
    /// the options of a new ring do not fit together.
    pub fn open(
        &self,
        store: &Store,
        given: &RingOverrides,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<KeyRing>> {
        let _opening = lock(&self.opening);
        store.check()?;
        let made = lock(&self.made).clone();
        if let Some(ring) = made {
            ring.list()?;
            return agreed(ring, given, "of the store");
        }
        let (book, time, place, applied) = loop {
            // Read before the record, which therefore is not older.
            let epoch = store.epoch();
            if let Some((place, plain)) = record::read(store)? {
                let Plain { options, entries, times, .. } = plain;
                let time = ProvenTime::from_bytes(&times, &*clock);
                let time = time.unwrap_or_else(|| ProvenTime::start(&*clock));
                break (Book::restored(options, entries), time, place, epoch);
            }
            let time = ProvenTime::start(&*clock);
            if let Some((book, place, sequence)) = create(store, given, &*clock, time)? {
                break (book, time, place, sequence);
            }
        };
        let record = RingRecord::new(store, self.answers_from_memory, place, applied);
        let ring = KeyRing::of_record(book, clock, time, record);
        let mut made = lock(&self.made);
        // After the lock: a store that is closed meanwhile closes the ring, too.
        store.check()?;
        // Also if the options do not agree, as the next opener then finds it.
        *made = Some(ring.clone());
        drop(made);
        agreed(ring, given, "of the store")
    }
}

impl Replay for StoredRing {
    fn entry(&mut self, _: Position, _: &Entry) -> Result<()> {
        Ok(())
    }

    // The ring reads its record when it is opened.
    fn record(&mut self, _: &SealedRecord<'_>) -> Result<()> {
        Ok(())
    }

    /// Reads what other processes have changed, and does what is due.
    fn looked(&self) {
        // Another thread that has the lock may wait for this one.
        let made = self.made.try_lock().ok().and_then(|made| made.clone());
        if let Some(ring) = made {
            // If it fails, the next answer fails.
            let _ = ring.catch_up(ring.clock.unix_seconds());
        }
    }

    fn is_used(&self) -> bool {
        // An issuer or a verifier may have the ring when nobody has the store any more.
        lock(&self.made).as_ref().is_some_and(|ring| Arc::strong_count(ring) > 1)
    }

    fn closed(&self) {
        // The ring holds the store, which holds this object.
        let made = lock(&self.made).take();
        if let Some(ring) = made
            && let Home::Store(record) = &ring.home
        {
            ring.close(record);
        }
    }
}

/// Makes the ring of a store, with an active key and the next one. `None` if another process was
/// first.
fn create(
    store: &Store,
    given: &RingOverrides,
    clock: &dyn Clock,
    mut time: ProvenTime,
) -> Result<Option<(Book, Place, Sequence)>> {
    let options = given.over(RingOptions::default());
    options.check_period()?;
    let generate = || Key::generate(options.algorithm, None, None);
    let (active, next) = (generate()?, generate()?);
    let mut book = Book::new(options);
    let now = time.observe(clock).steady / 1000;
    book.rotate(Some(active), next, Times { now, proven: 0 });
    book.take_changes();
    let written = record::write(store, None, &book, time)?;
    Ok(written.map(|(place, sequence)| (book, place, sequence)))
}

/// The ring of a `place`, unless an option that is given is not the ring's.
pub(super) fn agreed(
    ring: Arc<KeyRing>,
    given: &RingOverrides,
    place: &str,
) -> Result<Arc<KeyRing>> {
    match given.conflict_with(&ring.options()) {
        None => Ok(ring),
        Some(option) => Err(Error::new(
            Code::InvalidArgValue,
            format!(
                "{option} must be that of the key ring {place}, which was made before: pass the \
                 same value or leave it out; configure() changes rotateEvery, and a ring with \
                 another alg needs another store or prefix"
            ),
        )),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
