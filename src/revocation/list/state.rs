//! The content of a list: a table for each kind of entry, and the filter that is checked before
//! them.

use std::iter;

use crate::error::{Code, Result};
use crate::revocation::filter::Filter;
use crate::revocation::fingerprint::Fingerprint;
use crate::revocation::table::{EntryTable, Expiry, no_memory};
use crate::revocation::terms::{Field, MAX_CLOCK_TOLERANCE};

/// The most places in the wheel of each kind that one write looks at: enough to keep up, because an
/// entry has at most six places one after the other, and too few to slow the write down noticeably.
const LOOKS_PER_WRITE: usize = 8;

/// The id that all tokens have, for [`Field::All`].
pub(super) const EVERY_TOKEN: &str = "";

/// The kinds of entries. Their numbers are those of rows in stores, so they never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Id = 0,
    Session = 1,
    Subject = 2,
    Key = 3,
    EndedSession = 4,
    /// A subject revoked at the moment of the call, in milliseconds since 1970.
    SubjectNow = 5,
    /// Every token of an issuer, or of any, up to a second of issue.
    All = 6,
    /// Every token at the moment of the call, in milliseconds since 1970.
    AllNow = 7,
}

impl Kind {
    pub(super) const ALL: [Self; 8] = [
        Self::Id,
        Self::Session,
        Self::Subject,
        Self::Key,
        Self::EndedSession,
        Self::SubjectNow,
        Self::All,
        Self::AllNow,
    ];

    /// The kinds of which all entries are removed to make room.
    pub(super) const FORGOTTEN: [Self; 2] = [Self::Id, Self::EndedSession];

    /// The kinds that refuse tokens up to a time of issue.
    pub(super) const UP_TO_ISSUE: [Self; 4] =
        [Self::Subject, Self::SubjectNow, Self::All, Self::AllNow];

    pub(super) const fn field(self) -> Field {
        match self {
            Self::Id => Field::Id,
            Self::Session | Self::EndedSession => Field::Session,
            Self::Subject | Self::SubjectNow => Field::Subject,
            Self::Key => Field::Key,
            Self::All | Self::AllNow => Field::All,
        }
    }

    /// The last second of issue that a value refuses, for a kind that refuses up to a time of
    /// issue.
    pub(super) const fn issued_until(self, value: u64) -> Option<u64> {
        match self {
            Self::Subject | Self::All => Some(value),
            Self::SubjectNow | Self::AllNow => Some(value / 1000),
            Self::Id | Self::Session | Self::EndedSession | Self::Key => None,
        }
    }

    /// The time after which an entry goes when tokens issued until `now` (seconds) are refused: one
    /// that refuses later tokens stays.
    pub(super) fn forgotten_before(self, now: u64, max_token_ttl: u64) -> u64 {
        let value = match self {
            Self::SubjectNow | Self::AllNow => now.saturating_mul(1000),
            _ => now,
        };
        self.needed_until(value, max_token_ttl).unwrap_or(u64::MAX)
    }

    /// When the last token that a value refuses has expired; `None` for a key.
    pub(super) fn refuses_until(self, value: u64, max_token_ttl: u64) -> Option<u64> {
        match (self, self.issued_until(value)) {
            (Self::Key, _) => None,
            (_, None) => Some(value),
            (_, Some(issued)) => Some(issued.saturating_add(max_token_ttl)),
        }
    }

    /// The last second at which an entry with this value is needed; `None` if it never expires.
    pub(super) fn needed_until(self, value: u64, max_token_ttl: u64) -> Option<u64> {
        let last = self.refuses_until(value, max_token_ttl)?;
        // Such an entry also refuses tokens that were issued up to the tolerance ahead.
        let ahead = matches!(self, Self::SubjectNow | Self::AllNow);
        let tolerated = if ahead { 2 * MAX_CLOCK_TOLERANCE } else { MAX_CLOCK_TOLERANCE };
        let until = last.saturating_add(tolerated);
        (until < u64::MAX).then_some(until)
    }
}

/// An entry as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub kind: Kind,
    pub fingerprint: Fingerprint,
    pub value: u64,
    /// Whether it applies to one issuer only.
    pub scoped: bool,
}

#[derive(Default)]
pub(super) struct State {
    pub tables: [EntryTable; 8],
    /// The ids of all tables.
    pub filter: Filter,
    /// The moment until which issued tokens are refused, in milliseconds since 1970; 0 for never.
    /// The list last made room then, or its store noticed a loss. The tolerance of verifiers is
    /// added to it.
    pub rejects_until: u64,
    /// The latest second of issue that an entry for all tokens refuses, of any issuer; 0 if there
    /// is no such entry. Later tokens need no look at those entries.
    pub all_issued_until: u64,
    /// Why the list does not answer any more, if it was closed.
    pub closed: Option<Code>,
}

impl State {
    pub(super) fn table(&self, kind: Kind) -> &EntryTable {
        &self.tables[kind as usize]
    }

