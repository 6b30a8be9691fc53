//! The entries of one kind: what is revoked, and when each may be forgotten.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::expiry::ExpiryWheel;

/// 128 keyed and so unpredictable bits that stand for an id, of one issuer or of any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint {
    /// Of the id alone.
    pub id: u64,
    /// Of the id, under another key, and of the issuer.
    pub rest: u64,
}

impl Fingerprint {
    /// The hash under which a table has it.
    const fn table_hash(self) -> u64 {
        self.id ^ self.rest
    }
}

/// Fingerprint to expiry in seconds or, for a subject, to the second until which tokens issued
/// are refused. An entry has 24 bytes, one more for the table, and 8 in the wheel.
#[derive(Default)]
pub(super) struct EntryTable {
    entries: HashTable<StoredEntry>,
    /// The hashes of the entries that are not kept for good, each once.
    wheel: ExpiryWheel<u64>,
    /// Whether any entry is of one issuer only.
    scoped: bool,
}

struct StoredEntry {
    fingerprint: Fingerprint,
    value: u64,
}

impl EntryTable {
    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether an entry may be of one issuer only.
    pub(super) const fn is_scoped(&self) -> bool {
        self.scoped
    }

    /// What is held for a fingerprint.
    pub(super) fn get(&self, fingerprint: Fingerprint) -> Option<u64> {
        let held =
            self.entries.find(fingerprint.table_hash(), |held| held.fingerprint == fingerprint);
        held.map(|held| held.value)
    }

    /// Holds at least `value`, and says whether that made a new entry. `until` is when that may be
    /// forgotten; one that is never forgotten has none.
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
            // Its place in the wheel is corrected when it comes up.
            Entry::Occupied(mut held) => {
                let held = held.get_mut();
                held.value = value.max(held.value);
                false
            }
        }
    }

    /// Looks at one entry whose time in the wheel has come, and forgets it if it is not needed
    /// at `now`; false when there is no such entry.
    pub(super) fn forget_one(&mut self, now: u64, until: impl Fn(u64) -> Option<u64>) -> bool {
        let Some(hash) = self.wheel.pop_expired(now) else { return false };
        let due = |held: &StoredEntry| table_hash_of(held) == hash;
        if let Ok(held) = self.entries.find_entry(hash, due) {
            match until(held.get().value) {
                // Revoked again, until later.
                Some(until) if until >= now => self.wheel.insert(hash, until),
                Some(_) => drop(held.remove()),
                None => {}
            }
        }
        true
    }

    /// Forgets the entries for whose value `keep` is false.
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

    /// The hashes of the ids that are held, each entry's.
    pub(super) fn ids(&self) -> impl Iterator<Item = u64> {
        self.entries.iter().map(|held| held.fingerprint.id)
    }

    /// How many entries have a value for which `counts` is true.
    pub(super) fn count(&self, counts: impl Fn(u64) -> bool) -> usize {
        self.entries.iter().filter(|held| counts(held.value)).count()
    }

    /// How many hashes the wheel remembers.
    #[cfg(test)]
    pub(super) fn places(&self) -> usize {
        self.wheel.len()
    }
}

const fn table_hash_of(held: &StoredEntry) -> u64 {
    held.fingerprint.table_hash()
}
