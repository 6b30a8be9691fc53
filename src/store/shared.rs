//! The state of a store that all its handles in a process share.

use std::process;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::counters::Counters;
use super::directory::Directory;
use super::engine::Engine;
use super::epoch::Epoch;
use super::fault::{closed, older};
use super::files::OpenFiles;
use super::head::Head;
use super::health::Health;
use super::keys::Keys;
use super::options::StoreOptions;
use super::queue::Queue;
use super::replay::Replay;
use crate::error::Result;

pub(super) struct Shared {
    pub(super) directory: Directory,
    /// The files that this process has open.
    pub(super) files: OpenFiles,
    pub(super) options: StoreOptions,
    pub(super) keys: Keys,
    pub(super) epoch: Epoch,
    pub(super) health: Health,
    pub(super) queue: Queue,
    pub(super) counters: Counters,
    pub(super) openers: AtomicUsize,
    /// The head that was replayed.
    pub(super) replayed: Head,
    pub(super) state: Arc<dyn Replay>,
    pub(super) lost_at: AtomicU64,
    /// Whether nobody in this process has been told yet of a loss since the machine started.
    pub(super) has_loss_to_tell: AtomicBool,
    /// The process that opened the store: after a fork, locks and the writer are gone.
    pub(super) process: u32,
    /// The connection for reading; `None` once the store is closed.
    pub(super) reader: Mutex<Option<Box<dyn Engine>>>,
    /// Locked for reading by each backup, which has connections of its own.
    pub(super) backups: RwLock<()>,
}

impl Shared {
    /// Fails with `ERR_STORE_CLOSED` in a forked process.
    pub(super) fn check_process(&self) -> Result<()> {
        if self.process == process::id() { Ok(()) } else { Err(closed()) }
    }

    /// Runs a backup, unless the store is closed.
    pub(super) fn back_up(&self, write: impl FnOnce() -> Result<()>) -> Result<()> {
        let _running = self.backups.read().unwrap_or_else(PoisonError::into_inner);
        // After the lock: a store that is closed waits for this backup, or this sees it.
        let is_open = self.reader.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if is_open { write() } else { Err(closed()) }
    }

    /// Waits for the backups that are running.
    pub(super) fn wait_for_backups(&self) {
        drop(self.backups.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Reads with the connection for reading, and notes whether that works.
    pub(super) fn read<T>(&self, body: impl FnOnce(&mut dyn Engine) -> Result<T>) -> Result<T> {
        self.check_process()?;
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let engine = reader.as_deref_mut().ok_or_else(closed)?;
        let result = body(engine);
        self.health.note(&result);
        result
    }

    /// Compares a head with the epoch that was read before it, and raises the epoch: the process
    /// that committed may have died in between.
    pub(super) fn note_head(&self, epoch: u64, head: &Head) -> Result<()> {
        if head.sequence < epoch || head.store != self.replayed.store {
            return Err(older());
        }
        self.lost_at.store(head.lost_at, Ordering::Relaxed);
        self.epoch.raise(head.sequence);
        Ok(())
    }
}
