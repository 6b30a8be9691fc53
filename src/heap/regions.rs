//! The regions of memory under the slabs: the first region, growth, and the addresses of places.

use std::ops::Range;
use std::ptr::NonNull;

use super::config::Config;
use super::slabs::{BLOCK, SlabPlace, Slabs};
use super::wipe::wipe;
use crate::os::{Backend, Mapping, ProtectedMemory};

/// All regions of an arena. They are returned to the system together, with the arena.
#[derive(Default)]
pub(super) struct Regions {
    /// Ordered by first block.
    list: Vec<Region>,
    /// Set with the first region. Further regions use the same backend or are not made, so that no
    /// secret silently lands in worse memory than `status()` reported.
    backend: Option<Backend>,
    reasons: Vec<String>,
    capacity: usize,
}

struct Region {
    first_block: usize,
    mapping: Mapping,
}

impl Regions {
    /// Creates the first region with the best backend that works, unless there is a region. If the
    /// system provides no memory at all, there is no region afterwards, and the reasons say why.
    pub(super) fn open(&mut self, config: &Config, slabs: &mut Slabs) {
        if !self.list.is_empty() {
            return;
        }
        let page = config.memory.page_size().max(BLOCK);
        // Whole pages, at most `max_bytes`, but at least one page.
        let size = (config.first_bytes.min(config.max_bytes) / page * page).max(page);
        let mut reasons = Vec::new();
        if slabs.try_reserve(size / BLOCK).is_err() {
            self.reasons = vec!["there is no memory for the records of the secure heap".into()];
            return;
        }
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
    /// system still allows.
    pub(super) fn make_room(&mut self, config: &Config, slabs: &mut Slabs) {
        let Some(backend) = self.backend else { return };
        let page = config.memory.page_size().max(BLOCK);
        let room = config.max_bytes.saturating_sub(self.capacity) / page * page;
        let largest = self.list.iter().map(|region| region.mapping.len).max().unwrap_or(0);
        let mut size = largest.saturating_mul(2).max(page).min(room);
        while size >= page {
            if slabs.try_reserve(size / BLOCK).is_err() {
                size = size / 2 / page * page;
                continue;
            }
            match config.memory.map(backend, size) {
                Ok(mapping) => return self.add(mapping, slabs),
                // The system's limit is lower: use the memory that it still allows.
                Err(_) => size = size / 2 / page * page,
            }
        }
    }

    /// The address of a place; `None` for a place of another arena.
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

    /// The backend of all regions; `None` before the first region.
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

    /// Whether every region lies between guard pages.
    pub(super) fn guarded(&self) -> bool {
        !self.list.is_empty() && self.list.iter().all(|region| region.mapping.guard > 0)
    }

    /// The addresses of all regions.
    pub(super) fn ranges(&self) -> impl Iterator<Item = Range<usize>> {
        self.list.iter().map(|region| region.mapping.range())
    }

    /// Overwrites all bytes.
    ///
    /// # Safety
    ///
    /// No code uses the bytes any more.
    pub(super) unsafe fn wipe(&self) {
        for region in &self.list {
            // SAFETY: a mapping is writable as a whole, and the caller guarantees the rest.
            unsafe { wipe(region.mapping.base, region.mapping.len) };
        }
    }

    /// Returns all memory to the system.
    ///
    /// # Safety
    ///
    /// `memory` is the system that the regions came from, and nothing refers to their bytes any
    /// more.
    pub(super) unsafe fn release(&mut self, memory: &dyn ProtectedMemory) {
        for region in self.list.drain(..) {
            // SAFETY: the caller upholds the contract.
            unsafe { memory.unmap(region.mapping) };
        }
    }

    /// Records the protections that a mapping lacks.
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
