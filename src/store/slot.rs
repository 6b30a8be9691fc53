//! The place of a view of a store, which is empty once the store is closed.

use std::sync::{Arc, PoisonError, RwLock};

use super::fault::closed;
use super::store::Store;
use crate::error::Result;

/// A view of a store, for an object that may live for longer than the store is open. The object
/// empties it when the store is closed, so that nothing of the store stays mapped.
pub struct StoreSlot(RwLock<Option<Arc<Store>>>);

impl StoreSlot {
    /// A slot with a view of a store.
    pub fn new(store: &Store) -> Self {
        Self(RwLock::new(Some(Arc::new(store.view()))))
    }

    /// The view. Fails with `ERR_STORE_CLOSED` if the slot is empty.
    pub fn get(&self) -> Result<Arc<Store>> {
        self.lend(Arc::clone).ok_or_else(closed)
    }

    /// Lends the view to `body`, which must be quick; `None` if the slot is empty.
    pub fn lend<T>(&self, body: impl FnOnce(&Arc<Store>) -> T) -> Option<T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(body)
    }

    /// Whether the slot is empty.
    pub fn is_empty(&self) -> bool {
        self.lend(|_| ()).is_none()
    }

    /// Empties the slot.
    pub fn empty(&self) {
        let view = self.0.write().unwrap_or_else(PoisonError::into_inner).take();
        // After the lock: it may be the last one, which closes files.
        drop(view);
    }
}
