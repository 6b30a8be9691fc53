//! The content of a list: a table for each kind of entry, and the filter that is checked before
//! them.

use crate::revocation::filter::Filter;
use crate::revocation::table::EntryTable;
use crate::revocation::terms::MAX_CLOCK_TOLERANCE;

/// The most expired entries of each kind that one write removes: enough to keep up, and too few to
/// slow it down noticeably.
const PRUNED_PER_WRITE: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Id = 0,
    Session = 1,
    Subject = 2,
    Key = 3,
    EndedSession = 4,
}

/// The properties by which a token may be revoked. Each is hashed under its own key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Id = 0,
    Session = 1,
    Subject = 2,
    Key = 3,
}

impl Field {
    pub(super) const ALL: [Self; 4] = [Self::Id, Self::Session, Self::Subject, Self::Key];
}

impl Kind {
    pub(super) const ALL: [Self; 5] =
        [Self::Id, Self::Session, Self::Subject, Self::Key, Self::EndedSession];

    pub(super) const fn field(self) -> Field {
        match self {
            Self::Id => Field::Id,
            Self::Session | Self::EndedSession => Field::Session,
            Self::Subject => Field::Subject,
            Self::Key => Field::Key,
        }
    }

    /// The last second at which an entry with this value is needed; `None` if it never expires.
    pub(super) fn needed_until(self, value: u64, max_token_ttl: u64) -> Option<u64> {
        let life = if self == Self::Subject { max_token_ttl } else { 0 };
        let until = value.saturating_add(life).saturating_add(MAX_CLOCK_TOLERANCE);
        (until < u64::MAX).then_some(until)
    }
}

#[derive(Default)]
pub(super) struct State {
    pub tables: [EntryTable; 5],
    /// The ids of all tables.
    pub filter: Filter,
    /// When the list last made room by refusing older tokens; 0 if never. The tolerance of
    /// verifiers is added to it.
    pub rejects_issued_until: u64,
    pub closed: bool,
}

impl State {
    pub(super) fn table(&self, kind: Kind) -> &EntryTable {
        &self.tables[kind as usize]
    }

    /// Whether any entry exists for a token's field.
    pub(super) fn has(&self, field: Field) -> bool {
        Kind::ALL.iter().any(|kind| kind.field() == field && !self.table(*kind).is_empty())
    }

    /// Adds an id that is already in its table to the filter.
    pub(super) fn note(&mut self, id: u64) {
        if self.filter.is_full() {
            self.filter = Filter::of(self.tables.iter().flat_map(EntryTable::ids), self.len());
        } else {
            self.filter.insert(id);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.tables.iter().map(EntryTable::len).sum()
    }

    pub(super) fn prune(&mut self, now: u64, max_token_ttl: u64) {
        for kind in Kind::ALL {
            let table = &mut self.tables[kind as usize];
            for _ in 0..PRUNED_PER_WRITE {
                if !table.forget_one(now, |value| kind.needed_until(value, max_token_ttl)) {
                    break;
                }
            }
        }
    }
}
