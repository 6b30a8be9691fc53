//! Counts the keys that are being made for a ring, and waits for them.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The keys that are being made.
#[derive(Default)]
pub(super) struct PendingKeys {
    count: Mutex<usize>,
    ended: Condvar,
}

/// A key that is being made, until this value is dropped.
pub struct PendingKey(Arc<PendingKeys>);

impl PendingKeys {
    pub(super) fn begin(self: &Arc<Self>) -> PendingKey {
        *self.lock() += 1;
        PendingKey(self.clone())
    }

    pub(super) fn are_none(&self) -> bool {
        *self.lock() == 0
    }

    /// Blocks until `is_done`, which is asked again whenever a key has been made. Returns `false`
    /// if no key is being made and it is not.
    pub(super) fn wait_until(&self, is_done: impl Fn() -> bool) -> bool {
        let mut count = self.lock();
        loop {
            if is_done() {
                return true;
            }
            if *count == 0 {
                return false;
            }
            count = self.ended.wait(count).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PendingKey {
    fn drop(&mut self) {
        *self.0.lock() -= 1;
        self.0.ended.notify_all();
    }
}
