//! Changes a ring, in memory or in its store.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use super::book::Book;
use super::entries::Times;
use super::record::{self, RingRecord};
use super::ring::{Home, KeyRing};
use super::state::{KeyChange, KeyInfo, KeyState};
use crate::error::{Code, Error, Result};
use crate::jwt::key::key::Key;

impl KeyRing {
    /// Adds a key, up to 1000. Without a state the key becomes active if no key is, else next. The
    /// key that it displaces is retired.
    pub fn add(&self, key: &Arc<Key>, state: Option<KeyState>) -> Result<()> {
        self.change(0, |book, times| book.add(key.clone(), state, times)).map(drop)
    }

    /// Refuses a key from now on, in every issuer and verifier that uses the ring; on a store in
    /// every process.
    pub fn revoke(&self, kid: &str) -> Result<()> {
        self.change(0, |book, times| book.revoke(kid, times.now)).map(drop)
    }

    /// Changes the time after which the next key takes over; on a store for every process.
    /// `ERR_OUT_OF_RANGE` if it is too short.
    pub fn configure(&self, rotate_every: Option<u64>) -> Result<()> {
        self.change(0, |book, _| book.configure(rotate_every)).map(drop)
    }

    /// The keys in the order of their addition, revoked ones included.
    pub fn list(&self) -> Result<Vec<KeyInfo>> {
        self.follow()?;
        Ok(self.read().entries().iter().map(|entry| entry.info.clone()).collect())
    }

    /// Alters the book, and reports the changes before anybody can see them. On a store, `alter` is
    /// called again whenever another process was first, and an error of it undoes its changes.
    pub(super) fn change<T>(
        &self,
        earliest: u64,
        alter: impl FnMut(&mut Book, Times) -> Result<T>,
    ) -> Result<(T, Vec<KeyChange>)> {
        match &self.home {
            Home::Memory => self.change_in_memory(earliest, alter),
            Home::Store(record) => self.change_in_store(record, earliest, alter),
            Home::Server(_) => Err(Error::new(
                Code::KeyringSync,
                "a key ring on a server changes by promises only: call addAsync, revokeAsync, \
                 rotate or configure; it does by itself what is due",
            )),
        }
    }

    /// The clock is read under the lock, when nobody else can alter the book.
    fn change_in_memory<T>(
        &self,
        earliest: u64,
        mut alter: impl FnMut(&mut Book, Times) -> Result<T>,
    ) -> Result<(T, Vec<KeyChange>)> {
        let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
        let times = self.times(earliest);
        let is_corrected = book.correct(times.now);
        let result = alter(&mut book, times);
        let changes = book.take_changes();
        self.note(&book);
        if is_corrected || !changes.is_empty() {
            self.epoch.fetch_add(1, Ordering::AcqRel);
        }
        if !changes.is_empty() {
            self.listeners.tell(&changes);
        }
        Ok((result?, changes))
    }

    /// Alters a copy, and commits it if the store still has the version that was copied.
    fn change_in_store<T>(
        &self,
        record: &RingRecord,
        earliest: u64,
        mut alter: impl FnMut(&mut Book, Times) -> Result<T>,
    ) -> Result<(T, Vec<KeyChange>)> {
        let begun = Instant::now();
        let mut was_first = true;
        loop {
            if !was_first || !record.is_current() {
                self.read_newer(record)?;
            }
            let (mut book, place) = {
                let book = self.read();
                (book.clone(), *record.place())
            };
            let times = self.times(earliest);
            book.correct(times.now);
            let value = alter(&mut book, times)?;
            if !book.is_changed() {
                return Ok((value, Vec::new()));
            }
            // Only here: the change of another process may be all that the caller wants.
            if !was_first && begun.elapsed() > record.patience {
                return Err(Error::new(
                    Code::StoreBusy,
                    "other processes change the key ring all the time; try again",
                ));
            }
            let changes = book.take_changes();
            let written = record::write(&*record.store()?, Some(place), &book, self.proven_time())?;
            if let Some((place, sequence)) = written {
                self.adopt_own(record, book, place, sequence);
                return Ok((value, changes));
            }
            was_first = false;
        }
    }
}
