//! The place up to which a reader knows the log, and entries that continue it.

use super::head::Head;
use super::row::{Entry, Position, Sequence};

/// The place up to which a reader knows the entries of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follower {
    pub(super) position: Position,
    /// The sum of all entries up to there.
    pub(super) appended: u128,
    /// The last transaction whose entries are all known.
    pub(super) complete: Sequence,
}

impl Follower {
    /// A reader of all rows up to a head.
    pub(super) fn at(head: &Head) -> Self {
        Self {
            position: Position::end_of(head.sequence),
            appended: head.appended,
            complete: head.sequence,
        }
    }

    /// The last transaction of which the reader knows all entries.
    pub const fn sequence(&self) -> Sequence {
        self.complete
    }
}

/// The entries of a transaction that this process has committed.
pub struct Appended<'a> {
    before: Follower,
    after: Follower,
    entries: Vec<&'a [Entry]>,
}

impl<'a> Appended<'a> {
    /// The entries that a transaction between two heads has added.
    pub(super) fn new(before: &Head, after: &Head, entries: Vec<&'a [Entry]>) -> Self {
        Self { before: Follower::at(before), after: Follower::at(after), entries }
    }

    /// The entries, if the follower knows all that were added before them: it needs not read them
    /// in the store, and may become [`Self::end`].
    pub fn behind(&self, follower: &Follower) -> Option<impl Iterator<Item = &'a Entry>> {
        (*follower == self.before).then(|| self.entries.iter().copied().flatten())
    }

    /// A reader that knows these entries and all before them.
    pub fn end(&self) -> Follower {
        self.after.clone()
    }
}
