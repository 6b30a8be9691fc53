//! How a ring gets its next key: on request, and by time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use super::pending::PendingKey;
use super::ring::{KeyRing, no_active_key};
use super::state::{KeyChange, KeyState};
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
    pub fn rotate(&self, force: bool, generate: impl Fn() -> Result<Key>) -> Result<String> {
        loop {
            let epoch = self.epoch();
            let (plan, _) = self.change(0, |book, now| {
                if let Some(due) = book.published().filter(|due| !force && now < *due) {
                    return Err(not_published(due - now));
                }
                let has_next = book.only(KeyState::Next).is_some();
                let has_active = book.only(KeyState::Active).is_some();
                let is_immediate = !has_next && (force || !has_active);
                book.check_room(if is_immediate { 2 } else { 1 }, now)?;
                Ok(is_immediate)
            });
            let is_immediate = plan?;
            if epoch != self.epoch() {
                continue;
            }
            let immediate = if is_immediate { Some(generate()?) } else { None };
            let next = generate()?;
            let (rotated, _) = self.change(0, |book, now| {
                if epoch != self.epoch() {
                    return None;
                }
                match immediate {
                    Some(key) => book.put(Arc::new(key), KeyState::Active, now),
                    None => book.promote(now),
                }
                book.put(Arc::new(next), KeyState::Next, now);
                let active = book.only(KeyState::Active);
                Some(active.map(|active| active.info.kid.clone()).ok_or_else(no_active_key))
            });
            if let Some(kid) = rotated {
                return kid;
            }
        }
    }

    /// Does what is due at `now`, in seconds since 1970, and returns the changes. Forgets retired
    /// keys that no token needs any more. With `rotate_every` it also promotes the next key and
    /// publishes a new one. However much time has passed, it promotes one key.
    ///
    /// A `now` in the past counts as the present, because no key was published before it was made.
    /// A `now` in the future is believed: keys that it forgets or promotes stay forgotten or
    /// promoted. The time of the wall clock is not such a future, however far it is ahead.
    pub fn tick(&self, now: u64) -> Vec<KeyChange> {
        let now = if now > self.clock.unix_seconds() { now } else { 0 };
        // Announced before the order, so that nobody sees the order without the announcement.
        let pending = self.options.algorithm.is_rsa().then(|| self.expect_key());
        let (is_ordered, changes) = self.change(now, |book, now| {
            book.apply(now);
            while book.missing(now).is_some() {
                if pending.is_some() {
                    book.order();
                    return true;
                }
                book.deliver(Key::generate(self.options.algorithm, None, None), now);
            }
            false
        });
        if let Some(pending) = pending.filter(|_| is_ordered) {
            self.make_ahead(now, pending);
        }
        changes
    }

    /// [`Self::tick`], if anything is due or the clock has been set back.
    pub fn catch_up(&self, now: u64) {
        if now >= self.due.load(Ordering::Acquire) || now < self.latest.load(Ordering::Acquire) {
            self.tick(now);
        }
    }

    /// Makes the missing key on a thread of its own.
    fn make_ahead(&self, earliest: u64, pending: PendingKey) {
        let (ring, algorithm) = (self.me.clone(), self.options.algorithm);
        let make = move || {
            let _pending = pending;
            let made = catch_unwind(AssertUnwindSafe(|| Key::generate(algorithm, None, None)));
            if let Some(ring) = ring.upgrade() {
                let made = made.unwrap_or_else(|_| Err(not_made()));
                ring.change(earliest, |book, now| book.deliver(made, now));
            }
        };
        if thread::Builder::new().name("nodesec-key".into()).spawn(make).is_err() {
            self.change(earliest, |book, now| book.deliver(Err(not_made()), now));
        }
    }
}

fn not_published(seconds: u64) -> Error {
    Error::new(
        Code::KeyringNotPublished,
        format!(
            "the next key must be published for jwksMaxAge and 30 s before it signs: rotate again \
             in {seconds} s, or pass force: true if no verifier caches the JWKS"
        ),
    )
}

fn not_made() -> Error {
    Error::new(Code::Internal, "the key could not be generated; try again")
}
