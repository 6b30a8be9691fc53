//! The objects on a store that get its rows when it is opened.

use crate::error::Result;
use crate::jwt::StoredRing;
use crate::revocation::StoredList;
use crate::store::{Entry, Position, Replay, SealedRecord};

/// The revocation list and the key ring of a store.
pub(super) struct StoreState {
    pub(super) list: StoredList,
    pub(super) ring: StoredRing,
}

impl Replay for StoreState {
    fn entry(&mut self, position: Position, entry: &Entry) -> Result<()> {
        self.list.entry(position, entry)?;
        self.ring.entry(position, entry)
    }

    fn record(&mut self, record: &SealedRecord<'_>) -> Result<()> {
        self.list.record(record)?;
        self.ring.record(record)
    }

    fn looked(&self) {
        self.list.looked();
        self.ring.looked();
    }

    fn is_used(&self) -> bool {
        self.list.is_used() || self.ring.is_used()
    }

    fn closed(&self) {
        self.list.closed();
        self.ring.closed();
    }
}
