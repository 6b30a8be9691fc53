//! An arena for secrets, with its optional overflow.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use super::overflow::{self, Overflow};
use super::scratch_lock;
use crate::error::{Code, Result};
use crate::heap::{self, Arena, ArenaSettings, BLOCK, Config, OnDegraded, Requirement, Slot};
use crate::os::Backend;

/// The reaction to a secret for which the heap has no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFull {
    /// The call fails with `ERR_SECRET_EXHAUSTED`.
    #[default]
    Error,
    /// The secret is stored outside the heap, encrypted. 16 KiB of the heap, or one page if that is
    /// larger, are reserved to use such secrets.
    Seal,
}

/// Changes to a secure heap; `None` keeps a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Bytes of all memory together.
    pub max_bytes: Option<usize>,
    /// The first backend of the ladder to try; `Some(None)` means the best that suits the machine.
    pub backend: Option<Option<Backend>>,
    /// Protections that the memory must have.
    pub require: Option<Vec<Requirement>>,
    /// The reaction to degraded memory.
    pub on_degraded: Option<OnDegraded>,
    /// The reaction to a full heap.
    pub on_full: Option<OnFull>,
}

/// The state of a secure heap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The memory, including the scratch memory for sealed secrets.
    pub heap: heap::Status,
    /// Secrets stored outside the heap, encrypted, because there was no room for them.
    pub sealed_secrets: usize,
}

/// A heap for secrets; the process has one, tests have many.
pub(super) struct SecureHeap {
    arena: Arc<Arena>,
    /// Bytes of the first region, including the scratch memory.
    first_bytes: usize,
    state: Mutex<State>,
    /// Whether an overflow is configured but not set up.
    lacks_overflow: AtomicBool,
    first_slot: Once,
    wipe_at_exit: fn(),
}

struct State {
    on_full: OnFull,
    /// Bytes of all memory, including the scratch memory.
    max_bytes: usize,
    overflow: Option<Arc<Overflow>>,
}

impl SecureHeap {
    /// A heap without memory. The first slot calls `wipe_at_exit`, unless the kernel clears all
    /// memory of the heap in any case.
    pub(super) fn new(config: Config, wipe_at_exit: fn()) -> Self {
        let Config { first_bytes, max_bytes, .. } = config;
        Self {
            arena: Arc::new(Arena::new(config)),
            first_bytes,
            state: Mutex::new(State { on_full: OnFull::Error, max_bytes, overflow: None }),
            lacks_overflow: AtomicBool::new(false),
            first_slot: Once::new(),
            wipe_at_exit,
        }
    }

    /// Changes the memory of the heap. Once there has been a secret, only `max_bytes` can be
    /// raised; any other change fails with `ERR_SECRET_CONFIGURED`. Fails with `ERR_OUT_OF_RANGE`
    /// if `max_bytes` leaves nothing beside the memory that `on_full` reserves. Fails with
    /// `ERR_SECRET_DEGRADED` if the machine does not provide a required protection; the requirement
    /// then stays, and every secret is refused.
    pub(super) fn configure(&self, settings: Settings) -> Result<()> {
        let Settings { max_bytes, backend, require, on_degraded, on_full } = settings;
        let mut state = self.state();
        let starts_anew = {
            let config = self.arena.config();
            let max_bytes = max_bytes.unwrap_or(state.max_bytes);
            let wanted = on_full.unwrap_or(state.on_full);
            if wanted == OnFull::Seal && !self.arena.is_used() {
                overflow::check_fits(config.memory, max_bytes)?;
            }
            let aside = match wanted {
                OnFull::Error => 0,
                OnFull::Seal => overflow::scratch_bytes(config.memory),
            };
            // Reduced by the same amount, so that both together fit where the first region did.
            let first_bytes = self.first_bytes.saturating_sub(aside).max(BLOCK);
            let starts_anew = self.arena.configure(ArenaSettings {
                first_bytes: on_full.map(|_| first_bytes),
                max_bytes: Some(max_bytes.saturating_sub(aside)),
                backend,
                require,
                on_degraded,
            })?;
            (state.max_bytes, state.on_full) = (max_bytes, wanted);
            starts_anew
        };
        if !starts_anew {
            return Ok(());
        }
        state.overflow = None;
        self.lacks_overflow.store(state.on_full == OnFull::Seal, Ordering::Release);
        drop(state);
        self.set_aside()?;
        self.arena.admit()
    }

    /// A zeroed slot of the arena. Errors as for [`Slot::take`].
    pub(super) fn slot(&self, len: usize) -> Result<Slot> {
        self.set_aside()?;
        let slot = Slot::take(&self.arena, len)?;
        self.first_slot.call_once(|| self.arrange_wipe());
        Ok(slot)
    }

    /// As [`SecureHeap::slot`]. If the arena is full, a call that creates a secret gets a slot of
    /// the scratch memory, together with the overflow that the memory belongs to.
    pub(super) fn slot_or_scratch(&self, len: usize) -> Result<(Slot, Option<Arc<Overflow>>)> {
        let full = match self.slot(len) {
            Err(error) if error.code == Code::SecretExhausted => error,
            slot => return Ok((slot?, None)),
        };
        let overflow =
            scratch_lock::lock_if_storing().and_then(|lock| Some((self.overflow()?, lock)));
        let (overflow, lock) = overflow.ok_or(full)?;
        Ok((overflow.slot(len, &lock)?, Some(overflow)))
    }

    /// Reads the protections back from the kernel; creates the memory if there is none.
    pub(super) fn status(&self) -> Status {
        // An error is ignored here, because every secret is refused with it.
        let _ = self.set_aside();
        let mut heap = self.arena.status();
        let (max_bytes, overflow) = {
            let state = self.state();
            (state.max_bytes, state.overflow.clone())
        };
        heap.max_bytes = max_bytes;
        if let Some(overflow) = &overflow {
            heap.add(overflow.scratch().status());
        }
        Status { heap, sealed_secrets: overflow.map_or(0, |overflow| overflow.sealed()) }
    }

    /// Checks the canaries of every slot in use, and ends the process if one has changed.
    pub(super) fn verify(&self) {
        self.arena.verify();
        if let Some(overflow) = self.overflow() {
            overflow.scratch().verify();
        }
    }

    /// Wipes everything, because the process ends. Does not wait for locks that other threads hold,
    /// like [`Arena::end`].
    pub(super) fn end(&self) {
        self.arena.end();
        if let Ok(state) = self.state.try_lock()
            && let Some(overflow) = &state.overflow
        {
            overflow.scratch().end();
        }
    }

    /// The overflow for secrets that have no room in the arena; `None` if there is none.
    pub(super) fn overflow(&self) -> Option<Arc<Overflow>> {
        self.state().overflow.clone()
    }

    /// Sets up the configured overflow, unless that is done.
    fn set_aside(&self) -> Result<()> {
        if !self.lacks_overflow.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut state = self.state();
        // The arena comes first for the limit on locked memory.
        self.arena.open()?;
        if state.on_full == OnFull::Seal && state.overflow.is_none() {
            let overflow = Overflow::new(self.arena.config(), self.arena.policy())?;
            state.overflow = Some(Arc::new(overflow));
        }
        self.lacks_overflow.store(false, Ordering::Release);
        Ok(())
    }

    /// Registers the wipe at exit if necessary. The kernel clears the pages of `memfd_secret` in
    /// any case, but the scratch memory may have another backend.
    fn arrange_wipe(&self) {
        if self.arena.backend() != Some(Backend::MemfdSecret) || self.overflow().is_some() {
            (self.wipe_at_exit)();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is consistent at every step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
