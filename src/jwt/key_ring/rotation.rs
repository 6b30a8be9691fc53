//! How a ring gets its next key: on request, and by time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use super::book::{Book, RETRY, SigningIds};
use super::entries::Times;
use super::pending::PendingKey;
use super::record::RingRecord;
use super::ring::{Home, KeyRing, no_active_key};
use super::state::KeyChange;
use crate::error::{Code, Error, Result};
use crate::jwt::key::key::Key;

impl KeyRing {
    /// Promotes the next key and publishes a new one; returns the id of the key that now signs.
    ///
    /// The next key must have been published for `jwks_max_age` and 30 s, unless `force`d;
    /// otherwise `ERR_KEYRING_NOT_PUBLISHED`. A ring without a next key only publishes one. If it
    /// has no active key either, it also gets an active key at once, since no token is verified by
    /// another key yet; with `force` it gets one in any case. The ring is not locked while
    /// `generate` runs. `ERR_KEYRING_FULL` if there is no room for the new keys.
    ///
    /// On a store, a ring that another process has rotated since this process last looked is not
    /// rotated again.
    pub fn rotate(&self, force: bool, generate: impl Fn() -> Result<Key>) -> Result<String> {
        if self.is_durable() {
            return self.rotate_in_store(force, generate);
        }
        loop {
            let epoch = self.epoch();
            let (is_immediate, _) =
                self.change(0, |book, times| book.plan_rotation(force, times))?;
            if epoch != self.epoch() {
                continue;
            }
            let mut immediate = if is_immediate { Some(generate()?) } else { None };
            let mut next = Some(generate()?);
            let (rotated, _) = self.change(0, |book, times| {
                let next = next.take().filter(|_| epoch == self.epoch());
                Ok(next.map(|next| book.rotate(immediate.take(), next, times)))
            })?;
            if let Some(kid) = rotated {
                return kid.ok_or_else(no_active_key);
            }
        }
    }

    fn rotate_in_store(&self, force: bool, generate: impl Fn() -> Result<Key>) -> Result<String> {
        let seen = self.read().signing_ids();
        let (kid, _) =
            self.change(0, |book, times| rotate_once(book, &seen, force, times, &generate))?;
        kid.ok_or_else(no_active_key)
    }

    /// Does what is due at `now`, in seconds since 1970, and returns the changes. Forgets retired
    /// and revoked keys that no token needs any more. With `rotate_every` it also promotes the next
    /// key and publishes a new one. However much time has passed, it promotes one key.
    ///
    /// A `now` in the past counts as the present, because no key was published before it was made.
    /// A `now` in the future is believed: keys that it forgets or promotes stay forgotten or
    /// promoted. The time of the wall clock is not such a future, however far it is ahead.
    pub fn tick(&self, now: u64) -> Result<Vec<KeyChange>> {
        let earliest = self.future(now);
        // Announced before the order, so that nobody sees the order without the announcement.
        let pending = self.algorithm().is_rsa().then(|| self.expect_key());
        let (is_missing, changes) = self.change(earliest, |book, times| {
            book.apply(times);
            if pending.is_none() {
                book.make_missing(|| self.generate(), times);
                return Ok(false);
            }
            let is_missing = book.missing(times.now).is_some();
            if is_missing && !self.is_durable() {
                book.order();
            }
            Ok(is_missing)
        })?;
        if let Some(pending) = pending.filter(|_| is_missing) {
            match &self.home {
                Home::Memory => self.make_ahead(earliest, pending),
                Home::Store(record) => self.begin_rotation(record, earliest),
                Home::Server(_) => {}
            }
        }
        Ok(changes)
    }

    /// Reads what other processes have changed. Does what is due, or has it done if the ring is on
    /// a store: until then the present key signs.
    pub fn catch_up(&self, now: u64) -> Result<()> {
        self.follow()?;
        if now >= self.due.load(Ordering::Acquire) || now < self.latest.load(Ordering::Acquire) {
            match &self.home {
                Home::Memory => drop(self.tick(now)?),
                Home::Store(record) => self.begin_rotation(record, self.future(now)),
                // The façade looks every second.
                Home::Server(_) => {}
            }
        }
        Ok(())
    }

