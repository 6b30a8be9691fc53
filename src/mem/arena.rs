//! The secure heap: regions of protected memory, and slots of them on loan.
//!
//! There is one arena for the process, made on first use, because the limits it lives under
//! (`RLIMIT_MEMLOCK`, the number of mappings) are the process's. The first region is 48 KiB, so
//! that it fits under the 64 KiB of locked memory many containers have; `regions` says how it
//! grows.

use std::io::{self, Write};
use std::process;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use super::canary::{self, Canaries, OVERHEAD};
use super::exit;
use super::os::{self, Backend, Os, REMEDY};
use super::policy::{Policy, Settings};
use super::regions::{Operator, Regions};
use super::slabs::{BLOCK, Place, Slabs};
use super::slot::Slot;
use super::status::{self, Status};
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
    /// Bytes of all regions together.
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
    slabs: Slabs,
    regions: Regions,
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
            slabs: Slabs::default(),
            regions: Regions::default(),
            admitted: 0,
            used: false,
            ended: false,
        };
        Self { os: config.os, inner: Mutex::new(inner) }
    }

    /// Changes what the heap is made of. Once there has been a secret, only `max_bytes` may be
    /// raised: anything else is `ERR_SECRET_CONFIGURED`. `ERR_SECRET_DEGRADED` when the machine
    /// does not give what is required; the requirement then stays, and no slot can be had.
    pub fn configure(&self, settings: Settings) -> Result<()> {
        let mut inner = self.lock();
        let inner = &mut *inner;
        let Settings { max_bytes, backend, require, on_degraded } = settings;
        let max_bytes = max_bytes.unwrap_or(inner.config.max_bytes);
        if inner.used {
            let is_fixed = backend.is_some() || require.is_some() || on_degraded.is_some();
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
        inner.config.max_bytes = max_bytes;
        inner.config.backend = backend.unwrap_or(inner.config.backend);
        inner.policy.on_degraded = on_degraded.unwrap_or(inner.policy.on_degraded);
        if let Some(require) = require {
            inner.policy.require = require;
        }
        // SAFETY: there has been no slot, so nothing refers to the regions.
        unsafe { inner.regions.release(self.os) };
        (inner.regions, inner.slabs, inner.admitted) = Default::default();
        inner.admit()
    }

    /// A zeroed slot of `len` bytes (`len` > 0), or `ERR_SECRET_EXHAUSTED`, `ERR_SECRET_DEGRADED`
    /// or `ERR_RANDOM`.
    pub fn slot(self: &Arc<Self>, len: usize) -> Result<Slot> {
        let canaries = Canaries::get()?;
        let span = len.saturating_add(OVERHEAD);
        let (start, place) = {
            let mut inner = self.lock();
            inner.admit()?;
            let place = match inner.slabs.take(span) {
                Some(place) => place,
                None => inner.grow_and_take(span)?,
            };
            if !inner.used {
                inner.used = true;
                // The kernel sees to the pages of memfd_secret, whichever way the process ends.
                if inner.config.wipes_at_exit
                    && inner.regions.backend() != Some(Backend::MemfdSecret)
                {
                    exit::wipe_at_exit();
                }
            }
            let Some(start) = inner.regions.address(&place) else {
                return Err(inner.exhausted(span));
            };
            // SAFETY: `start` is where `place` lies in a mapping, which the system zeroed and
            // whose slots are wiped; the book does not give it out twice.
            unsafe {
                if !inner.ended && !canary::is_zero(start, place.size()) {
                    inner.die(WRITTEN_WHEN_FREE);
                }
                (canaries.place(start, span), place)
            }
        };
        // SAFETY: `len` bytes begin there; only `drop` of this arena gives the mapping back.
        Ok(unsafe { Slot::new(start, len, place, Arc::clone(self)) })
    }

    /// Takes back what a slot was made of, wiped. Ends the process when a canary is gone.
    ///
    /// # Safety
    ///
    /// `place` is that of a slot of this arena, whose bytes are not used any more.
    pub(super) unsafe fn give_back(&self, place: &Place) {
        let mut inner = self.lock();
        inner.check(place);
        if let Some(start) = inner.regions.address(place) {
            // SAFETY: passed on to the caller. Under the lock, so that `verify` sees either a
            // slot with its canaries or none.
            unsafe { canary::wipe(start, place.size()) };
        }
        inner.slabs.give_back(place);
    }

    /// Looks at the canaries of every slot in use, and ends the process when one is gone.
    pub fn verify(&self) {
        let inner = self.lock();
        for place in inner.slabs.places() {
            inner.check(&place);
        }
    }

    /// Reads the facts back; makes the first region if there is none, for without a real mapping
    /// nothing true could be said.
    pub fn status(&self) -> Status {
        let mut inner = self.lock();
        inner.open();
        let (mut status, ranges) = (inner.facts(), inner.regions.ranges());
        // Reading smaps takes the kernel a while: nobody need wait for it.
        drop(inner);
        status.read_back(self.os, &ranges);
        status
    }

    /// Wipes everything, for the process ends. Threads that are still running find zeros and no
    /// canaries, which is no alarm any more. Does nothing while another thread is at work here:
    /// it may have been stopped in the middle, and nobody waits at this point.
    pub(super) fn end(&self) {
        if let Ok(mut inner) = self.inner.try_lock() {
            inner.ended = true;
            // SAFETY: who still reads is a thread that the end of the process has overtaken.
            unsafe { inner.regions.wipe() };
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing under this lock calls foreign code; the book is consistent at every step.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: every slot that pointed into the regions held this arena alive.
        unsafe { self.lock().regions.release(self.os) };
    }
}

const OVERWRITTEN: &str = "nodesec: memory beside a secret was overwritten by this process; every \
                           secret is wiped, and the process ends\n";
const WRITTEN_WHEN_FREE: &str = "nodesec: free memory of the secure heap was written to by this \
                                 process; every secret is wiped, and the process ends\n";

impl Inner {
    /// Ends the process unless the canaries of a slot are as they were laid.
    fn check(&self, place: &Place) {
        let (Some(start), Ok(canaries)) = (self.regions.address(place), Canaries::get()) else {
            return;
        };
        if self.ended {
            return;
        }
        // SAFETY: the book lists it, so `slot` placed canaries there, under the same lock.
        if !unsafe { canaries.are_intact(start, place.len()) } {
            self.die(OVERWRITTEN);
        }
    }

    /// Something in this process writes where it should not: nothing that it holds is to be
    /// trusted or left behind, neither to a core dump nor to whoever wrote.
    fn die(&self, message: &str) -> ! {
        // SAFETY: other threads may be reading what is wiped; none of them comes to use it, for
        // the process ends here.
        unsafe { self.regions.wipe() };
        // Nothing more can be done when there is no stderr.
        let _ = io::stderr().write_all(message.as_bytes());
        process::abort()
    }

    fn open(&mut self) {
        self.regions.open(&self.config, &mut self.slabs);
    }

    /// Makes sure that the memory is as the policy demands. Memory that was added and is worse
    /// than that is never used: from then on every call fails.
    fn admit(&mut self) -> Result<()> {
        self.open();
        let capacity = self.regions.capacity();
        if self.admitted == capacity {
            return Ok(());
        }
        if self.admitted == 0 || self.policy.is_strict() {
            let mut status = self.facts();
            status.read_back(self.config.os, &self.regions.ranges());
            self.policy.check(&status)?;
        }
        self.admitted = capacity;
        Ok(())
    }

    fn grow_and_take(&mut self, span: usize) -> Result<Place> {
        self.regions.make_room(&self.config, &mut self.slabs, span);
        self.admit()?;
        self.slabs.take(span).ok_or_else(|| self.exhausted(span))
    }

    /// What is known without asking the kernel about the mappings.
    fn facts(&self) -> Status {
        // Without any memory there is no capacity, and the reasons say why.
        let backend = self.regions.backend().unwrap_or(Backend::Plain);
        let secret = backend == Backend::MemfdSecret;
        let memlock = self.config.os.memlock();
        Status {
            backend,
            reasons: self.regions.reasons().to_vec(),
            // The pages of memfd_secret are in no swap and no dump by construction, whatever the
            // flags say.
            locked: secret,
            dump_excluded: secret,
            kernel_unmapped: secret,
            guard_pages: self.regions.guarded(),
            capacity_bytes: self.regions.capacity(),
            used_bytes: self.slabs.used_bytes(),
            live_secrets: self.slabs.live(),
            max_bytes: self.config.max_bytes,
            memlock_soft: memlock.soft,
            memlock_hard: memlock.hard,
            hibernation_blocked: secret,
            leaked: status::leaked(),
            degraded: !secret,
        }
    }

    fn exhausted(&self, span: usize) -> Error {
        let len = span - OVERHEAD;
        let (used, capacity, max) =
            (self.slabs.used_bytes(), self.regions.capacity(), self.config.max_bytes);
        let numbers = format!(
            "the secure heap has no room for {len} bytes: {used} of {capacity} bytes are in use"
        );
        let message = if max.saturating_sub(capacity) < span.max(BLOCK) {
            format!(
                "{numbers}, and it may not grow beyond {max} bytes; dispose of secrets that are \
                 no longer needed"
            )
        } else {
            let soft = self.config.os.memlock().soft;
            let limit = soft.map_or_else(|| "unlimited".to_owned(), |b| format!("{b} bytes"));
            format!(
                "{numbers}, and the system gives no more (limit on locked memory: {limit}); \
                 dispose of secrets that are no longer needed, or {REMEDY}"
            )
        };
        Error::new(Code::SecretExhausted, message)
    }
}
