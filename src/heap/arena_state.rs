//! The state of an arena under its lock: the memory, the demands on it, and its phase of life.

use std::ops::Range;
use std::ptr::NonNull;

use super::canary::Canaries;
use super::config::{Config, Defect};
use super::exhausted::exhausted;
use super::policy::{ArenaSettings, ProtectionPolicy};
use super::status::Status;
use super::store::{self, Place, Store};
use super::wipe::is_zero;
use crate::error::{Code, Error, Result};

/// The state of an arena.
pub(super) struct ArenaState {
    config: Config,
    policy: ProtectionPolicy,
    store: Store,
    /// Bytes of the regions that were found to meet `policy`.
    admitted: usize,
    /// Whether there has ever been a slot.
    is_used: bool,
    /// Whether the process is ending and everything has been wiped.
    is_ended: bool,
}

impl ArenaState {
    /// A state without memory.
    pub(super) fn new(config: Config) -> Self {
        Self {
            config,
            policy: ProtectionPolicy::default(),
            store: Store::default(),
            admitted: 0,
            is_used: false,
            is_ended: false,
        }
    }

    /// As for `Arena::configure`.
    pub(super) fn configure(&mut self, settings: ArenaSettings) -> Result<bool> {
        let ArenaSettings { first_bytes, max_bytes, backend, require, on_degraded } = settings;
        let max_bytes = max_bytes.unwrap_or(self.config.max_bytes);
        if self.is_used {
            let is_fixed = first_bytes.is_some()
                || backend.is_some()
                || require.is_some()
                || on_degraded.is_some();
            if is_fixed || max_bytes < self.config.max_bytes {
                return Err(Error::new(
                    Code::SecretConfigured,
                    "the secure heap is in use: configure it before the first secret or key is \
                     made; afterwards only maxBytes can be raised",
                ));
            }
            self.config.max_bytes = max_bytes;
            return Ok(false);
        }
        self.config.first_bytes = first_bytes.unwrap_or(self.config.first_bytes);
        self.config.max_bytes = max_bytes;
        self.config.backend = backend.unwrap_or(self.config.backend);
        self.policy.on_degraded = on_degraded.unwrap_or(self.policy.on_degraded);
        if let Some(require) = require {
            self.policy.require = require;
        }
        // SAFETY: there has been no slot, so nothing refers to the memory.
        unsafe { self.store.release(self.config.memory) };
        self.admitted = 0;
        Ok(true)
    }

    /// The current configuration.
    pub(super) fn config(&self) -> Config {
        self.config
    }

    /// The current demands on the memory.
    pub(super) fn policy(&self) -> &ProtectionPolicy {
        &self.policy
    }

    /// The memory.
    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// Whether there has ever been a slot.
    pub(super) fn is_used(&self) -> bool {
        self.is_used
    }

    /// A zeroed place of `span` bytes (`span` > 0), and its address. Errors as for `Slot::take`.
    pub(super) fn take(&mut self, span: usize) -> Result<(NonNull<u8>, Place)> {
        self.admit()?;
        let place = if store::is_run(span) {
            self.map(span)?
        } else if let Some(place) = self.store.take(span) {
            place
        } else {
            self.store.grow(&self.config);
            self.admit()?;
            self.store.take(span).ok_or_else(|| self.exhausted(span))?
        };
        self.is_used = true;
        let start = self.store.address(&place).ok_or_else(|| self.exhausted(span))?;
        // SAFETY: the place lies in a mapping that the system zeroed and whose slots are wiped; it
        // has no tenant yet.
        if !unsafe { is_zero(start, place.size()) } {
            self.die(Defect::WrittenWhenFree);
        }
        Ok((start, place))
    }

    /// Checks the canaries of a place, wipes it and takes it back.
    ///
    /// # Safety
    ///
    /// No code uses the bytes of the place any more.
    pub(super) unsafe fn give_back(&mut self, place: &Place) {
        self.check(place);
        // SAFETY: the caller upholds the contract.
        unsafe { self.store.give_back(self.config.memory, place) };
    }

    /// Checks the canaries of every place.
    pub(super) fn verify(&self) {
        for place in self.store.places() {
            self.check(&place);
        }
    }

    /// Ends the process unless the canaries of a place are as they were written for this tenant.
    pub(super) fn check(&self, place: &Place) {
        let Ok(canaries) = Canaries::get() else { return };
        if self.is_ended || self.store.is_intact(canaries, place) {
            return;
        }
        self.die(if self.store.address(place).is_some() {
            Defect::Overwritten
        } else {
            Defect::Stale
        });
    }

    /// The facts that do not require reading the mappings back, and the addresses to ask the kernel
    /// about.
    pub(super) fn facts(&mut self) -> (Status, Vec<Range<usize>>) {
        self.store.open(&self.config);
        (Status::of(&self.config, &self.store), self.store.ranges())
    }

    /// Wipes everything. From now on no place can be taken.
    pub(super) fn end(&mut self) {
        self.is_ended = true;
        self.wipe();
    }

    /// Returns all memory to the system.
    ///
    /// # Safety
    ///
    /// No code uses any place any more.
    pub(super) unsafe fn release(&mut self) {
        // SAFETY: the caller upholds the contract.
        unsafe { self.store.release(self.config.memory) };
    }

    /// Creates the first region, unless there is one. Fails with `ERR_SECRET_DISPOSED` once the
    /// arena has ended.
    pub(super) fn open(&mut self) -> Result<()> {
        if self.is_ended {
            return Err(Error::new(
                Code::SecretDisposed,
                "the process is exiting: every secret has been wiped, and no new secret can be \
                 made",
            ));
        }
        self.store.open(&self.config);
        Ok(())
    }

    /// Checks that the memory is as the policy demands. If added memory is worse, it is never used,
    /// and from then on every call fails.
    pub(super) fn admit(&mut self) -> Result<()> {
        self.open()?;
        let capacity = self.store.region_bytes();
        if self.admitted == capacity {
            return Ok(());
        }
        if self.admitted == 0 || self.policy.is_strict() {
            let mut status = Status::of(&self.config, &self.store);
            status.read_back(self.config.memory, &self.store.ranges());
            self.policy.check(&status)?;
        }
        self.admitted = capacity;
        Ok(())
    }

    /// Maps a run that meets the policy.
    fn map(&mut self, span: usize) -> Result<Place> {
        let place = self.store.map(&self.config, span);
        let place = place.ok_or_else(|| self.exhausted(span))?;
        if let (true, Some(range)) = (self.policy.is_strict(), self.store.range_of(&place)) {
            let mut status = Status::of(&self.config, &self.store);
            status.read_back(self.config.memory, &[range]);
            if let Err(error) = self.policy.check(&status) {
                // SAFETY: no other code knows the place.
                unsafe { self.store.give_back(self.config.memory, &place) };
                return Err(error);
            }
        }
        Ok(place)
    }

    fn die(&self, defect: Defect) -> ! {
        self.wipe();
        (self.config.on_defect)(defect)
    }

    fn wipe(&self) {
        // SAFETY: the process is ending. Threads that still read find zeros, and none of them gets
        // a place any more.
        unsafe { self.store.wipe() };
    }

    fn exhausted(&self, span: usize) -> Error {
        exhausted(&self.config, &self.store, span)
    }
}