    /// A time in the future, which is believed; 0 for any other.
    fn future(&self, now: u64) -> u64 {
        if now > self.clock.unix_seconds() { now } else { 0 }
    }

    fn generate(&self) -> Result<Key> {
        Key::generate(self.algorithm(), None, None)
    }

    /// Makes the missing key on a thread of its own.
    fn make_ahead(&self, earliest: u64, pending: PendingKey) {
        let (ring, algorithm) = (self.me.clone(), self.algorithm());
        let make = move || {
            let _pending = pending;
            let made = catch_unwind(AssertUnwindSafe(|| Key::generate(algorithm, None, None)));
            if let Some(ring) = ring.upgrade() {
                ring.deliver(made.unwrap_or_else(|_| Err(not_made())), earliest);
            }
        };
        if thread::Builder::new().name("nodesec-key".into()).spawn(make).is_err() {
            self.deliver(Err(not_made()), earliest);
        }
    }

    /// Takes a key, or the failure to make one, into a ring in memory.
    fn deliver(&self, made: Result<Key>, earliest: u64) {
        let mut made = Some(made);
        // It does not fail in memory.
        let _ = self.change(earliest, |book, times| {
            book.deliver(made.take().unwrap_or_else(|| Err(not_made())), times);
            Ok(())
        });
    }

    /// Does what is due in a ring on a store, on a thread of its own. The store's thread commits
    /// it. After a failure the next attempt is due in 10 s.
    fn begin_rotation(&self, record: &Arc<RingRecord>, earliest: u64) {
        // The caller's clock may be ahead of the time that counts here.
        let now = self.now().max(earliest);
        let is_due = move |ring: &Self| {
            now >= ring.due.load(Ordering::Acquire) || now < ring.latest.load(Ordering::Acquire)
        };
        if !is_due(self) {
            return;
        }
        let Some(rotating) = record.begin_rotation(now) else { return };
        let (ring, pending, record) = (self.me.clone(), self.expect_key(), record.clone());
        let rotate = {
            let record = record.clone();
            move || {
                let (_pending, _rotating) = (pending, rotating);
                let Some(ring) = ring.upgrade() else { return };
                let rotated = catch_unwind(AssertUnwindSafe(|| ring.rotate_by_time(earliest)));
                if !matches!(rotated, Ok(Ok(()))) || is_due(&ring) {
                    record.rotates_from.store(now.saturating_add(RETRY), Ordering::Release);
                }
            }
        };
        if thread::Builder::new().name("nodesec-key".into()).spawn(rotate).is_err() {
            record.rotates_from.store(now.saturating_add(RETRY), Ordering::Release);
        }
    }

    fn rotate_by_time(&self, earliest: u64) -> Result<()> {
        let due = self.change(earliest, |book, times| {
            book.apply(times);
            book.make_missing(|| self.generate(), times);
            Ok(())
        });
        due.map(drop)
    }
}

/// Rotates the keys of a copy, unless the ring no longer has the signing keys that the caller has
/// `seen`. Returns the id of the key that signs then.
pub(super) fn rotate_once(
    book: &mut Book,
    seen: &SigningIds,
    force: bool,
    times: Times,
    generate: impl Fn() -> Result<Key>,
) -> Result<Option<String>> {
    let SigningIds { active, next } = book.signing_ids();
    let has_another = active.is_some() && active != seen.active;
    let was_published = !force && seen.next.is_none() && next.is_some();
    if has_another || was_published {
        return Ok(active);
    }
    let is_immediate = book.plan_rotation(force, times)?;
    let immediate = if is_immediate { Some(generate()?) } else { None };
    Ok(book.rotate(immediate, generate()?, times))
}

fn not_made() -> Error {
    Error::new(Code::Internal, "the key could not be generated; try again")
}