    /// Whether any entry exists for a token's field.
    pub(super) fn has(&self, field: Field) -> bool {
        Kind::ALL.iter().any(|kind| kind.field() == field && !self.table(*kind).is_empty())
    }

    /// Makes room for one more id in the filter. A rebuilt filter has room for half as many ids
    /// again, so rebuilding takes constant time per entry.
    pub(super) fn reserve_in_filter(&mut self) -> Result<()> {
        if self.filter.is_full() { self.rebuild_filter() } else { Ok(()) }
    }

    /// Whether the filter lets the id of an entry pass and its table has it.
    pub(super) fn may_have(&self, entry: &Entry) -> bool {
        let has = self.table(entry.kind).get(entry.fingerprint).is_some();
        self.filter.may_hold(entry.fingerprint.id) & has
    }

    /// Makes room in the filter for so many entries, if there is memory for it.
    pub(super) fn expect(&mut self, entries: usize) {
        if let Ok(filter) = Filter::of(iter::empty(), entries) {
            self.filter = filter;
        }
    }

    fn rebuild_filter(&mut self) -> Result<()> {
        let ids = self.tables.iter().flat_map(EntryTable::ids);
        self.filter = Filter::of(ids, self.len()).map_err(|_| no_memory())?;
        Ok(())
    }

    /// Raises the entry that there is, or adds one. Fails without memory, and then nothing changes.
    pub(super) fn store(&mut self, entry: Entry, expiry: Option<Expiry>) -> Result<()> {
        let Entry { kind, fingerprint, value, scoped } = entry;
        let table = &mut self.tables[kind as usize];
        if table.raise(fingerprint, value).is_none() {
            table.reserve(fingerprint, expiry)?;
            self.reserve_in_filter()?;
            self.tables[kind as usize].insert(fingerprint, value, expiry, scoped);
            self.filter.insert(fingerprint.id);
        }
        self.note_all(kind, value);
        Ok(())
    }

    /// Notes the last second of issue that an entry for all tokens refuses.
    pub(super) fn note_all(&mut self, kind: Kind, value: u64) {
        if let Some(issued_until) = kind.issued_until(value).filter(|_| kind.field() == Field::All)
        {
            // Even a revocation until 1970 refuses tokens without a time of issue.
            self.all_issued_until = self.all_issued_until.max(issued_until).max(1);
        }
    }

    /// Whether [`Self::forget_older`] would remove an entry.
    pub(super) fn has_older(&mut self, now: u64, max_token_ttl: u64) -> bool {
        let is_empty = |kind: &Kind| self.table(*kind).is_empty();
        !Kind::FORGOTTEN.iter().all(is_empty)
            || Kind::UP_TO_ISSUE.into_iter().any(|kind| {
                let until = |value| kind.needed_until(value, max_token_ttl);
                let first = kind.forgotten_before(now, max_token_ttl);
                self.tables[kind as usize].has_expired(first, until)
            })
    }

    /// Removes the entries that refuse no token issued after `now`, in seconds, apart from sessions
    /// and keys and from subjects of the last minute before. An entry is removed once, without a
    /// look at those that stay.
    pub(super) fn forget_older(&mut self, now: u64, max_token_ttl: u64) {
        for kind in Kind::FORGOTTEN {
            self.tables[kind as usize] = EntryTable::default();
        }
        for kind in Kind::UP_TO_ISSUE {
            let until = |value| kind.needed_until(value, max_token_ttl);
            let first = kind.forgotten_before(now, max_token_ttl);
            while self.tables[kind as usize].forget_one(first, until) {}
        }
    }

    pub(super) fn len(&self) -> usize {
        self.tables.iter().map(EntryTable::len).sum()
    }

    /// Removes entries that are not needed at `now`, a few at a time.
    pub(super) fn prune(&mut self, now: u64, max_token_ttl: u64) {
        for kind in Kind::ALL {
            for _ in 0..LOOKS_PER_WRITE {
                if !self.forget_one(kind, now, max_token_ttl) {
                    break;
                }
            }
        }
        if !self.has(Field::All) {
            self.all_issued_until = 0;
        }
        if self.filter.is_too_large(self.len()) {
            // Without memory for a smaller filter, this one serves as well.
            let _ = self.rebuild_filter();
        }
    }

    /// Removes one entry that is not needed at `now`, if there is any.
    pub(super) fn prune_one(&mut self, now: u64, max_token_ttl: u64) {
        let len = self.len();
        for kind in Kind::ALL {
            while self.len() == len && self.forget_one(kind, now, max_token_ttl) {}
        }
    }

    fn forget_one(&mut self, kind: Kind, now: u64, max_token_ttl: u64) -> bool {
        let table = &mut self.tables[kind as usize];
        !table.is_empty() && table.forget_one(now, |value| kind.needed_until(value, max_token_ttl))
    }
}
