//! The regions of memory under the slabs: the first one, their growth, and the addresses of places.

use std::ops::Range;
use std::ptr::NonNull;

use super::config::Config;
use super::slabs::{BLOCK, SlabPlace, Slabs};
use super::wipe::wipe;
use crate::os::{Backend, Mapping, ProtectedMemory};

/// All regions of an arena. They are given back together, with the arena.
#[derive(Default)]
pub(super) struct Regions {
    /// By ascending first block.
    list: Vec<Region>,
    /// Set with the first region; further regions are of the same backend or not made at all, so
    /// that no secret silently lands in worse memory than `status()` reported.
    backend: Option<Backend>,
    reasons: Vec<String>,
    capacity: usize,
}

struct Region {
    first_block: usize,
    mapping: Mapping,
}

impl Regions {
    /// Makes the first region with the best backend that works, unless there is one. When the
    /// system gives no memory at all there is none afterwards, and the reasons say why.
    pub(super) fn open(&mut self, config: &Config, slabs: &mut Slabs) {
        if !self.list.is_empty() {
            return;
        }
        let page = config.memory.page_size().max(BLOCK);
        // Whole pages, not beyond `max_bytes`, but one at least.
        let size = (config.first_bytes.min(config.max_bytes) / page * page).max(page);
        let mut reasons = Vec::new();
        let first = config.first_backend(&mut reasons);
        for backend in Backend::LADDER.into_iter().filter(|backend| *backend >= first) {
            match config.memory.map(backend, size) {
                Ok(mapping) => {
                    self.backend = Some(backend);
                    self.reasons = reasons;
                    self.add(mapping, slabs);
                    return;
                }
                Err(reason) => reasons.push(reason),
            }
        }
        self.reasons = reasons;
    }

    /// Adds a region, if the limits allow: twice as large as the largest so far, or as large as the
    /// system still gives.
    pub(super) fn make_room(&mut self, config: &Config, slabs: &mut Slabs) {
        let Some(backend) = self.backend else { return };
        let page = config.memory.page_size().max(BLOCK);
        let room = config.max_bytes.saturating_sub(self.capacity) / page * page;
        let largest = self.list.iter().map(|region| region.mapping.len).max().unwrap_or(0);
        let mut size = largest.saturating_mul(2).max(page).min(room);
        while size >= page {
            match config.memory.map(backend, size) {
                Ok(mapping) => return self.add(mapping, slabs),
                // The system's limit lies somewhere below: use what it still allows.
                Err(_) => size = size / 2 / page * page,
            }
        }
    }

    /// Where a place lies; `None` for a place of another arena.
    pub(super) fn address(&self, place: &SlabPlace) -> Option<NonNull<u8>> {
        let after = self.list.partition_point(|region| region.first_block <= place.block());
        let region = self.list.get(after.checked_sub(1)?)?;
        let offset = (place.block() - region.first_block) * BLOCK + place.offset();
        if offset + place.size() > region.mapping.len {
            return None;
        }
        // SAFETY: the place lies inside the mapping, as just checked.
        Some(unsafe { region.mapping.base.add(offset) })
    }

    /// The backend of all regions; `None` before the first.
    pub(super) fn backend(&self) -> Option<Backend> {
        self.backend
    }

    /// Why no better backend is used, and which protections were refused.
    pub(super) fn reasons(&self) -> &[String] {
        &self.reasons
    }

    /// Bytes of all regions.
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Whether every region stands between guard pages.
    pub(super) fn guarded(&self) -> bool {
        !self.list.is_empty() && self.list.iter().all(|region| region.mapping.guard > 0)
    }

    /// The addresses of all regions.
    pub(super) fn ranges(&self) -> impl Iterator<Item = Range<usize>> {
        self.list.iter().map(|region| region.mapping.range())
    }

    /// Overwrites everything.
    ///
    /// # Safety
    ///
    /// No code uses the bytes from here on.
    pub(super) unsafe fn wipe(&self) {
        for region in &self.list {
            // SAFETY: all of a mapping is writable, and the caller answers for the rest.
            unsafe { wipe(region.mapping.base, region.mapping.len) };
        }
    }

    /// Gives all memory back.
    ///
    /// # Safety
    ///
    /// `memory` is the system the regions came from, and nothing refers to their bytes any more.
    pub(super) unsafe fn release(&mut self, memory: &dyn ProtectedMemory) {
        for region in self.list.drain(..) {
            // SAFETY: passed on to the caller.
            unsafe { memory.unmap(region.mapping) };
        }
    }

    /// Notes which protections a mapping does not have.
    pub(super) fn note(&mut self, mapping: &Mapping) {
        for shortfall in &mapping.shortfalls {
            if !self.reasons.contains(shortfall) {
                self.reasons.push(shortfall.clone());
            }
        }
    }

    fn add(&mut self, mapping: Mapping, slabs: &mut Slabs) {
        self.note(&mapping);
        self.capacity = self.capacity.saturating_add(mapping.len);
        let first_block = slabs.grow(mapping.len / BLOCK);
        self.list.push(Region { first_block, mapping });
    }
}
