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
    /// At most one for each watcher.
    watchers: Vec<(usize, Listener)>,
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

    /// Adds the listener of a watcher, in place of its last one. `watcher` is a number that no
    /// other watcher has while this one lives.
    pub(crate) fn watch(&self, watcher: usize, listener: Listener) {
        let watchers = &mut self.lock().watchers;
        watchers.retain(|(own, _)| *own != watcher);
        watchers.push((watcher, listener));
    }

    pub(crate) fn tell(&self, changes: &[KeyChange]) {
        let mut registered = self.lock();
        registered.all.retain(|(_, listener)| listener(changes));
        registered.watchers.retain(|(_, listener)| listener(changes));
    }

    fn lock(&self) -> MutexGuard<'_, Registered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
