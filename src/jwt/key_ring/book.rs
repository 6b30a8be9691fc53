//! The states of a ring's keys and the transitions between them. The code is pure: the time is an
//! argument.
//!
//! ```text
//! add, rotate, deliver ──> next ──promote──> active ──> retired ──expire──> (forgotten)
//!                           └───────────displaced─────────^
//!                          any of them ──revoke──> revoked ──expire──> (forgotten)
//! ```
//!
//! With `rotate_every` the caller makes the key that is [`missing`](Book::missing). It makes the
//! key at once and `deliver`s it, or it calls `order` and has the key made elsewhere; then no key
//! is missing until that one has been `deliver`ed. If a key could not be made, or there was no room
//! for it, another one is made later.

use std::sync::Arc;

use super::entries::{RingEntries, Times};
use super::entry::{Origin, RingEntry};
use super::options::RingOptions;
use super::spent::SpentIds;
use super::state::{KeyChange, KeyInfo, KeyState};
use crate::error::{Code, Error, Result};
use crate::jwt::key::key::Key;

/// Seconds that are added to `jwks_max_age` before a key signs. A JWKS without the key may have
/// been in transit when the key was published, or may have been made in the same second; it stays
/// cached for that much longer. Caches that follow RFC 9111 section 4.2.3 count from their request,
/// but not all clients that fetch keys do.
const IN_TRANSIT: u64 = 30;

/// Seconds from a failure to make a key until the next attempt.
pub(super) const RETRY: u64 = 10;

/// The keys of a ring, the changes to report, and the progress of a key that is being made.
#[derive(Clone)]
pub(super) struct Book {
    options: RingOptions,
    held: RingEntries,
    /// The seconds until a key that is added is published: 0 in memory, and the longest wait for a
    /// store.
    publishing: u64,
    making: Making,
}

