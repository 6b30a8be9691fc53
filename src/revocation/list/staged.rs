//! Revocations that are part of a transaction of the caller, together with its own changes.

use super::RevocationList;
use crate::clock::Moment;
use crate::error::Result;
use crate::revocation::list::revoke::Revocation;
use crate::store::{self, Store};

/// Rows that the caller commits. [`RevocationList::settle`] must follow.
pub struct Staged(Vec<store::Entry>);

impl Staged {
    /// The entries of the batch.
    pub fn entries(&self) -> &[store::Entry] {
        &self.0
    }
}

impl RevocationList {
    /// Whether the list is on a store.
    pub fn is_on(&self, store: &Store) -> bool {
        self.log().is_some_and(|log| log.store.is_same(store))
    }

    /// The present, as far as the list knows it.
    pub fn moment(&self) -> Moment {
        self.observe()
    }

    /// The rows of revocations on a store, without those that the list has already. If it fails,
    /// nothing has to follow.
    pub fn stage<'a>(
        &self,
        revocations: impl IntoIterator<Item = Revocation<'a>>,
    ) -> Result<Staged> {
        let log = self.current()?.log.clone();
        let Some(log) = log else { return Ok(Staged(Vec::new())) };
        let mut staged = Staged(Vec::new());
        for revocation in revocations {
            match self.rows(self.entry_of(&revocation), &log) {
                Ok(rows) => staged.0.extend(rows),
                Err(error) => {
                    self.forget(&staged.0);
                    return Err(error);
                }
            }
        }
        Ok(staged)
    }

    /// Learns whether rows were written. Then the list has them.
    pub fn settle(&self, staged: &Staged, is_written: bool) {
        if is_written {
            self.written();
        } else {
            self.forget(&staged.0);
        }
    }
}
