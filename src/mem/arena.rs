//! The secure heap: protected memory, and slots of it on loan.
//!
//! There is one arena for the process, made on first use, because the limits it lives under
//! (`RLIMIT_MEMLOCK`, the number of mappings) are the process's. The first region is 48 KiB, so
//! that it fits under the 64 KiB of locked memory many containers have; `regions` says how it
//! grows.

use std::io::{self, Write};
use std::process;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use super::account;
use super::canary::{self, Canaries, OVERHEAD};
use super::exit;
use super::os::{self, Backend, Os};
use super::overflow::{self, Overflow};
use super::policy::{OnFull, Policy, Settings};
use super::regions::Operator;
use super::slot::Slot;
use super::status::Status;
use super::store::{self, Place, Store};
use crate::error::{Code, Error, Result};

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
    inner: Mutex<Inner>,
}

struct Inner {
    config: Config,
    policy: Policy,
    store: Store,
    /// Where the secrets go that have no room here, once that is set up.
    overflow: Option<Arc<Overflow>>,
    /// Bytes of the regions that were found to be as `policy` demands.
    admitted: usize,
    /// Whether there has ever been a slot.
    used: bool,
    /// Whether the process is ending and everything has been wiped.
    ended: bool,
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
        let inner = Inner {
            config,
            policy: Policy::default(),
            store: Store::default(),
            overflow: None,
            admitted: 0,
            used: false,
            ended: false,
        };
        Self { os: config.os, inner: Mutex::new(inner) }
    }

    /// Changes what the heap is made of. Once there has been a secret, only `max_bytes` may be
    /// raised: anything else is `ERR_SECRET_CONFIGURED`. `ERR_OUT_OF_RANGE` when `max_bytes` leaves
    /// nothing beside what `on_full` sets aside. `ERR_SECRET_DEGRADED` when the machine does not
    /// give what is required; the requirement then stays, and no slot can be had.
    pub fn configure(&self, settings: Settings) -> Result<()> {
        let mut inner = self.lock();
        let inner = &mut *inner;
        let Settings { max_bytes, backend, require, on_degraded, on_full } = settings;
        let max_bytes = max_bytes.unwrap_or(inner.config.max_bytes);
        if inner.used {
            let is_fixed = backend.is_some()
                || require.is_some()
                || on_degraded.is_some()
                || on_full.is_some();
            if is_fixed || max_bytes < inner.config.max_bytes {
                return Err(Error::new(
                    Code::SecretConfigured,
                    "the secure heap is in use: configure it before the first secret or key is \
                     made; afterwards only maxBytes can be raised",
                ));
            }
            inner.config.max_bytes = max_bytes;
            return Ok(());
        }
        let on_full = on_full.unwrap_or(inner.policy.on_full);
        if on_full == OnFull::Seal {
            overflow::check_fits(self.os, max_bytes)?;
        }
        inner.config.max_bytes = max_bytes;
        inner.config.backend = backend.unwrap_or(inner.config.backend);
        inner.policy.on_full = on_full;
        inner.policy.on_degraded = on_degraded.unwrap_or(inner.policy.on_degraded);
        if let Some(require) = require {
            inner.policy.require = require;
        }
        // SAFETY: there has been no slot, so nothing refers to the memory.
        unsafe { inner.store.release(self.os) };
        (inner.admitted, inner.overflow) = (0, None);
        inner.admit()
    }

    /// A zeroed slot of `len` bytes (`len` > 0), or `ERR_SECRET_EXHAUSTED`, `ERR_SECRET_DEGRADED`,
    /// `ERR_RANDOM`, and `ERR_SECRET_DISPOSED` once the end of the process has wiped the arena.
    pub fn slot(self: &Arc<Self>, len: usize) -> Result<Slot> {
        let canaries = Canaries::get()?;
        let span = len.saturating_add(OVERHEAD);
        let (start, place) = {
            let mut inner = self.lock();
            let place = inner.take(span)?;
            let Some(start) = inner.store.address(&place) else {
                return Err(inner.exhausted(span));
            };
            // SAFETY: `start` is where `place` lies in a mapping, which the system zeroed and
            // whose slots are wiped; the book does not give it out twice.
            unsafe {
                if !canary::is_zero(start, place.size()) {
                    inner.die(WRITTEN_WHEN_FREE);
                }
                (canaries.place(start, span, place.tenant()), place)
            }
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
        let mut inner = self.lock();
        inner.check(place);
        // SAFETY: passed on to the caller. Under the lock, so that `verify` sees either a slot with
        // its canaries or none.
        unsafe { inner.store.give_back(self.os, place) };
    }

    /// Looks at the canaries of every slot in use, and ends the process when one is gone.
    pub fn verify(&self) {
        let inner = self.lock();
        for place in inner.store.places() {
            inner.check(&place);
        }
        if let Some(overflow) = &inner.overflow {
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
        let mut inner = self.lock();
        inner.open();
        // What it refuses, every secret is refused with.
        let _ = inner.set_aside();
        let (mut status, ranges) = (inner.facts(), inner.store.ranges());
        let overflow = inner.overflow.clone();
        // Reading smaps takes the kernel a while: nobody need wait for it.
        drop(inner);
        status.read_back(self.os, &ranges);
        if let Some(overflow) = overflow {
            status.add(overflow.scratch().status(), overflow.sealed());
        }
        status
    }

    /// Where the secrets go that have no room here; `None` when they go nowhere.
    pub fn overflow(&self) -> Option<Arc<Overflow>> {
        self.lock().overflow.clone()
    }

    /// Wipes everything, for the process ends: no slot is to be had from here on. Threads that are
    /// still running find zeros and no canaries, which is no alarm any more. Does nothing while
    /// another thread is at work here: it may have been stopped in the middle, and nobody waits at
    /// this point.
    pub(super) fn end(&self) {
        if let Ok(mut inner) = self.inner.try_lock() {
            inner.ended = true;
            // SAFETY: who still reads is a thread that the end of the process has overtaken.
            unsafe { inner.store.wipe() };
            if let Some(overflow) = &inner.overflow {
                overflow.scratch().end();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing under this lock calls foreign code; the book is consistent at every step.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: every slot that pointed into the memory held this arena alive.
        unsafe { self.lock().store.release(self.os) };
    }
}

const OVERWRITTEN: &str = "nodesec: memory beside a secret was overwritten by this process; every \
                           secret is wiped, and the process ends\n";
const WRITTEN_WHEN_FREE: &str = "nodesec: free memory of the secure heap was written to by this \
                                 process; every secret is wiped, and the process ends\n";
const STALE: &str = "nodesec: a secret was used after it had been given back; every secret is \
                     wiped, and the process ends\n";

impl Inner {
    fn take(&mut self, span: usize) -> Result<Place> {
        self.admit()?;
        let place = if store::is_run(span) {
            self.map(span)?
        } else if let Some(place) = self.store.take(span) {
            place
        } else {
            self.store.grow(&self.shared_config());
            self.admit()?;
            self.store.take(span).ok_or_else(|| self.exhausted(span))?
        };
        if !self.used {
            self.used = true;
            // The kernel sees to the pages of memfd_secret, whichever way the process ends.
            if self.config.wipes_at_exit && self.store.backend() != Some(Backend::MemfdSecret) {
                exit::wipe_at_exit();
            }
        }
        Ok(place)
    }

    /// A run of its own, as the policy demands.
    fn map(&mut self, span: usize) -> Result<Place> {
        let place = self.store.map(&self.shared_config(), span);
        let place = place.ok_or_else(|| self.exhausted(span))?;
        if let (true, Some(range)) = (self.policy.is_strict(), self.store.range_of(&place)) {
            let mut status = self.facts();
            status.read_back(self.config.os, &[range]);
            if let Err(error) = self.policy.check(&status) {
                // SAFETY: nobody else knows the place.
                unsafe { self.store.give_back(self.config.os, &place) };
                return Err(error);
            }
        }
        Ok(place)
    }

    /// Makes sure that the memory is as the policy demands. Memory that was added and is worse
    /// than that is never used: from then on every call fails.
    fn admit(&mut self) -> Result<()> {
        if self.ended {
            return Err(Error::new(
                Code::SecretDisposed,
                "the process is ending: every secret has been wiped, and there are no new ones",
            ));
        }
        self.open();
        self.set_aside()?;
        let capacity = self.store.region_bytes();
        if self.admitted == capacity {
            return Ok(());
        }
        if self.admitted == 0 || self.policy.is_strict() {
            let mut status = self.facts();
            status.read_back(self.config.os, &self.store.ranges());
            self.policy.check(&status)?;
        }
        self.admitted = capacity;
        Ok(())
    }

    fn open(&mut self) {
        self.store.open(&self.shared_config());
    }

    /// Sets up what `on_full` asks for, unless that is done.
    fn set_aside(&mut self) -> Result<()> {
        if self.policy.on_full == OnFull::Seal && self.overflow.is_none() {
            self.overflow = Some(Arc::new(Overflow::new(&self.config, &self.policy)?));
        }
        Ok(())
    }

    /// What is left for this arena's own memory.
    fn shared_config(&self) -> Config {
        match self.policy.on_full {
            OnFull::Error => self.config,
            OnFull::Seal => overflow::without_scratch(&self.config),
        }
    }

    /// Ends the process unless the canaries of a slot are as they were laid.
    fn check(&self, place: &Place) {
        let Ok(canaries) = Canaries::get() else { return };
        if self.ended || self.store.is_intact(canaries, place) {
            return;
        }
        self.die(if self.store.address(place).is_some() { OVERWRITTEN } else { STALE });
    }

    /// Something in this process writes where it should not: nothing that it holds is to be
    /// trusted or left behind, neither to a core dump nor to whoever wrote.
    fn die(&self, message: &str) -> ! {
        // SAFETY: other threads may be reading what is wiped; none of them comes to use it, for
        // the process ends here.
        unsafe { self.store.wipe() };
        if let Some(overflow) = &self.overflow {
            overflow.scratch().end();
        }
        // Nothing more can be done when there is no stderr.
        let _ = io::stderr().write_all(message.as_bytes());
        process::abort()
    }

    fn facts(&self) -> Status {
        account::facts(&self.config, &self.store)
    }

    fn exhausted(&self, span: usize) -> Error {
        account::exhausted(&self.shared_config(), &self.store, span)
    }
}
