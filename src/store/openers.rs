//! The stores that this process has open: one for each directory, for all threads.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::directory::Directory;
use super::keys::Keys;
use super::opening::{Opened, open};
use super::options::StoreOptions;
use super::replay::Replay;
use super::shared::Shared;
use super::writer;
use crate::error::{Code, Error, Result};
use crate::os::FileId;

/// A slot for each directory that was ever opened. Its lock is held while the store is opened or
/// closed, so that a store is never open twice.
static SLOTS: LazyLock<Mutex<HashMap<FileId, Arc<Mutex<Slot>>>>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Slot {
    store: Option<Arc<Shared>>,
    /// The thread of the last store, until it has closed its files.
    writer: Option<JoinHandle<()>>,
}

/// Opens a store, or adds an opener to the one that is open. `make` is called for a store that is
/// not open.
pub(super) fn acquire(
    directory: Directory,
    keys: Keys,
    options: StoreOptions,
    make: impl FnOnce() -> Box<dyn Replay>,
) -> Result<Arc<Shared>> {
    let slot = slot(directory.id());
    let mut slot = lock(&slot);
    // A forked process inherits the slot without the thread.
    let known = slot.store.clone().filter(|store| store.check_process().is_ok());
    if let Some(store) = known.as_ref().filter(|store| is_unused(&slot, store)) {
        // Its options bind nobody.
        close(&mut slot, store);
    } else if let Some(store) = known {
        if !store.keys.is(&keys) {
            return Err(Error::new(
                Code::StoreKey,
                "this process has the store open with another key; use the same key",
            ));
        }
        if store.options != options {
            return Err(Error::new(
                Code::InvalidArgValue,
                "this process has the store open with other options; use the same options",
            ));
        }
        store.openers.fetch_add(1, Ordering::AcqRel);
        return Ok(store);
    }
    if slot.store.is_none() {
        wait_for(&mut slot);
    }
    let Opened { shared, engine } = open(directory, keys, options, make())?;
    shared.openers.store(1, Ordering::Relaxed);
    slot.writer = Some(writer::start(shared.clone(), engine, close_unused)?);
    slot.store = Some(shared.clone());
    Ok(shared)
}

/// How an opener ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Release {
    /// Its user closes it, and waits until the files are closed.
    Close,
    /// It is dropped, perhaps with the thread that had it.
    Drop,
}

/// Takes an opener away. The last one closes the store: changes that wait are written, and later
/// ones are refused. If it is only dropped, the store stays open for a state that is used.
pub(super) fn release(shared: &Arc<Shared>, how: Release) {
    if shared.check_process().is_err() {
        return;
    }
    // Only the last opener takes the lock: a waiter may drop a handle on the writer, for which
    // another thread that holds the lock would wait.
    if shared.openers.fetch_sub(1, Ordering::AcqRel) > 1 {
        return;
    }
    let slot = slot(shared.directory.id());
    let mut slot = lock(&slot);
    // Another thread may have opened the store since, and perhaps closed it again.
    if !has_no_opener(&slot, shared) || (how == Release::Drop && shared.state.is_used()) {
        return;
    }
    close(&mut slot, shared);
    if how == Release::Close {
        wait_for(&mut slot);
    }
}

/// Closes a store that nobody has any more, on its writer. Another thread that has the lock of the
/// slot may wait for the writer; then the next look closes it.
fn close_unused(shared: &Arc<Shared>) {
    let slot = slot(shared.directory.id());
    if let Ok(mut slot) = slot.try_lock()
        && is_unused(&slot, shared)
    {
        close(&mut slot, shared);
    }
}

/// Whether a store is open without a handle.
fn has_no_opener(slot: &Slot, shared: &Arc<Shared>) -> bool {
    let is_open = slot.store.as_ref().is_some_and(|store| Arc::ptr_eq(store, shared));
    is_open && shared.openers.load(Ordering::Acquire) == 0
}

/// Whether a store is open, and its handles and all that used it without one were dropped.
fn is_unused(slot: &Slot, shared: &Arc<Shared>) -> bool {
    has_no_opener(slot, shared) && !shared.state.is_used()
}

/// Has the writer write what waits, and end.
fn close(slot: &mut Slot, shared: &Shared) {
    // Before the writer ends: the connection that is closed last writes the log into the database,
    // and two that are closed at once both leave it to the other.
    *lock(&shared.reader) = None;
    shared.wait_for_backups();
    shared.queue.close();
    shared.state.closed();
    slot.store = None;
}

/// Waits until the writer has closed its files. A waiter that closes the store runs on the writer
/// itself, which cannot wait.
fn wait_for(slot: &mut Slot) {
    let is_self = |writer: &JoinHandle<()>| writer.thread().id() == thread::current().id();
    if let Some(writer) = slot.writer.take_if(|writer| !is_self(writer)) {
        // A panic of the writer was noted there.
        let _ = writer.join();
    }
}

fn slot(id: FileId) -> Arc<Mutex<Slot>> {
    lock(&SLOTS).entry(id).or_default().clone()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
