//! Functions that an object calls with its changes.

mod mailbox;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use self::mailbox::{MAX_WAITING, Mail, Mailbox};

/// Receives changes in their order, while the object is locked, so it must pass them on and return.
/// Returns `false` when nobody listens any more.
pub type Listener<T> = Box<dyn Fn(&[T]) -> bool + Send + Sync>;

/// The listeners of an object.
pub(crate) struct Listeners<T> {
    /// Whether there may be a listener.
    any: AtomicBool,
    registered: Mutex<Registered<T>>,
}

struct Registered<T> {
    last: u64,
    all: Vec<(u64, Listener<T>)>,
    /// At most one for each watcher.
    watchers: Vec<(usize, Listener<T>)>,
}

impl<T> Default for Listeners<T> {
    fn default() -> Self {
        let registered = Mutex::new(Registered { last: 0, all: Vec::new(), watchers: Vec::new() });
        Self { any: AtomicBool::new(false), registered }
    }
}

impl<T> Listeners<T> {
    /// Adds a listener and returns a number for [`Self::remove`].
    pub(crate) fn add(&self, listener: Listener<T>) -> u64 {
        let mut registered = self.lock();
        registered.last += 1;
        let id = registered.last;
        registered.all.push((id, listener));
        self.any.store(true, Ordering::Release);
        id
    }

    pub(crate) fn remove(&self, id: u64) {
        let mut registered = self.lock();
        registered.all.retain(|(own, _)| *own != id);
        self.note(&registered);
    }

    /// Adds the listener of a watcher, in place of its last one. `watcher` is a number that no
    /// other watcher has while this one lives.
    pub(crate) fn watch(&self, watcher: usize, listener: Listener<T>) {
        let mut registered = self.lock();
        registered.watchers.retain(|(own, _)| *own != watcher);
        registered.watchers.push((watcher, listener));
        self.any.store(true, Ordering::Release);
    }

    /// Tells all listeners of changes.
    pub(crate) fn tell(&self, changes: &[T]) {
        if !self.any.load(Ordering::Acquire) {
            return;
        }
        let mut registered = self.lock();
        registered.all.retain(|(_, listener)| listener(changes));
        registered.watchers.retain(|(_, listener)| listener(changes));
        self.note(&registered);
    }

    fn note(&self, registered: &Registered<T>) {
        let none = registered.all.is_empty() && registered.watchers.is_empty();
        self.any.store(!none, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Registered<T>> {
        self.registered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_listener_hears_of_changes_until_it_is_removed_or_says_that_nobody_listens() {
        let listeners = Listeners::default();
        listeners.tell(&[0]);
        let (tell, heard) = mpsc::channel();
        let id = listeners.add({
            let tell = tell.clone();
            Box::new(move |changes: &[i32]| tell.send(('a', changes.to_vec())).is_ok())
        });
        listeners.add(Box::new(move |changes: &[i32]| {
            tell.send(('b', changes.to_vec())).unwrap();
            changes != [2]
        }));
        listeners.tell(&[1]);
        listeners.tell(&[2]);
        listeners.tell(&[3]);
        listeners.remove(id);
        listeners.tell(&[4]);
        assert!(!listeners.any.load(Ordering::Acquire));
        let heard: Vec<_> = heard.iter().collect();
        let told = [('a', 1), ('b', 1), ('a', 2), ('b', 2), ('a', 3)];
        assert_eq!(heard, told.map(|(name, change)| (name, vec![change])));
    }
}
