//! What a list holds: a table for each kind of entry, and the filter before them.

use crate::revocation::filter::Filter;
use crate::revocation::table::EntryTable;
use crate::revocation::terms::MAX_CLOCK_TOLERANCE;

/// How many expired entries of a kind one write forgets at most: enough to keep up, too few to be
/// felt.
const PRUNED_PER_WRITE: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Id = 0,
    Session = 1,
    Subject = 2,
    Key = 3,
    EndedSession = 4,
}

/// What a token has that may be revoked. Each is hashed under a key of its own.
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

    /// The last second at which an entry of this value is needed; none when that is never over.
    pub(super) fn needed_until(self, value: u64, max_token_ttl: u64) -> Option<u64> {
        let life = if self == Self::Subject { max_token_ttl } else { 0 };
        let until = value.saturating_add(life).saturating_add(MAX_CLOCK_TOLERANCE);
        (until < u64::MAX).then_some(until)
    }
}

#[derive(Default)]
pub(super) struct State {
    pub tables: [EntryTable; 5],
    /// Of all tables' ids.
    pub filter: Filter,
    /// When room was last made; tolerant verifiers add to it.
    pub rejects_issued_until: u64,
    pub closed: bool,
}

impl State {
    pub(super) fn table(&self, kind: Kind) -> &EntryTable {
        &self.tables[kind as usize]
    }

    /// Whether anything of a token's field is revoked.
    pub(super) fn has(&self, field: Field) -> bool {
        Kind::ALL.iter().any(|kind| kind.field() == field && !self.table(*kind).is_empty())
    }

    /// Takes an id that is in its table already into the filter.
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
