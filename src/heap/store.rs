//! All places of an arena and their memory: slots of slabs, and runs.

use std::ops::Range;
use std::ptr::NonNull;

use super::canary::Canaries;
use super::config::Config;
use super::regions::Regions;
use super::runs::{RunPlace, Runs};
use super::slabs::{BLOCK, SlabPlace, Slabs};
use super::wipe::wipe;
use crate::os::{Backend, Mapping, ProtectedMemory};

/// The part of an arena that belongs to one tenant.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// For up to 4 KiB.
    Slot(SlabPlace),
    /// For more than 4 KiB.
    Run(RunPlace),
}

impl Place {
    /// Bytes that were requested.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Slot(place) => place.len(),
            Self::Run(place) => place.len(),
        }
    }

    /// Bytes that the place spans.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Slot(place) => place.size(),
            Self::Run(place) => place.size(),
        }
    }

    /// The number that distinguishes this tenant from any other at the same address.
    pub(super) fn tenant(&self) -> u64 {
        match self {
            Self::Slot(place) => place.generation().into(),
            Self::Run(place) => place.number(),
        }
    }
}

/// The records of all places, and their memory.
#[derive(Default)]
pub(super) struct Store {
    slabs: Slabs,
    regions: Regions,
    runs: Runs,
}

impl Store {
    /// Creates the first region, unless there is one.
    pub(super) fn open(&mut self, config: &Config) {
        self.regions.open(config, &mut self.slabs);
    }

    /// A free slot for `len` bytes (`len` > 0), if there is one. Never returns a run.
    pub(super) fn take(&mut self, len: usize) -> Option<Place> {
        self.slabs.take(len).map(Place::Slot)
    }

    /// Adds memory for slots, as far as `config` and the system allow.
    pub(super) fn grow(&mut self, config: &Config) {
        // The bytes of the runs are not available for slots.
        let max_bytes = config.max_bytes.saturating_sub(self.runs.bytes());
        self.regions.make_room(&Config { max_bytes, ..*config }, &mut self.slabs);
    }

    /// A run of `len` bytes, as far as `config` and the system allow.
    pub(super) fn map(&mut self, config: &Config, len: usize) -> Option<Place> {
        let room = config.max_bytes.saturating_sub(self.capacity());
        let place = self.runs.map(config.memory, self.backend()?, len, room)?;
        if let Some(mapping) = self.runs.mapping(&place) {
            self.regions.note(mapping);
        }
        Some(Place::Run(place))
    }

    /// Whether `len` bytes need a run and there are already as many as allowed.
    pub(super) fn is_one_too_many(&self, len: usize) -> bool {
        is_run(len) && self.runs.is_full()
    }

    /// The address of a place; `None` if this tenant has given it back, or for a place of another
    /// arena.
    pub(super) fn address(&self, place: &Place) -> Option<NonNull<u8>> {
        match place {
            Place::Slot(place) if !self.slabs.holds(place) => None,
            Place::Slot(place) => self.regions.address(place),
            Place::Run(place) => self.runs.address(place),
        }
    }

    /// Every place that is taken.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> {
        self.slabs.places().map(Place::Slot).chain(self.runs.places().map(Place::Run))
    }

    /// Wipes a taken place and takes it back.
    ///
    /// # Safety
    ///
    /// `memory` is the system of this store, and nothing refers to the bytes any more.
    pub(super) unsafe fn give_back(&mut self, memory: &dyn ProtectedMemory, place: &Place) {
        let Some(start) = self.address(place) else { return };
        // SAFETY: the caller upholds the contract.
        unsafe {
            wipe(start, place.size());
            match place {
                Place::Slot(place) => self.slabs.give_back(place),
                Place::Run(place) => self.runs.unmap(memory, place),
            }
        }
    }

    /// Whether the canaries are as they were written, and the tenant still has the place.
    pub(super) fn is_intact(&self, canaries: &Canaries, place: &Place) -> bool {
        // SAFETY: the store lists the place, so `Canaries::place` was called for it before the lock
        // around this store was released.
        self.address(place)
            .is_some_and(|start| unsafe { canaries.are_intact(start, place.len(), place.tenant()) })
    }

    /// The backend of all memory; `None` before the first region.
    pub(super) fn backend(&self) -> Option<Backend> {
        self.regions.backend()
    }

    /// Why no better backend is used, and which protections were refused.
    pub(super) fn reasons(&self) -> &[String] {
        self.regions.reasons()
    }

    /// Bytes of all memory.
    pub(super) fn capacity(&self) -> usize {
        self.regions.capacity() + self.runs.bytes()
    }

    /// Bytes of the memory that stays, that is all except the runs.
    pub(super) fn region_bytes(&self) -> usize {
        self.regions.capacity()
    }

    /// Bytes of all taken places: the slots' sizes, and the runs as mapped.
    pub(super) fn used_bytes(&self) -> usize {
        self.slabs.used_bytes() + self.runs.bytes()
    }

    /// The number of taken places.
    pub(super) fn live(&self) -> usize {
        self.slabs.live() + self.runs.live()
    }

    /// Whether guard pages lie before and after every region and every run.
    pub(super) fn guarded(&self) -> bool {
        self.regions.guarded() && self.runs.guarded()
    }

    /// The addresses of all memory.
    pub(super) fn ranges(&self) -> Vec<Range<usize>> {
        self.regions.ranges().chain(self.runs.ranges()).collect()
    }

    /// The address range of a run's mapping; `None` for a slot.
    pub(super) fn range_of(&self, place: &Place) -> Option<Range<usize>> {
        match place {
            Place::Slot(_) => None,
            Place::Run(place) => self.runs.mapping(place).map(Mapping::range),
        }
    }

    /// Overwrites all bytes.
    ///
    /// # Safety
    ///
    /// No code uses the bytes any more.
    pub(super) unsafe fn wipe(&self) {
        // SAFETY: the caller upholds the contract.
        unsafe {
            self.regions.wipe();
            self.runs.wipe();
        }
    }

    /// Returns all memory to the system and forgets all places.
    ///
    /// # Safety
    ///
    /// As for [`Store::give_back`], for all places.
    pub(super) unsafe fn release(&mut self, memory: &dyn ProtectedMemory) {
        // SAFETY: the caller upholds the contract.
        unsafe {
            self.regions.release(memory);
            self.runs.release(memory);
        }
        *self = Self::default();
    }
}

/// Whether `len` bytes need a run.
pub(super) fn is_run(len: usize) -> bool {
    len > BLOCK
}
