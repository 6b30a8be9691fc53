//! The arena: protected memory, lent as slots.

use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::arena_state::ArenaState;
use super::canary::{Canaries, OVERHEAD};
use super::config::Config;
use super::policy::{ArenaSettings, ProtectionPolicy};
use super::status::Status;
use super::store::Place;
use crate::error::Result;
use crate::os::{Backend, ProtectedMemory};

/// A heap of protected memory. [`Slot::take`](super::Slot::take) borrows parts of it.
pub struct Arena {
    memory: &'static dyn ProtectedMemory,
    state: Mutex<ArenaState>,
}

impl Arena {
    /// An arena without memory.
    pub fn new(config: Config) -> Self {
        Self { memory: config.memory, state: Mutex::new(ArenaState::new(config)) }
    }

    /// Changes the configuration of the memory. Before the first slot the arena starts again
    /// without memory, and the result is `true`. Afterwards only `max_bytes` can be raised; any
    /// other change fails with `ERR_SECRET_CONFIGURED`.
    pub fn configure(&self, settings: ArenaSettings) -> Result<bool> {
        self.lock().configure(settings)
    }

    /// Creates the first region if there is none. Fails with `ERR_SECRET_DISPOSED` once the end of
    /// the process has wiped the arena.
    pub fn open(&self) -> Result<()> {
        self.lock().open()
    }

    /// Checks that the memory is as the policy demands, and creates the first region if there is
    /// none. Fails with `ERR_SECRET_DEGRADED` if the machine does not provide a required
    /// protection. The requirement stays, and every slot is refused. Other errors as for
    /// [`Arena::open`].
    pub fn admit(&self) -> Result<()> {
        self.lock().admit()
    }

    /// The current configuration.
    pub fn config(&self) -> Config {
        self.lock().config()
    }

    /// The current demands on the memory.
    pub fn policy(&self) -> ProtectionPolicy {
        self.lock().policy().clone()
    }

    /// The backend of the memory; `None` before there is memory.
    pub fn backend(&self) -> Option<Backend> {
        self.lock().store().backend()
    }

    /// Whether there has ever been a slot.
    pub fn is_used(&self) -> bool {
        self.lock().is_used()
    }

    /// Checks the canaries of every slot in use, and ends the process if one has changed.
    pub fn verify(&self) {
        self.lock().verify();
    }

    /// Reads the protections back from the kernel. Creates the first region if there is none,
    /// because without a mapping there is nothing to report.
    pub fn status(&self) -> Status {
        // The kernel takes a while to write smaps, so the lock is released first.
        let (mut status, ranges) = self.lock().facts();
        status.read_back(self.memory, &ranges);
        status
    }

    /// Wipes everything, because the process ends. From now on no slot can be taken. Threads that
    /// still run find zeros and no canaries, which no longer counts as a defect. Does nothing if
    /// the lock is held: its holder may have been stopped, and this call must not wait.
    pub fn end(&self) {
        if let Ok(mut state) = self.state.try_lock() {
            state.end();
        }
    }

    /// A zeroed place for `len` bytes (`len` > 0), and the address of the bytes, which follow the
    /// canary of their tenant. Errors as for `Slot::take`.
    pub(super) fn lend(&self, len: usize) -> Result<(NonNull<u8>, Place)> {
        let canaries = Canaries::get()?;
        let span = len.saturating_add(OVERHEAD);
        let mut state = self.lock();
        let (start, place) = state.take(span)?;
        // SAFETY: `place` lies at `start`, and the store gives it to no other tenant.
        Ok((unsafe { canaries.place(start, span, place.tenant()) }, place))
    }

    /// Wipes the place of a slot and takes it back. Ends the process if a canary has changed, or if
    /// the place was given back before.
    ///
    /// # Safety
    ///
    /// `place` comes from [`Arena::lend`] of this arena, and its bytes are no longer used.
    pub(super) unsafe fn give_back(&self, place: &Place) {
        // SAFETY: the caller upholds the contract. The lock ensures that `verify` sees either a
        // slot with its canaries or no slot.
        unsafe { self.lock().give_back(place) };
    }

    /// Ends the process if the canaries of a place are not those of its tenant, unless the arena
    /// has ended.
    pub(super) fn check(&self, place: &Place) {
        self.lock().check(place);
    }

    fn lock(&self) -> MutexGuard<'_, ArenaState> {
        // No foreign code is called under this lock, and the state is consistent at every step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: every slot that pointed into the memory held this arena alive.
        unsafe { self.lock().release() };
    }
}
