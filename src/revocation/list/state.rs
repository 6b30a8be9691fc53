//! The content of a list: a table for each kind of entry, and the filter that is checked before
//! them.

use crate::error::Result;
use crate::revocation::filter::Filter;
use crate::revocation::table::{EntryTable, no_memory};
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
    /// A subject revoked at the moment of the call, in milliseconds since 1970.
    SubjectNow = 5,
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
    pub(super) const ALL: [Self; 6] =
        [Self::Id, Self::Session, Self::Subject, Self::Key, Self::EndedSession, Self::SubjectNow];

    /// The kinds of which all entries are removed to make room.
    pub(super) const FORGOTTEN: [Self; 2] = [Self::Id, Self::EndedSession];

    /// The kinds that refuse the tokens of a subject up to a time of issue.
    pub(super) const SUBJECTS: [Self; 2] = [Self::Subject, Self::SubjectNow];

    pub(super) const fn field(self) -> Field {
        match self {
            Self::Id => Field::Id,
            Self::Session | Self::EndedSession => Field::Session,
            Self::Subject | Self::SubjectNow => Field::Subject,
            Self::Key => Field::Key,
        }
    }

    /// The last second at which an entry with this value is needed; `None` if it never expires.
    pub(super) fn needed_until(self, value: u64, max_token_ttl: u64) -> Option<u64> {
        let last = match self {
            Self::Subject => value.saturating_add(max_token_ttl),
            // Such an entry also refuses tokens that were issued up to the tolerance ahead.
            Self::SubjectNow => {
                (value / 1000).saturating_add(MAX_CLOCK_TOLERANCE).saturating_add(max_token_ttl)
            }
            _ => value,
        };
        let until = last.saturating_add(MAX_CLOCK_TOLERANCE);
        (until < u64::MAX).then_some(until)
    }
}

#[derive(Default)]
pub(super) struct State {
    pub tables: [EntryTable; 6],
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

    /// Makes room for one more id in the filter. A rebuilt filter is large enough for the memory of
    /// the tables that the rebuilding walks through, so rebuilding takes constant time per entry.
    pub(super) fn reserve_in_filter(&mut self) -> Result<()> {
        if self.filter.is_full() {
            let capacity: usize = self.tables.iter().map(EntryTable::capacity).sum();
            let ids = self.tables.iter().flat_map(EntryTable::ids);
            let filter = Filter::of(ids, self.len().max(capacity / 2));
            self.filter = filter.map_err(|_| no_memory())?;
        }
        Ok(())
    }

    /// Whether [`Self::forget_older`] would remove an entry.
    pub(super) fn has_older(&mut self, latest: u64, max_token_ttl: u64) -> bool {
        let is_empty = |kind: &Kind| self.table(*kind).is_empty();
        let now = Kind::Subject.needed_until(latest, max_token_ttl).unwrap_or(u64::MAX);
        !Kind::FORGOTTEN.iter().all(is_empty)
            || Kind::SUBJECTS.into_iter().any(|kind| {
                let until = |value| kind.needed_until(value, max_token_ttl);
                self.tables[kind as usize].has_expired(now, until)
            })
    }

    /// Removes the entries that refuse no token issued after `latest`, apart from sessions and keys
    /// and from subjects of the last minute before. An entry is removed once, without a look at
    /// those that stay.
    pub(super) fn forget_older(&mut self, latest: u64, max_token_ttl: u64) {
        for kind in Kind::FORGOTTEN {
            self.tables[kind as usize] = EntryTable::default();
        }
        let now = Kind::Subject.needed_until(latest, max_token_ttl).unwrap_or(u64::MAX);
        for kind in Kind::SUBJECTS {
            let until = |value| kind.needed_until(value, max_token_ttl);
            while self.tables[kind as usize].forget_one(now, until) {}
        }
    }

    pub(super) fn len(&self) -> usize {
        self.tables.iter().map(EntryTable::len).sum()
    }

    pub(super) fn prune(&mut self, now: u64, max_token_ttl: u64) {
        for kind in Kind::ALL {
            let table = &mut self.tables[kind as usize];
            if table.is_empty() {
                continue;
            }
            for _ in 0..PRUNED_PER_WRITE {
                if !table.forget_one(now, |value| kind.needed_until(value, max_token_ttl)) {
                    break;
                }
            }
        }
    }
}
