//! The entries of one kind, with the time at which each may be removed.

use hashbrown::HashTable;

use super::expiry::ExpiryWheel;
use crate::error::{Code, Error, Result};

/// 128 keyed and therefore unpredictable bits that represent an id, of one issuer or of any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint {
    /// Hash of the id alone.
    pub id: u64,
    /// Hash of the id under another key, combined with the hash of the issuer.
    pub rest: u64,
}

impl Fingerprint {
    /// The hash that places the fingerprint in a table.
    const fn table_hash(self) -> u64 {
        self.id ^ self.rest
    }
}

/// Maps a fingerprint to an expiry in seconds or, for a subject, to the last second of issue whose
/// tokens are refused. An entry takes 24 bytes, one more for the table, and 8 in the wheel.
#[derive(Default)]
pub(super) struct EntryTable {
    entries: HashTable<StoredEntry>,
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

impl EntryTable {
    /// The number of entries.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the table is empty.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
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

    /// Raises the value of an entry to at least `value` and returns whether there is such an entry.
    /// Its place in the wheel is corrected when its time there comes.
    pub(super) fn raise(&mut self, fingerprint: Fingerprint, value: u64) -> bool {
        let same = |held: &StoredEntry| held.fingerprint == fingerprint;
        let held = self.entries.find_mut(fingerprint.table_hash(), same);
        held.map(|held| held.value = value.max(held.value)).is_some()
    }

    /// Makes room for one more entry. `until` is the time at which it may be removed; `None` for an
    /// entry that never expires. Fails with `ERR_REVOCATION_FULL` if there is no memory.
    pub(super) fn reserve(&mut self, until: Option<u64>) -> Result<()> {
        self.entries.try_reserve(1, table_hash_of).map_err(|_| no_memory())?;
        until.map_or(Ok(()), |until| self.wheel.try_reserve(until)).map_err(|_| no_memory())
    }

    /// Adds an entry that does not exist and for which [`Self::reserve`] has made room.
    pub(super) fn insert(
        &mut self,
        fingerprint: Fingerprint,
        value: u64,
        until: Option<u64>,
        scoped: bool,
    ) {
        self.scoped |= scoped;
        let hash = fingerprint.table_hash();
        self.entries.insert_unique(hash, StoredEntry { fingerprint, value }, table_hash_of);
        if let Some(until) = until {
            self.wheel.insert(hash, until);
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
                if let Ok(held) = self.entries.find_entry(hash, with_hash(hash)) {
                    held.remove();
                }
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

    /// Looks at one entry whose time in the wheel has come. If the entry was revoked again, with a
    /// later expiry, it gets a later place in the wheel.
    fn look(&mut self, now: u64, until: impl Fn(u64) -> Option<u64>) -> Look {
        #[cfg(test)]
        crate::testing::steps::step();
        let Some(hash) = self.wheel.first_expired(now) else { return Look::Nothing };
        let held = self.entries.find(hash, with_hash(hash)).map(|held| until(held.value));
        match held {
            Some(Some(until)) if until < now => return Look::Expired(hash),
            // Without memory the entry keeps its place, for the next call.
            Some(Some(until)) if self.wheel.try_reserve(until).is_err() => return Look::Nothing,
            Some(Some(until)) => {
                self.wheel.pop_first();
                self.wheel.insert(hash, until);
            }
            Some(None) | None => self.wheel.pop_first(),
        }
        Look::Later
    }

    /// The id hash of every entry.
    pub(super) fn ids(&self) -> impl Iterator<Item = u64> {
        self.entries.iter().map(|held| held.fingerprint.id)
    }

    /// The number of entries for which there is memory.
    pub(super) fn capacity(&self) -> usize {
        self.entries.capacity()
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
