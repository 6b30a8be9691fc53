//! The keys of a ring, the changes that are to be reported, and how keys are forgotten that verify
//! nothing any more. The code is pure: the time is an argument.

use super::entry::{Origin, RingEntry};
use super::options::{MAX_RING_KEYS, RingOptions};
use super::spent::{SpentIds, no_memory};
use super::state::{KeyChange, KeyState};
use crate::error::{Code, Error, Result};

/// How long after a time it is proven, at the earliest, in seconds.
const PROOF: u64 = 3600;

/// Seconds until keys whose time was not proven are looked at again.
const LOOK_AGAIN: u64 = 60;

/// The present, in seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// The time by which keys are promoted and published.
    pub now: u64,
    /// A time that has certainly passed; 0 if none is proven.
    pub proven: u64,
}

/// The keys in the order of their addition.
#[derive(Clone)]
pub(super) struct RingEntries {
    pub list: Vec<RingEntry>,
    /// The ids of forgotten keys that must not be added again.
    pub spent: SpentIds,
    /// The changes to report.
    pub changes: Vec<KeyChange>,
    /// Whether there is anything to store.
    pub is_changed: bool,
    /// Whether retired keys, too, are forgotten only by a proven time.
    needs_proof: bool,
    /// When keys that are to be forgotten, and whose time was not proven, are looked at again.
    look_again: u64,
}

impl RingEntries {
    pub(super) fn new(list: Vec<RingEntry>, spent: SpentIds) -> Self {
        let changes = Vec::new();
        Self { list, spent, changes, is_changed: false, needs_proof: false, look_again: 0 }
    }

    /// The same keys, of which retired ones, too, are forgotten only by a proven time.
    pub(super) fn needing_proof(self) -> Self {
        Self { needs_proof: true, ..self }
    }

    /// The key in a state that at most one key has: next or active.
    pub(super) fn only(&self, state: KeyState) -> Option<&RingEntry> {
        self.list.iter().find(|entry| entry.info.state == state)
    }

    /// Notes a change, which is then to be reported and stored.
    pub(super) fn report(&mut self, change: KeyChange) {
        self.changes.push(change);
        self.is_changed = true;
    }

    /// Moves the only key of a state into another one.
    pub(super) fn turn(&mut self, from: KeyState, to: KeyState, now: u64) {
        if let Some(entry) = self.list.iter_mut().find(|entry| entry.info.state == from) {
            entry.set(to, now);
            let change = KeyChange::of(&entry.info, Some(from), Some(to), now);
            self.report(change);
        }
    }

    /// Forgets keys that verify nothing any more, then checks that `more` keys have room, and makes
    /// it in memory: `ERR_KEYRING_FULL` otherwise.
    pub(super) fn check_room(
        &mut self,
        more: usize,
        options: &RingOptions,
        times: Times,
    ) -> Result<()> {
        self.expire(options, times);
        if self.list.len().saturating_add(more) <= MAX_RING_KEYS {
            return self.list.try_reserve(more).map_err(|_| no_memory());
        }
        Err(Error::new(
            Code::KeyringFull,
            format!(
                "the ring is full: it holds at most {MAX_RING_KEYS} keys, including revoked keys; \
                 wait until retired and revoked keys are removed"
            ),
        ))
    }

    /// Forgets keys that verify nothing any more. A revoked key goes when every token that it
    /// signed has certainly expired; its id stays refused if the application could add it again.
    /// Without memory to report the changes, all keys stay until a later call.
    pub(super) fn expire(&mut self, options: &RingOptions, times: Times) {
        let is_gone = |entry: &RingEntry| self.is_gone(entry, options, times);
        let gone: Vec<bool> = self.list.iter().map(is_gone).collect();
        if self.changes.try_reserve(gone.iter().filter(|gone| **gone).count()).is_err() {
            return;
        }
        let mut gone = gone.into_iter();
        let mut entries = std::mem::take(&mut self.list);
        entries.retain(|entry| {
            let goes = gone.next().unwrap_or_default()
                && (!is_kept_as_spent(entry) || self.spent.insert(&entry.info.kid));
            if goes {
                let from = Some(entry.info.state);
                self.report(KeyChange::of(&entry.info, from, None, times.now));
            }
            !goes
        });
        self.list = entries;
        let is_late =
            |entry: &RingEntry| self.forgotten_at(entry, options).is_some_and(|at| at <= times.now);
        let has_late = self.list.iter().any(is_late);
        self.look_again = if has_late { times.now.saturating_add(LOOK_AGAIN) } else { 0 };
    }

    /// When [`Self::expire`] next has something to do.
    pub(super) fn expires_at(&self, options: &RingOptions) -> Option<u64> {
        let times = self.list.iter().filter_map(|entry| self.forgotten_at(entry, options));
        times.min().map(|at| at.max(self.look_again))
    }

    /// Moves every time in the future to `now`, and returns whether there were any.
    pub(super) fn correct(&mut self, now: u64) -> bool {
        let mut is_corrected = false;
        for entry in self.list.iter_mut().filter(|entry| entry.info.since > now) {
            entry.info.since = now;
            is_corrected = true;
        }
        self.look_again = self.look_again.min(now.saturating_add(LOOK_AGAIN));
        self.is_changed |= is_corrected;
        is_corrected
    }

    /// When a key is forgotten, at the earliest.
    fn forgotten_at(&self, entry: &RingEntry, options: &RingOptions) -> Option<u64> {
        let proof = match entry.info.state {
            KeyState::Next | KeyState::Active => return None,
            KeyState::Revoked if is_kept_as_spent(entry) && self.spent.is_full() => return None,
            KeyState::Retired if !self.needs_proof => 0,
            KeyState::Retired | KeyState::Revoked => PROOF,
        };
        Some(entry.last_use(options).saturating_add(proof))
    }

    fn is_gone(&self, entry: &RingEntry, options: &RingOptions, times: Times) -> bool {
        let now = match entry.info.state {
            KeyState::Next | KeyState::Active => return false,
            KeyState::Retired if !self.needs_proof => times.now,
            KeyState::Retired | KeyState::Revoked => times.proven,
        };
        now >= entry.last_use(options)
    }
}

/// Whether the id of a key is remembered when the key is forgotten.
fn is_kept_as_spent(entry: &RingEntry) -> bool {
    entry.info.state == KeyState::Revoked && entry.origin == Origin::Added
}
