//! The entries of one kind, with the time at which each may be removed.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::expiry::ExpiryWheel;

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

    /// Raises the value of a fingerprint to at least `value` and returns whether that created an
    /// entry. `until` is the time at which a new entry may be removed; `None` for an entry that
    /// never expires.
    pub(super) fn raise(
        &mut self,
        fingerprint: Fingerprint,
        value: u64,
        until: Option<u64>,
        scoped: bool,
    ) -> bool {
        self.scoped |= scoped;
        let same = |held: &StoredEntry| held.fingerprint == fingerprint;
        match self.entries.entry(fingerprint.table_hash(), same, table_hash_of) {
            Entry::Vacant(free) => {
                free.insert(StoredEntry { fingerprint, value });
                if let Some(until) = until {
                    self.wheel.insert(fingerprint.table_hash(), until);
                }
                true
            }
            // The entry's place in the wheel is corrected when its time there comes.
            Entry::Occupied(mut held) => {
                let held = held.get_mut();
                held.value = value.max(held.value);
                false
            }
        }
    }

    /// Takes one entry whose time in the wheel has come, and removes it if it is not needed at
    /// `now`. Returns false if there is no such entry.
    pub(super) fn forget_one(&mut self, now: u64, until: impl Fn(u64) -> Option<u64>) -> bool {
        let Some(hash) = self.wheel.pop_expired(now) else { return false };
        let due = |held: &StoredEntry| table_hash_of(held) == hash;
        if let Ok(held) = self.entries.find_entry(hash, due) {
            match until(held.get().value) {
                // Revoked again, with a later expiry.
                Some(until) if until >= now => self.wheel.insert(hash, until),
                Some(_) => drop(held.remove()),
                None => {}
            }
        }
        true
    }

    /// Removes the entries for whose value `keep` returns false.
    pub(super) fn retain(
        &mut self,
        keep: impl Fn(u64) -> bool,
        until: impl Fn(u64) -> Option<u64>,
    ) {
        let before = self.entries.len();
        self.entries.retain(|held| keep(held.value));
        if self.entries.len() == before {
            return;
        }
        self.wheel = ExpiryWheel::default();
        for held in &self.entries {
            if let Some(until) = until(held.value) {
                self.wheel.insert(table_hash_of(held), until);
            }
        }
    }

    /// The id hash of every entry.
    pub(super) fn ids(&self) -> impl Iterator<Item = u64> {
        self.entries.iter().map(|held| held.fingerprint.id)
    }

    /// The number of entries for whose value `counts` returns true.
    pub(super) fn count(&self, counts: impl Fn(u64) -> bool) -> usize {
        self.entries.iter().filter(|held| counts(held.value)).count()
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
