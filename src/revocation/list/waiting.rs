//! Rows of this process that are on their way to the store.

use std::collections::HashMap;

use super::row::SCOPED;
use super::state::Kind;
use crate::store;

/// The key, kind and value of a row.
type RowId = ([u8; 16], u8, u64);

/// The key and kind of an entry.
type EntryId = ([u8; 16], u8);

#[derive(Default)]
struct Times {
    times: usize,
    /// How often its entry was new.
    new: usize,
}

#[derive(Default)]
pub(super) struct Waiting {
    rows: HashMap<RowId, Times>,
    /// The entries that the list does not have, with the number of their rows.
    new: HashMap<EntryId, usize>,
    /// How many of them would be removed to make room.
    forgotten: usize,
}

impl Waiting {
    /// Notes a row that is to be committed. `is_new` if it is an entry that the list does not have.
    pub(super) fn add(&mut self, row: &store::Entry, is_new: bool) {
        let times = self.rows.entry((row.key, row.kind, row.value)).or_default();
        times.times += 1;
        if is_new {
            times.new += 1;
            let rows = self.new.entry((row.key, row.kind)).or_default();
            *rows += 1;
            if *rows == 1 {
                self.forgotten += usize::from(is_forgotten(row));
            }
        }
    }

    /// Forgets a row once. Returns whether it was noted.
    pub(super) fn remove(&mut self, row: &store::Entry) -> bool {
        if self.rows.is_empty() {
            return false;
        }
        let id = (row.key, row.kind, row.value);
        let Some(times) = self.rows.get_mut(&id) else { return false };
        times.times -= 1;
        let was_new = times.new > 0;
        times.new -= usize::from(was_new);
        if times.times == 0 {
            self.rows.remove(&id);
        }
        let entry = (row.key, row.kind);
        if was_new && let Some(rows) = self.new.get_mut(&entry) {
            *rows -= 1;
            if *rows == 0 {
                self.new.remove(&entry);
                self.forgotten -= usize::from(is_forgotten(row));
            }
        }
        true
    }

    /// Whether the entry of a row is among those that the list does not have.
    pub(super) fn has(&self, row: &store::Entry) -> bool {
        self.new.contains_key(&(row.key, row.kind))
    }

    /// The number of entries that the list does not have.
    pub(super) fn len(&self) -> usize {
        self.new.len()
    }

    /// Whether one of them would be removed to make room.
    pub(super) fn has_forgotten(&self) -> bool {
        self.forgotten > 0
    }
}

fn is_forgotten(row: &store::Entry) -> bool {
    Kind::FORGOTTEN.iter().any(|kind| *kind as u8 == row.kind & !SCOPED)
}
