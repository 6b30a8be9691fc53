//! The states of a ring's keys and the transitions between them. The code is pure: the time is an
//! argument.
//!
//! ```text
//! add, rotate, deliver ──> next ──promote──> active ──> retired ──expire──> (forgotten)
//!                           └───────────displaced─────────^
//!                          any of them ──revoke──> revoked; the id is never used again
//! ```
//!
//! With `rotate_every` the caller makes the key that is [`missing`](Book::missing). It makes the
//! key at once and `deliver`s it, or it calls `order` and has the key made elsewhere; then no key
//! is missing until that one has been `deliver`ed. If a key could not be made, or there was no room
//! for it, another one is made later.

use std::sync::Arc;

use super::options::{MAX_RING_KEYS, RingOptions};
use super::state::{KeyChange, KeyInfo, KeyState};
use crate::error::{Code, Error, Result};
use crate::jwt::key::key::Key;

/// Seconds that are added to `jwks_max_age` before a key signs. A JWKS without the key may have
/// been in transit when the key was published, or may have been made in the same second; it stays
/// cached for that much longer. Caches that follow RFC 9111 section 4.2.3 count from their request,
/// but not all clients that fetch keys do.
const IN_TRANSIT: u64 = 30;

/// Seconds from a failure to make a key until the next attempt.
const RETRY: u64 = 10;

/// The keys of a ring, the changes to report, and the progress of a key that is being made.
pub(super) struct Book {
    options: RingOptions,
    entries: Vec<RingEntry>,
    changes: Vec<KeyChange>,
    making: Making,
}

/// One key in its state.
pub(super) struct RingEntry {
    /// The description of the key, without its material.
    pub info: KeyInfo,
    /// Present while the key signs or is to sign. It is dropped, and so wiped, when the key retires
    /// or is revoked.
    pub signing: Option<Arc<Key>>,
    /// Without a private half, except for HMAC. Dropped when the key is revoked.
    pub verifying: Option<Arc<Key>>,
}

/// Whether the missing key is being made.
#[derive(Clone, Copy)]
enum Making {
    /// No key is being made; from this time on one may be.
    From(u64),
    /// A key is being made elsewhere.
    Ordered,
}

impl Book {
    pub(super) fn new(options: RingOptions) -> Self {
        Self { options, entries: Vec::new(), changes: Vec::new(), making: Making::From(0) }
    }

    pub(super) fn entries(&self) -> &[RingEntry] {
        &self.entries
    }

    /// The key in a state that at most one key has: next or active.
    pub(super) fn only(&self, state: KeyState) -> Option<&RingEntry> {
        self.entries.iter().find(|entry| entry.info.state == state)
    }

    /// Takes the changes since the last call.
    pub(super) fn take_changes(&mut self) -> Vec<KeyChange> {
        std::mem::take(&mut self.changes)
    }

    /// Adds a key that was made elsewhere. Without `state` it becomes active if no key is, else
    /// next. `ERR_KEYRING_DUPLICATE` if the ring has a key with this `kid`, even a revoked one;
    /// `ERR_JWT_KEY` if a public key is to sign; `ERR_KEYRING_FULL` if there is no room.
    pub(super) fn add(&mut self, key: Arc<Key>, state: Option<KeyState>, now: u64) -> Result<()> {
        let state = state.unwrap_or_else(|| match self.only(KeyState::Active) {
            Some(_) => KeyState::Next,
            None => KeyState::Active,
        });
        if self.entries.iter().any(|entry| entry.info.kid == key.kid()) {
            return Err(Error::new(
                Code::KeyringDuplicate,
                "the ring has or had a key with this kid; give every key its own kid",
            ));
        }
        if matches!(state, KeyState::Next | KeyState::Active) && !key.is_private() {
            return Err(Error::new(
                Code::JwtKey,
                "a public key cannot sign; add it with state 'retired', which verifies only",
            ));
        }
        self.check_room(1, now)?;
        self.put(key, state, now);
        Ok(())
    }