/// The ids of the keys that sign or are to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SigningIds {
    pub active: Option<String>,
    pub next: Option<String>,
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
        Self::restored(options, RingEntries::new(Vec::new(), SpentIds::default()))
    }

    /// A book with the keys of a ring that was sealed or stored.
    pub(super) fn restored(options: RingOptions, held: RingEntries) -> Self {
        Self { options, held, publishing: 0, making: Making::From(0) }
    }

    /// A book that is kept in a store, which takes up to this many seconds to publish a key.
    pub(super) fn in_store(self, publishing: u64) -> Self {
        Self { held: self.held.needing_proof(), publishing, ..self }
    }

    pub(super) fn options(&self) -> &RingOptions {
        &self.options
    }

    pub(super) fn entries(&self) -> &[RingEntry] {
        &self.held.list
    }

    /// The ids of forgotten keys that must not be added again.
    pub(super) fn spent(&self) -> &SpentIds {
        &self.held.spent
    }

    /// The key in a state that at most one key has: next or active.
    pub(super) fn only(&self, state: KeyState) -> Option<&RingEntry> {
        self.held.only(state)
    }

    /// Whether there is anything to store since the last call of [`Self::take_changes`].
    pub(super) fn is_changed(&self) -> bool {
        self.held.is_changed
    }

    /// Takes the changes since the last call.
    pub(super) fn take_changes(&mut self) -> Vec<KeyChange> {
        self.held.is_changed = false;
        std::mem::take(&mut self.held.changes)
    }

    /// Makes room for `more` keys: `ERR_KEYRING_FULL` if there is none.
    pub(super) fn check_room(&mut self, more: usize, times: Times) -> Result<()> {
        self.held.check_room(more, &self.options, times)
    }

    /// Adds a key that was made elsewhere. Without `state` it becomes active if no key is, else
    /// next. `ERR_KEYRING_DUPLICATE` if the ring has a key with this `kid`, or had it as a revoked
    /// one; `ERR_JWT_KEY` if a public key is to sign; `ERR_KEYRING_FULL` if there is no room.
    pub(super) fn add(
        &mut self,
        key: Arc<Key>,
        state: Option<KeyState>,
        times: Times,
    ) -> Result<()> {
        let state = state.unwrap_or_else(|| match self.only(KeyState::Active) {
            Some(_) => KeyState::Next,
            None => KeyState::Active,
        });
        let is_known = self.held.list.iter().any(|entry| entry.info.kid == key.kid());
        if is_known || self.held.spent.has(key.kid()) {
            return Err(Error::new(
                Code::KeyringDuplicate,
                "the ring has a key with this kid, or had one that was revoked; give every key its \
                 own kid",
            ));
        }
        if matches!(state, KeyState::Next | KeyState::Active) && !key.is_private() {
            return Err(Error::new(
                Code::JwtKey,
                "a public key cannot sign; add it with state 'retired', which verifies only",
            ));
        }
        self.check_room(1, times)?;
        self.put(key, state, Origin::Added, times);
        Ok(())
    }

    /// Puts a key into a state and retires the key that it displaces. There must be room for it.
    pub(super) fn put(&mut self, key: Arc<Key>, state: KeyState, origin: Origin, times: Times) {
        self.held.expire(&self.options, times);
        if matches!(state, KeyState::Next | KeyState::Active) {
            self.held.turn(state, KeyState::Retired, times.now);
        }
        let (kid, algorithm) = (key.kid().to_owned(), key.algorithm());
        let info = KeyInfo { kid, algorithm, state, since: times.now };
        self.held.report(KeyChange::of(&info, None, Some(state), times.now));
        self.held.list.push(RingEntry::new(info, Some(key), origin));
    }

    /// Makes the next key the active one, and retires the active one. Does nothing without a next
    /// key.
    pub(super) fn promote(&mut self, now: u64) {
        if self.only(KeyState::Next).is_some() {
            self.held.turn(KeyState::Active, KeyState::Retired, now);
            self.held.turn(KeyState::Next, KeyState::Active, now);
        }
    }

    /// Checks that the keys may be rotated, and that there is room. Returns whether a key is to be
    /// made that signs at once, beside the next one. `ERR_KEYRING_NOT_PUBLISHED` or
    /// `ERR_KEYRING_FULL` otherwise.
    pub(super) fn plan_rotation(&mut self, force: bool, times: Times) -> Result<bool> {
        if let Some(due) = self.published().filter(|due| !force && times.now < *due) {
            return Err(not_published(due - times.now));
        }
        let has_next = self.only(KeyState::Next).is_some();
        let is_immediate = !has_next && (force || self.only(KeyState::Active).is_none());
        self.check_room(if is_immediate { 2 } else { 1 }, times)?;
        Ok(is_immediate)
    }

    /// Rotates the keys as planned. Returns the id of the key that signs now, if there is one.
    pub(super) fn rotate(
        &mut self,
        immediate: Option<Key>,
        next: Key,
        times: Times,
    ) -> Option<String> {
        match immediate {
            Some(key) => self.put(Arc::new(key), KeyState::Active, Origin::Made, times),
            None => self.promote(times.now),
        }
        self.put(Arc::new(next), KeyState::Next, Origin::Made, times);
        self.only(KeyState::Active).map(|active| active.info.kid.clone())
    }

    /// The ids of the active and the next key.
    pub(super) fn signing_ids(&self) -> SigningIds {
        let [active, next] = [KeyState::Active, KeyState::Next]
            .map(|state| self.only(state).map(|entry| entry.info.kid.clone()));
        SigningIds { active, next }
    }

    /// Revokes a key for good. `ERR_KEYRING_UNKNOWN_KEY` if the ring does not have it.
    pub(super) fn revoke(&mut self, kid: &str, now: u64) -> Result<()> {
        let Some(entry) = self.held.list.iter_mut().find(|entry| entry.info.kid == kid) else {
            return Err(Error::new(
                Code::KeyringUnknownKey,
                "the ring has no key with this kid; list() returns its keys",
            ));
        };
        let from = entry.info.state;
        if from != KeyState::Revoked {
            entry.set(KeyState::Revoked, now);
            let change = KeyChange::of(&entry.info, Some(from), Some(KeyState::Revoked), now);
            self.held.report(change);
        }
        Ok(())
    }

    /// Changes the time after which the next key takes over. `ERR_OUT_OF_RANGE` if it is too short.
    pub(super) fn configure(&mut self, rotate_every: Option<u64>) -> Result<()> {
        let options = RingOptions { rotate_every, ..self.options };
        options.check_period()?;
        self.held.is_changed |= self.options != options;
        self.options = options;
        Ok(())
    }

    /// Does what is due and needs no new key: forgets keys that verify nothing any more, and
    /// promotes.
    pub(super) fn apply(&mut self, times: Times) {
        self.held.expire(&self.options, times);
        if self.promotion().is_some_and(|at| times.now >= at) {
            self.promote(times.now);
        }
    }

    /// The state for which a key must be made now; `None` if no key is missing.
    pub(super) fn missing(&self, now: u64) -> Option<KeyState> {
        let may = matches!(self.making, Making::From(start) if now >= start);
        if !may || self.options.rotate_every.is_none() || self.only(KeyState::Next).is_some() {
            return None;
        }
        Some(if self.held.list.is_empty() { KeyState::Active } else { KeyState::Next })
    }

    /// Records that the missing key is being made elsewhere.
    pub(super) fn order(&mut self) {
        self.making = Making::Ordered;
    }

    /// Makes the keys that are missing.
    pub(super) fn make_missing(&mut self, generate: impl Fn() -> Result<Key>, times: Times) {
        while self.missing(times.now).is_some() {
            self.deliver(generate(), times);
        }
    }

    /// Takes the key that has been made, or the failure to make one. The key is added if one is
    /// still missing. After a failure, or if there is no room, the next attempt is due in 10 s.
    pub(super) fn deliver(&mut self, made: Result<Key>, times: Times) {
        self.making = Making::From(0);
        let Some(state) = self.missing(times.now) else { return };
        match made.and_then(|key| self.check_room(1, times).map(|()| key)) {
            Ok(key) => self.put(Arc::new(key), state, Origin::Made, times),
            Err(_) => self.making = Making::From(times.now.saturating_add(RETRY)),
        }
    }

    /// Moves every time in the future to `now`, and returns whether there were any. The clock may
    /// have been set back, or a `tick` may have looked ahead; without this a retired key would
    /// verify for too long. A pending attempt to make a key becomes due within 10 s.
    pub(super) fn correct(&mut self, now: u64) -> bool {
        if let Making::From(start) = &mut self.making {
            *start = (*start).min(now.saturating_add(RETRY));
        }
        self.held.correct(now)
    }

    /// The latest time at which a key entered its state.
    pub(super) fn latest(&self) -> u64 {
        self.held.list.iter().map(|entry| entry.info.since).max().unwrap_or(0)
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
        let expiry = self.held.expires_at(&self.options);
        expiry.into_iter().chain(self.promotion()).fold(missing, u64::min)
    }

    /// When the next key may sign: from then on every verifier knows it.
    pub(super) fn published(&self) -> Option<u64> {
        let next = self.only(KeyState::Next)?;
        let cached = match self.options.jwks_max_age {
            0 => 0,
            max_age => max_age.saturating_add(IN_TRANSIT).saturating_add(self.publishing),
        };
        Some(next.info.since.saturating_add(cached))
    }

    /// Until when a key verifies. The rule is the same for every verifier and for the JWKS. `None`
    /// for a key that is refused already.
    pub(super) fn usable(&self, entry: &RingEntry, now: u64) -> Option<u64> {
        let until = match entry.info.state {
            KeyState::Next | KeyState::Active => u64::MAX,
            KeyState::Retired => entry.last_use(&self.options),
            KeyState::Revoked => return None,
        };
        (now < until).then_some(until)
    }

    /// When the next key is promoted by time: the active key, if there is one, has signed for
    /// `rotate_every`, and the next key has been published long enough.
    fn promotion(&self) -> Option<u64> {
        let (every, published) = (self.options.rotate_every?, self.published()?);
        let active = self.only(KeyState::Active);
        Some(active.map_or(0, |active| active.info.since.saturating_add(every)).max(published))
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
