//! The sessions of a store, before `Sessions` are made on it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::family::Stamp;
use super::limits::SessionLimits;
use super::shared::SharedTable;
use crate::clock::{Clock, is_same_clock};
use crate::error::Result;
use crate::revocation::RevocationList;
use crate::store::{Entry, Position, Replay, SealedRecord, Store};

/// The table of a store, which the first `Sessions` on it make. It reads no row when the store is
/// opened: most processes only verify, and each row has to be decrypted.
#[derive(Default)]
pub struct StoredSessions(Mutex<Option<Made>>);

struct Made {
    table: Arc<SharedTable>,
    clock: Arc<dyn Clock>,
}

impl StoredSessions {
    /// The table, which is made by the first call. `None` if it was made with other limits, or with
    /// another clock.
    pub(super) fn table(
        &self,
        store: &Store,
        limits: SessionLimits,
        clock: &Arc<dyn Clock>,
        list: &Arc<RevocationList>,
    ) -> Result<Option<Arc<SharedTable>>> {
        let mut made = self.lock();
        // After the lock: a store that is closed meanwhile drops the table, too.
        store.check()?;
        let made = made.get_or_insert_with(|| {
            let table = SharedTable::on_store(limits, store, clock.clone(), list);
            Made { table: Arc::new(table), clock: clock.clone() }
        });
        let agrees = made.table.limits == limits && is_same_clock(&made.clock, clock);
        Ok(agrees.then(|| made.table.clone()))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Made>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Replay for StoredSessions {
    fn entry(&mut self, _: Position, _: &Entry) -> Result<()> {
        Ok(())
    }

    fn record(&mut self, _: &SealedRecord<'_>) -> Result<()> {
        Ok(())
    }

    fn looked(&self) {
        // Another owner of the table would look like one of its users.
        if let Some(made) = &*self.lock() {
            made.table.look(Stamp::of(&*made.clock));
        }
    }

    fn is_used(&self) -> bool {
        self.lock().as_ref().is_some_and(|made| Arc::strong_count(&made.table) > 1)
    }

    fn closed(&self) {
        // The table holds the store, which holds this object.
        let made = self.lock().take();
        if let Some(Made { table, .. }) = made {
            table.close();
        }
    }
}
