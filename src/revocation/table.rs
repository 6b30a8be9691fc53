//! The entries of one kind, with the time at which each may be removed.

use super::expiry::{ExpiryWheel, Place};
use super::fingerprint::Fingerprint;
use super::segments::SegmentedTable;
use crate::error::{Code, Error, Result};

/// Maps a fingerprint to an expiry in seconds or, for a subject, to the last time of issue whose
/// tokens are refused. An entry takes 24 bytes and 8 in the wheel, and together with the places
/// that are free at most 64.
pub(super) struct EntryTable {
    entries: SegmentedTable<StoredEntry>,
    /// The hashes of the entries that expire, each once.
    wheel: ExpiryWheel<u64>,
    /// Whether any entry applies to one issuer only.
    scoped: bool,
}

struct StoredEntry {
    fingerprint: Fingerprint,
    value: u64,
}

/// The outcome of a look at the wheel.
enum Look {
    /// The time of no entry has come.
    Nothing,
    /// The entry is needed for longer.
    Later,
    /// The entry with this hash is not needed any more.
    Expired(u64),
}

/// When an entry may be removed, in seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expiry {
    /// The last second at which it is needed.
    pub until: u64,
    /// About the present: the better it is, the fewer times the entry is placed again.
    pub now: u64,
}

impl Expiry {
    fn place(self) -> Place {
        Place::of(self.until, self.now)
    }
}

impl Default for EntryTable {
    fn default() -> Self {
        let entries = SegmentedTable::new(table_hash_of);
        Self { entries, wheel: ExpiryWheel::default(), scoped: false }
    }
}

impl EntryTable {
    /// The number of entries.
    pub(super) const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the table is empty.
    pub(super) const fn is_empty(&self) -> bool {
        self.entries.len() == 0
    }

    /// Whether an entry may apply to one issuer only.
    pub(super) const fn is_scoped(&self) -> bool {
        self.scoped
    }

    /// The value for a fingerprint.
    pub(super) fn get(&self, fingerprint: Fingerprint) -> Option<u64> {
        let held =
            self.entries.find(fingerprint.table_hash(), |held| held.fingerprint == fingerprint);
        held.map(|held| held.value)
    }

    /// Raises the value of an entry to at least `value` and returns it, if there is such an entry.
    /// Its place in the wheel is corrected when its time there comes.
    pub(super) fn raise(&mut self, fingerprint: Fingerprint, value: u64) -> Option<u64> {
        let same = |held: &StoredEntry| held.fingerprint == fingerprint;
        let held = self.entries.find_mut(fingerprint.table_hash(), same)?;
        held.value = held.value.max(value);
        Some(held.value)
    }

    /// Makes room for one more entry; without `expiry` it never expires. Fails with
    /// `ERR_REVOCATION_FULL` if there is no memory.
    pub(super) fn reserve(
        &mut self,
        fingerprint: Fingerprint,
        expiry: Option<Expiry>,
    ) -> Result<()> {
        let has_room = self.entries.try_reserve(fingerprint.table_hash());
        let is_placed = expiry.is_none_or(|expiry| self.wheel.try_reserve(expiry.place()).is_ok());
        if has_room && is_placed { Ok(()) } else { Err(no_memory()) }
    }

    /// Adds an entry that does not exist and for which [`Self::reserve`] has made room.
    pub(super) fn insert(
        &mut self,
        fingerprint: Fingerprint,
        value: u64,
        expiry: Option<Expiry>,
        scoped: bool,
    ) {
        self.scoped |= scoped;
        self.entries.insert(StoredEntry { fingerprint, value });
        if let Some(expiry) = expiry {
            self.wheel.insert(fingerprint.table_hash(), expiry.place());
        }
    }

    /// Takes one entry whose time in the wheel has come, and removes it if it is not needed at
    /// `now`. Returns false if there is no such entry.
    pub(super) fn forget_one(&mut self, now: u64, until: impl Fn(u64) -> Option<u64>) -> bool {
        match self.look(now, until) {
            Look::Nothing => false,
            Look::Later => true,
            Look::Expired(hash) => {
                self.wheel.pop_first();
                self.entries.remove(hash, with_hash(hash));
                true
            }
        }
    }

    /// Whether an entry is not needed at `now`.
    pub(super) fn has_expired(&mut self, now: u64, until: impl Fn(u64) -> Option<u64>) -> bool {
        loop {
            match self.look(now, &until) {
                Look::Nothing => return false,
                Look::Later => {}
                Look::Expired(_) => return true,
            }
        }
    }

    /// Looks at one entry whose time in the wheel has come. If it is needed for longer, because its
    /// bucket is wide or because it was revoked again, it gets a later place in the wheel.
    fn look(&mut self, now: u64, until: impl Fn(u64) -> Option<u64>) -> Look {
        #[cfg(test)]
        crate::testing::steps::step();
        let Some(hash) = self.wheel.first_expired(now) else { return Look::Nothing };
        let held = self.entries.find(hash, with_hash(hash)).map(|held| until(held.value));
        match held {
            Some(Some(until)) if until < now => return Look::Expired(hash),
            Some(Some(until)) => {
                let place = Place::of(until, now);
                // Without memory the entry keeps its place, for the next call.
                if self.wheel.try_reserve(place).is_err() {
                    return Look::Nothing;
                }
                self.wheel.pop_first();
                self.wheel.insert(hash, place);
            }
            Some(None) | None => self.wheel.pop_first(),
        }
        Look::Later
    }

    /// Every fingerprint, with its value.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Fingerprint, u64)> {
        self.entries.iter().map(|held| (held.fingerprint, held.value))
    }

    /// The id hash of every entry.
    pub(super) fn ids(&self) -> impl Iterator<Item = u64> {
        self.entries.iter().map(|held| held.fingerprint.id)
    }

    /// The number of hashes in the wheel.
    #[cfg(test)]
    pub(super) fn places(&self) -> usize {
        self.wheel.len()
    }
}

const fn table_hash_of(held: &StoredEntry) -> u64 {
    held.fingerprint.table_hash()
}

fn with_hash(hash: u64) -> impl Fn(&StoredEntry) -> bool {
    move |held| table_hash_of(held) == hash
}

/// The error for a revocation for which there is no memory.
pub(super) fn no_memory() -> Error {
    Error::new(
        Code::RevocationFull,
        "there is no memory for another entry, so nothing was revoked; lower maxEntries, or give \
         the process more memory",
    )
}
