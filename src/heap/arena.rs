//! The secure heap: protected memory, and slots of it on loan.
//!
//! There is one arena for the process, made on first use, because the limits it lives under
//! (`RLIMIT_MEMLOCK`, the number of mappings) are the process's. The first region is 48 KiB, so
//! that it fits under the 64 KiB of locked memory many containers have; `regions` says how it
//! grows.

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use super::arena_state::ArenaState;
use super::canary::{Canaries, OVERHEAD};
use super::policy::Settings;
use super::regions::Operator;
use super::slot::Slot;
use super::status::Status;
use super::store::Place;
use crate::error::Result;
use crate::os::{self, Backend, Os};
use crate::secret::overflow::Overflow;

/// What an arena is made with.
#[derive(Clone, Copy)]
pub struct Config {
    /// The system that gives the memory.
    pub os: &'static dyn Os,
    /// The first rung of the ladder to try. `None` is the best one, except that a machine set up
    /// to hibernate starts below `memfd_secret`, which would stop it from hibernating.
    pub backend: Option<Backend>,
    /// What whoever runs the process has chosen over that.
    pub operator: Operator,
    /// Whether this is the arena that `exit` wipes.
    pub wipes_at_exit: bool,
    /// Bytes of the first region.
    pub first_bytes: usize,
    /// Bytes of all memory together.
    pub max_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            os: os::native(),
            backend: None,
            operator: Operator::Silent,
            wipes_at_exit: false,
            first_bytes: 48 * 1024,
            max_bytes: 16 * 1024 * 1024,
        }
    }
}

/// A heap of its own; the process has one, tests have many.
pub struct Arena {
    os: &'static dyn Os,
    inner: Mutex<ArenaState>,
}

/// The arena of the process.
pub fn global() -> &'static Arc<Arena> {
    static GLOBAL: LazyLock<Arc<Arena>> = LazyLock::new(|| {
        let operator = Operator::of_environment();
        Arc::new(Arena::new(Config { operator, wipes_at_exit: true, ..Config::default() }))
    });
    &GLOBAL
}

impl Arena {
    /// An arena that has no memory yet.
    pub fn new(config: Config) -> Self {
        Self { os: config.os, inner: Mutex::new(ArenaState::new(config)) }
    }

    /// Changes what the heap is made of. Once there has been a secret, only `max_bytes` may be
    /// raised: anything else is `ERR_SECRET_CONFIGURED`. `ERR_OUT_OF_RANGE` when `max_bytes` leaves
    /// nothing beside what `on_full` sets aside. `ERR_SECRET_DEGRADED` when the machine does not
    /// give what is required; the requirement then stays, and no slot can be had.
    pub fn configure(&self, settings: Settings) -> Result<()> {
        self.lock().configure(settings)
    }

    /// A zeroed slot of `len` bytes (`len` > 0), or `ERR_SECRET_EXHAUSTED`, `ERR_SECRET_DEGRADED`,
    /// `ERR_RANDOM`, and `ERR_SECRET_DISPOSED` once the end of the process has wiped the arena.
    pub fn slot(self: &Arc<Self>, len: usize) -> Result<Slot> {
        let canaries = Canaries::get()?;
        let span = len.saturating_add(OVERHEAD);
        let (start, place) = {
            let mut inner = self.lock();
            let (start, place) = inner.take(span)?;
            // SAFETY: `start` is where `place` lies, and the book does not give it out twice.
            (unsafe { canaries.place(start, span, place.tenant()) }, place)
        };
        // SAFETY: `len` bytes begin there, behind the canary; `give_back` alone ends that.
        Ok(unsafe { Slot::new(start, len, place, Arc::clone(self)) })
    }

    /// Takes back what a slot was made of, wiped. Ends the process when a canary is gone, or when
    /// the place was given back before.
    ///
    /// # Safety
    ///
    /// `place` is that of a slot of this arena, whose bytes are not used any more.
    pub(super) unsafe fn give_back(&self, place: &Place) {
        // SAFETY: passed on to the caller. Under the lock, so that `verify` sees either a slot with
        // its canaries or none.
        unsafe { self.lock().give_back(place) };
    }

    /// Looks at the canaries of every slot in use, and ends the process when one is gone.
    pub fn verify(&self) {
        let overflow = {
            let inner = self.lock();
            inner.verify();
            inner.overflow()
        };
        if let Some(overflow) = overflow {
            overflow.scratch().verify();
        }
    }

    /// A slot was found without the canary of its tenant: ends the process, unless it is ending and
    /// that is why.
    pub(super) fn alarm(&self, place: &Place) {
        self.lock().check(place);
    }

    /// Reads the facts back; makes the first region if there is none, for without a real mapping
    /// nothing true could be said.
    pub fn status(&self) -> Status {
        // Reading smaps takes the kernel a while: nobody need wait for it.
        let (mut status, ranges, overflow) = self.lock().facts();
        status.read_back(self.os, &ranges);
        if let Some(overflow) = overflow {
            status.add(overflow.scratch().status(), overflow.sealed());
        }
        status
    }

    /// Where the secrets go that have no room here; `None` when they go nowhere.
    pub fn overflow(&self) -> Option<Arc<Overflow>> {
        self.lock().overflow()
    }

    /// Wipes everything, for the process ends: no slot is to be had from here on. Threads that are
    /// still running find zeros and no canaries, which is no alarm any more. Does nothing while
    /// another thread is at work here: it may have been stopped in the middle, and nobody waits at
    /// this point.
    pub(crate) fn end(&self) {
        if let Ok(mut inner) = self.inner.try_lock() {
            inner.end();
        }
    }

    fn lock(&self) -> MutexGuard<'_, ArenaState> {
        // Nothing under this lock calls foreign code; the book is consistent at every step.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: every slot that pointed into the memory held this arena alive.
        unsafe { self.lock().release() };
    }
}
