//! What stands under an arena's lock: the memory, the demands on it, and what becomes of it.

use std::ops::Range;
use std::ptr::NonNull;
use std::sync::Arc;

use super::account;
use super::arena::Config;
use super::canary::{self, Canaries};
use super::policy::{OnFull, Policy, Settings};
use super::status::Status;
use super::store::{self, Place, Store};
use crate::error::{Code, Error, Result};
use crate::os::Backend;
use crate::secret::alarm::{self, Defect};
use crate::secret::exit;
use crate::secret::overflow::{self, Overflow};

/// The state of an arena.
pub struct ArenaState {
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

impl ArenaState {
    /// Without any memory yet.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            policy: Policy::default(),
            store: Store::default(),
            overflow: None,
            admitted: 0,
            used: false,
            ended: false,
        }
    }

    /// As `Arena::configure`.
    pub fn configure(&mut self, settings: Settings) -> Result<()> {
        let Settings { max_bytes, backend, require, on_degraded, on_full } = settings;
        let max_bytes = max_bytes.unwrap_or(self.config.max_bytes);
        if self.used {
            let is_fixed = backend.is_some()
                || require.is_some()
                || on_degraded.is_some()
                || on_full.is_some();
            if is_fixed || max_bytes < self.config.max_bytes {
                return Err(Error::new(
                    Code::SecretConfigured,
                    "the secure heap is in use: configure it before the first secret or key is \
                     made; afterwards only maxBytes can be raised",
                ));
            }
            self.config.max_bytes = max_bytes;
            return Ok(());
        }
        let on_full = on_full.unwrap_or(self.policy.on_full);
        if on_full == OnFull::Seal {
            overflow::check_fits(self.config.os, max_bytes)?;
        }
        self.config.max_bytes = max_bytes;
        self.config.backend = backend.unwrap_or(self.config.backend);
        self.policy.on_full = on_full;
        self.policy.on_degraded = on_degraded.unwrap_or(self.policy.on_degraded);
        if let Some(require) = require {
            self.policy.require = require;
        }
        // SAFETY: there has been no slot, so nothing refers to the memory.
        unsafe { self.store.release(self.config.os) };
        (self.admitted, self.overflow) = (0, None);
        self.admit()
    }

    /// A zeroed place of `span` bytes (`span` > 0), and where it lies. Errors as `Arena::slot`.
    pub fn take(&mut self, span: usize) -> Result<(NonNull<u8>, Place)> {
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
            // The kernel sees to the pages of memfd_secret, whichever way the process ends. What is
            // set aside may be of another kind.
            let is_secret = self.store.backend() == Some(Backend::MemfdSecret);
            if self.config.wipes_at_exit && (!is_secret || self.overflow.is_some()) {
                exit::wipe_at_exit();
            }
        }
        let start = self.store.address(&place).ok_or_else(|| self.exhausted(span))?;
        // SAFETY: the place lies in a mapping, which the system zeroed and whose slots are wiped; it
        // has no tenant yet.
        if !unsafe { canary::is_zero(start, place.size()) } {
            self.die(Defect::WrittenWhenFree);
        }
        Ok((start, place))
    }

    /// Wipes a place and takes it back, after a look at its canaries.
    ///
    /// # Safety
    ///
    /// Nobody uses its bytes any more.
    pub unsafe fn give_back(&mut self, place: &Place) {
        self.check(place);
        // SAFETY: passed on to the caller.
        unsafe { self.store.give_back(self.config.os, place) };
    }

    /// Looks at the canaries of every place.
    pub fn verify(&self) {
        for place in self.store.places() {
            self.check(&place);
        }
    }

    /// Ends the process unless the canaries of a place are as they were laid for this tenant.
    pub fn check(&self, place: &Place) {
        let Ok(canaries) = Canaries::get() else { return };
        if self.ended || self.store.is_intact(canaries, place) {
            return;
        }
        self.die(if self.store.address(place).is_some() {
            Defect::Overwritten
        } else {
            Defect::Stale
        });
    }

    /// What is known without asking the kernel about the memory, the addresses to ask it about, and
    /// what has a status of its own.
    pub fn facts(&mut self) -> (Status, Vec<Range<usize>>, Option<Arc<Overflow>>) {
        self.open();
        // What it refuses, every secret is refused with.
        let _ = self.set_aside();
        (self.account(), self.store.ranges(), self.overflow())
    }

    /// Where secrets go that have no room here.
    pub fn overflow(&self) -> Option<Arc<Overflow>> {
        self.overflow.clone()
    }

    /// Wipes everything; from here on there are no places.
    pub fn end(&mut self) {
        self.ended = true;
        // SAFETY: who still reads is a thread that the end of the process has overtaken.
        unsafe { self.store.wipe() };
        if let Some(overflow) = &self.overflow {
            overflow.scratch().end();
        }
    }

    /// Gives all memory back.
    ///
    /// # Safety
    ///
    /// Nobody uses any place any more.
    pub unsafe fn release(&mut self) {
        // SAFETY: passed on to the caller.
        unsafe { self.store.release(self.config.os) };
    }

    /// A run of its own, as the policy demands.
    fn map(&mut self, span: usize) -> Result<Place> {
        let place = self.store.map(&self.shared_config(), span);
        let place = place.ok_or_else(|| self.exhausted(span))?;
        if let (true, Some(range)) = (self.policy.is_strict(), self.store.range_of(&place)) {
            let mut status = self.account();
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
            let mut status = self.account();
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

    fn die(&self, defect: Defect) -> ! {
        // SAFETY: other threads may be reading what is wiped; none of them comes to use it, for
        // the process ends here.
        unsafe { self.store.wipe() };
        if let Some(overflow) = &self.overflow {
            overflow.scratch().end();
        }
        alarm::raise(defect)
    }

    fn account(&self) -> Status {
        account::facts(&self.config, &self.store)
    }

    fn exhausted(&self, span: usize) -> Error {
        account::exhausted(&self.shared_config(), &self.store, span)
    }
}
