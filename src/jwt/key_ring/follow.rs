//! Keeps a ring up to date with its store.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use super::book::Book;
use super::difference::changes_between;
use super::options::RingOptions;
use super::plain::Plain;
use super::record::{Place, RingRecord};
use super::ring::{Home, KeyRing};
use crate::error::Result;
use crate::store::Sequence;

impl KeyRing {
    /// Applies the newest version that any process has committed before this call. If the store
    /// cannot be read, the ring answers from memory or fails, as the store's opener has chosen. It
    /// takes four loads if there is no newer version.
    #[inline]
    pub(super) fn follow(&self) -> Result<()> {
        match &self.home {
            Home::Store(record) if !record.is_current() => {
                self.read_newer(record).or_else(|error| record.without_store(error))
            }
            // The façade looks at the server.
            Home::Server(server) => server.check_open(),
            Home::Store(_) | Home::Memory => Ok(()),
        }
    }

    #[cold]
    pub(super) fn read_newer(&self, record: &RingRecord) -> Result<()> {
        // Read before the record, which therefore is not older.
        let epoch = record.store()?.epoch();
        let place = *record.place();
        // Not under the lock of the book, which signing and verifying take.
        let known = self.read().entries().to_vec();
        if let Some((place, plain)) = record.newer(place, &known)? {
            let Plain { options, entries, .. } = plain;
            let options =
                RingOptions { rotate_every: options.rotate_every, ..*self.read().options() };
            self.adopt(record, Book::restored(options, entries), place);
        }
        record.note_applied(epoch);
        Ok(())
    }

    /// Takes a version, unless this process has it or a later one.
    fn adopt(&self, record: &RingRecord, book: Book, place: Place) {
        let now = self.now();
        let mut held = self.book.write().unwrap_or_else(PoisonError::into_inner);
        let mut known = record.place();
        if place.position <= known.position || record.is_closed() {
            return;
        }
        *known = place;
        self.put(&mut held, book.in_store(record.publishing()), now);
    }

    /// Replaces the book by a later one. Reports the changes before anybody can see them.
    pub(super) fn put(&self, held: &mut Book, book: Book, now: u64) {
        let changes = changes_between(held.entries(), book.entries(), now);
        *held = book;
        self.note(held);
        self.epoch.fetch_add(1, Ordering::AcqRel);
        if !changes.is_empty() {
            self.listeners.tell(&changes);
        }
    }

    /// Takes a version that this process has committed.
    pub(super) fn adopt_own(
        &self,
        record: &RingRecord,
        book: Book,
        place: Place,
        sequence: Sequence,
    ) {
        self.adopt(record, book, place);
        // The version before was the newest one until this transaction.
        record.note_applied(sequence);
    }

    /// Forgets the keys. Every later call fails with `ERR_STORE_CLOSED`.
    pub(super) fn close(&self, record: &RingRecord) {
        let mut held = self.book.write().unwrap_or_else(PoisonError::into_inner);
        record.close();
        self.forget(&mut held);
    }

    pub(super) fn forget(&self, held: &mut Book) {
        *held = Book::new(*held.options());
        self.note(held);
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }
}