    /// Forgets keys that verify nothing any more, then checks that `more` keys have room, and makes
    /// it in memory: `ERR_KEYRING_FULL` otherwise.
    pub(super) fn check_room(&mut self, more: usize, now: u64) -> Result<()> {
        self.expire(now);
        if self.entries.len().saturating_add(more) <= MAX_RING_KEYS {
            return self.reserve(more);
        }
        Err(Error::new(
            Code::KeyringFull,
            format!(
                "the ring is full: it holds at most {MAX_RING_KEYS} keys, including revoked keys; \
                 wait until retired keys are removed, or create a new ring"
            ),
        ))
    }

    /// Makes room for `more` keys in memory.
    pub(super) fn reserve(&mut self, more: usize) -> Result<()> {
        self.entries.try_reserve(more).map_err(|_| {
            let message = "there is no memory for another key; give the process more";
            Error::new(Code::KeyringFull, message)
        })
    }

    /// Puts a key into a state and retires the key that it displaces. There must be room for it.
    pub(super) fn put(&mut self, key: Arc<Key>, state: KeyState, now: u64) {
        self.expire(now);
        if matches!(state, KeyState::Next | KeyState::Active) {
            self.retire(state, now);
        }
        let info =
            KeyInfo { kid: key.kid().to_owned(), algorithm: key.algorithm(), state, since: now };
        self.changes.push(KeyChange::of(&info, None, Some(state), now));
        self.entries.push(RingEntry::new(info, key));
    }

    /// Restores a key from a sealed ring, without reporting a change. There must be room for it.
    pub(super) fn restore(&mut self, info: KeyInfo, key: Option<Arc<Key>>) {
        self.entries.push(match key {
            Some(key) => RingEntry::new(info, key),
            None => RingEntry { info, signing: None, verifying: None },
        });
    }

    /// Makes the next key the active one, and retires the active one. Does nothing without a next
    /// key.
    pub(super) fn promote(&mut self, now: u64) {
        if self.only(KeyState::Next).is_some() {
            self.retire(KeyState::Active, now);
            self.turn(KeyState::Next, KeyState::Active, now);
        }
    }

