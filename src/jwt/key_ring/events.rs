//! The listeners that a ring tells of its changes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::state::KeyChange;

/// Receives changes in their order, while the ring is locked, so it must pass them on and return.
/// Returns `false` when nobody listens any more.
pub type Listener = Box<dyn Fn(&[KeyChange]) -> bool + Send + Sync>;

/// The listeners of a ring.
#[derive(Default)]
pub(crate) struct Listeners(Mutex<Registered>);

#[derive(Default)]
struct Registered {
    last: u64,
    all: Vec<(u64, Listener)>,
}

impl Listeners {
    pub(crate) fn add(&self, listener: Listener) -> u64 {
        let mut registered = self.lock();
        registered.last += 1;
        let id = registered.last;
        registered.all.push((id, listener));
        id
    }

    pub(crate) fn remove(&self, id: u64) {
        self.lock().all.retain(|(own, _)| *own != id);
    }

    pub(crate) fn tell(&self, changes: &[KeyChange]) {
        self.lock().all.retain(|(_, listener)| listener(changes));
    }

    fn lock(&self) -> MutexGuard<'_, Registered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