    /// Revokes a key for good. `ERR_KEYRING_UNKNOWN_KEY` if the ring does not have it.
    pub(super) fn revoke(&mut self, kid: &str, now: u64) -> Result<()> {
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.info.kid == kid) else {
            return Err(Error::new(
                Code::KeyringUnknownKey,
                "the ring has no key with this kid; list() returns its keys",
            ));
        };
        let from = entry.info.state;
        if from != KeyState::Revoked {
            entry.set(KeyState::Revoked, now);
            (entry.signing, entry.verifying) = (None, None);
            let change = KeyChange::of(&entry.info, Some(from), Some(KeyState::Revoked), now);
            self.changes.push(change);
        }
        Ok(())
    }

    /// Does what is due and needs no new key: forgets keys that verify nothing any more, and
    /// promotes.
    pub(super) fn apply(&mut self, now: u64) {
        self.expire(now);
        if self.promotion().is_some_and(|at| now >= at) {
            self.promote(now);
        }
    }

    /// The state for which a key must be made now; `None` if no key is missing.
    pub(super) fn missing(&self, now: u64) -> Option<KeyState> {
        let may = matches!(self.making, Making::From(start) if now >= start);
        if !may || self.options.rotate_every.is_none() || self.only(KeyState::Next).is_some() {
            return None;
        }
        Some(if self.entries.is_empty() { KeyState::Active } else { KeyState::Next })
    }

    /// Records that the missing key is being made elsewhere.
    pub(super) fn order(&mut self) {
        self.making = Making::Ordered;
    }

    /// Takes the key that has been made, or the failure to make one. The key is added if one is
    /// still missing. After a failure, or if there is no room, the next attempt is due in 10 s.
    pub(super) fn deliver(&mut self, made: Result<Key>, now: u64) {
        self.making = Making::From(0);
        let Some(state) = self.missing(now) else { return };
        match made.and_then(|key| self.check_room(1, now).map(|()| key)) {
            Ok(key) => self.put(Arc::new(key), state, now),
            Err(_) => self.making = Making::From(now.saturating_add(RETRY)),
        }
    }

    /// Moves every time in the future to `now`, and returns whether there were any. The clock may
    /// have been set back, or a `tick` may have looked ahead; without this a retired key would
    /// verify for too long. A pending attempt to make a key becomes due within 10 s.
    pub(super) fn correct(&mut self, now: u64) -> bool {
        let mut is_corrected = false;
        for entry in self.entries.iter_mut().filter(|entry| entry.info.since > now) {
            entry.info.since = now;
            is_corrected = true;
        }
        if let Making::From(start) = &mut self.making {
            *start = (*start).min(now.saturating_add(RETRY));
        }
        is_corrected
    }

    /// The latest time at which a key entered its state.
    pub(super) fn latest(&self) -> u64 {
        self.entries.iter().map(|entry| entry.info.since).max().unwrap_or(0)
    }

    /// When [`Self::apply`] or [`Self::missing`] will next have something to do.
    pub(super) fn due(&self) -> u64 {
        let missing = match self.making {
            Making::From(start)
                if self.options.rotate_every.is_some() && self.only(KeyState::Next).is_none() =>
            {
                start
            }
            _ => u64::MAX,
        };
        let expiries = self.entries.iter().filter_map(|entry| self.until(entry));
        expiries.chain(self.promotion()).fold(missing, u64::min)
    }

    /// When the next key may sign: from then on every verifier knows it.
    pub(super) fn published(&self) -> Option<u64> {
        let next = self.only(KeyState::Next)?;
        let cached = match self.options.jwks_max_age {
            0 => 0,
            max_age => max_age.saturating_add(IN_TRANSIT),
        };
        Some(next.info.since.saturating_add(cached))
    }

    /// Until when a key verifies. The rule is the same for every verifier and for the JWKS. `None`
    /// for a key that is refused already.
    pub(super) fn usable(&self, entry: &RingEntry, now: u64) -> Option<u64> {
        let until = self.until(entry)?;
        (now < until).then_some(until)
    }

    fn until(&self, entry: &RingEntry) -> Option<u64> {
        match entry.info.state {
            KeyState::Next | KeyState::Active => Some(u64::MAX),
            KeyState::Retired => Some(entry.info.since.saturating_add(self.options.longest_use())),
            KeyState::Revoked => None,
        }
    }

    /// When the next key is promoted by time: the active key, if there is one, has signed for
    /// `rotate_every`, and the next key has been published long enough.
    fn promotion(&self) -> Option<u64> {
        let (every, published) = (self.options.rotate_every?, self.published()?);
        let active = self.only(KeyState::Active);
        Some(active.map_or(0, |active| active.info.since.saturating_add(every)).max(published))
    }

    /// Forgets keys that verify nothing any more. A revoked key stays, so that its id is not used
    /// again. Without memory to report the changes, all of them stay until a later call.
    fn expire(&mut self, now: u64) {
        let stays = |book: &Self, entry: &RingEntry| {
            entry.info.state == KeyState::Revoked || book.usable(entry, now).is_some()
        };
        let gone = self.entries.iter().filter(|entry| !stays(self, entry)).count();
        if self.changes.try_reserve(gone).is_err() {
            return;
        }
        let mut entries = std::mem::take(&mut self.entries);
        entries.retain(|entry| {
            let stays = stays(self, entry);
            if !stays {
                let change = KeyChange::of(&entry.info, Some(entry.info.state), None, now);
                self.changes.push(change);
            }
            stays
        });
        self.entries = entries;
    }

    fn retire(&mut self, state: KeyState, now: u64) {
        self.turn(state, KeyState::Retired, now);
    }

    fn turn(&mut self, from: KeyState, to: KeyState, now: u64) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.info.state == from) {
            entry.set(to, now);
            if to == KeyState::Retired {
                entry.signing = None;
            }
            self.changes.push(KeyChange::of(&entry.info, Some(from), Some(to), now));
        }
    }
}

impl RingEntry {
    fn new(info: KeyInfo, key: Arc<Key>) -> Self {
        let signs = matches!(info.state, KeyState::Next | KeyState::Active);
        let signing = signs.then(|| key.clone());
        Self { info, signing, verifying: Some(key.without_private()) }
    }

    fn set(&mut self, state: KeyState, now: u64) {
        self.info.state = state;
        self.info.since = now;
    }
}
