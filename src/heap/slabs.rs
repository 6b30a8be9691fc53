//! The occupancy of the slabs. It is recorded on the ordinary heap, so that an overflow inside the
//! protected memory cannot falsify it.
//!
//! Memory is counted in blocks of 4 KiB. A block is either free, or a slab of equal slots of 64
//! bytes to 4 KiB. Larger places are `runs`.

use std::collections::{BTreeSet, TryReserveError};

/// Bytes of a block, independent of the page size of the machine.
pub const BLOCK: usize = 4096;

/// Bytes of the smallest slot; every slot is aligned to at least this.
pub(super) const SMALLEST: usize = 64;

/// The number of slot sizes: 64, 128, … 4096.
const CLASSES: usize = 7;

/// The most slots in a block.
const SLOTS: usize = BLOCK / SMALLEST;

/// One slot, for as long as one tenant has it. The tenant exclusively owns the bytes until the
/// place is given back. Afterwards the place is invalid, even if the slot has a new tenant.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SlabPlace {
    block: usize,
    index: usize,
    len: usize,
    generation: u32,
}

impl SlabPlace {
    /// The block that contains the place.
    pub(super) fn block(&self) -> usize {
        self.block
    }

    /// Bytes from the start of that block.
    pub(super) fn offset(&self) -> usize {
        self.index * self.size()
    }

    /// Bytes that were requested.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Bytes that the place spans: the size of its class.
    pub(super) fn size(&self) -> usize {
        SMALLEST << class_of(self.len)
    }

    /// The number that distinguishes the slot's tenants.
    pub(super) fn generation(&self) -> u32 {
        self.generation
    }

    /// The index of the place's record.
    fn record(&self) -> usize {
        self.block * SLOTS + self.index
    }
}

/// Occupancy of all blocks.
#[derive(Debug, Default)]
pub(super) struct Slabs {
    /// The taken slots of each block, one bit each. Unused for free blocks.
    taken: Vec<u64>,
    /// One record for each slot that a block can have.
    records: Vec<SlotRecord>,
    /// Blocks without a taken slot. The lowest is used first.
    free: BTreeSet<usize>,
    /// Slabs with at least one taken and one free slot, by class. The lowest is filled first, so
    /// that the others empty and become free for other classes.
    partial: [BTreeSet<usize>; CLASSES],
    used_bytes: usize,
    live: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct SlotRecord {
    /// Bytes that were requested; 0 for a free slot.
    len: u32,
    /// How often the slot was given back, modulo 2^32.
    generation: u32,
}

impl Slabs {
    /// Makes room for the records of `blocks` more blocks.
    pub(super) fn try_reserve(&mut self, blocks: usize) -> Result<(), TryReserveError> {
        self.taken.try_reserve(blocks)?;
        self.records.try_reserve(blocks.saturating_mul(SLOTS))
    }

    /// Adds `blocks` free blocks and returns the number of the first.
    pub(super) fn grow(&mut self, blocks: usize) -> usize {
        let first = self.taken.len();
        self.taken.resize(first.saturating_add(blocks), 0);
        self.records.resize(self.taken.len().saturating_mul(SLOTS), SlotRecord::default());
        self.free.extend(first..self.taken.len());
        first
    }

    /// The lowest place that holds `len` bytes (1 to [`BLOCK`]), if there is one.
    pub(super) fn take(&mut self, len: usize) -> Option<SlabPlace> {
        if len > BLOCK {
            return None;
        }
        let noted = u32::try_from(len).ok()?;
        let (block, index) = self.take_slot(class_of(len))?;
        let record = self.records.get_mut(block * SLOTS + index)?;
        record.len = noted;
        let place = SlabPlace { block, index, len, generation: record.generation };
        self.used_bytes += place.size();
        self.live += 1;
        Some(place)
    }

    /// Whether a place is still taken by this tenant.
    pub(super) fn holds(&self, place: &SlabPlace) -> bool {
        let record = self.records.get(place.record());
        record.is_some_and(|record| {
            record.len as usize == place.len && record.generation == place.generation
        })
    }

    /// Every taken place.
    pub(super) fn places(&self) -> impl Iterator<Item = SlabPlace> {
        let taken = self.records.iter().enumerate().filter(|(_, record)| record.len > 0);
        taken.map(|(slot, record)| SlabPlace {
            block: slot / SLOTS,
            index: slot % SLOTS,
            len: record.len as usize,
            generation: record.generation,
        })
    }

    /// Takes back a place that [`holds`](Slabs::holds) confirms. Its bytes have been wiped.
    pub(super) fn give_back(&mut self, place: &SlabPlace) {
        let class = class_of(place.len);
        let (Some(record), Some(taken)) =
            (self.records.get_mut(place.record()), self.taken.get_mut(place.block))
        else {
            return;
        };
        *record = SlotRecord { len: 0, generation: record.generation.wrapping_add(1) };
        let was_full = *taken == full(class);
        *taken &= !(1 << place.index);
        if *taken == 0 {
            self.partial[class].remove(&place.block);
            self.free.insert(place.block);
        } else if was_full {
            self.partial[class].insert(place.block);
        }
        self.used_bytes -= place.size();
        self.live -= 1;
    }

    /// Bytes of all taken places.
    pub(super) fn used_bytes(&self) -> usize {
        self.used_bytes
    }

    /// The number of taken places.
    pub(super) fn live(&self) -> usize {
        self.live
    }

    fn take_slot(&mut self, class: usize) -> Option<(usize, usize)> {
        let block = match self.partial[class].first() {
            Some(block) => *block,
            None => self.free.pop_first()?,
        };
        let taken = self.taken.get_mut(block)?;
        let index = taken.trailing_ones() as usize;
        *taken |= 1 << index;
        if *taken == full(class) {
            self.partial[class].remove(&block);
        } else {
            self.partial[class].insert(block);
        }
        Some((block, index))
    }
}

/// The smallest class whose slots hold `len` bytes; `len` is at most a block.
fn class_of(len: usize) -> usize {
    let rounded = len.clamp(SMALLEST, BLOCK).next_power_of_two();
    (rounded / SMALLEST).trailing_zeros() as usize
}

/// The bits of a full slab.
fn full(class: usize) -> u64 {
    u64::MAX >> (SLOTS - (SLOTS >> class))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size_for(len: usize) -> usize {
        let mut slabs = Slabs::default();
        slabs.grow(1);
        slabs.take(len).unwrap().size()
    }

    #[test]
    fn a_size_is_the_smallest_that_fits() {
        for (len, size) in [(1, 64), (64, 64), (65, 128), (2049, 4096), (4096, 4096)] {
            assert_eq!(size_for(len), size, "{len}");
        }
        let mut slabs = Slabs::default();
        slabs.grow(300);
        assert!(slabs.take(4097).is_none());
    }

    #[test]
    fn a_slab_fills_empties_and_serves_another_class() {
        let mut slabs = Slabs::default();
        slabs.grow(2);
        let places: Vec<_> = (0..128).map(|_| slabs.take(64).unwrap()).collect();
        assert!(slabs.take(64).is_none() && slabs.take(4096).is_none());
        assert_eq!((slabs.used_bytes(), slabs.live()), (8192, 128));
        for place in &places {
            slabs.give_back(place);
        }
        assert_eq!((slabs.used_bytes(), slabs.live()), (0, 0));
        let large = slabs.take(4096).unwrap();
        assert_eq!((large.block(), large.offset(), large.size()), (0, 0, 4096));
    }

    #[test]
    fn what_is_taken_is_listed() {
        let mut slabs = Slabs::default();
        slabs.grow(8);
        let places: Vec<_> = [64, 70, 4096, 500, 1].map(|len| slabs.take(len).unwrap()).into();
        let mut listed: Vec<_> = slabs.places().collect();
        listed.sort_by_key(|place| places.iter().position(|taken| taken == place));
        assert_eq!(listed, places);
        for place in &places[1..] {
            slabs.give_back(place);
        }
        assert_eq!(slabs.places().collect::<Vec<_>>(), places[..1]);
    }

    #[test]
    fn the_lowest_slot_is_reused_first_by_a_tenant_of_its_own() {
        let mut slabs = Slabs::default();
        slabs.grow(4);
        let first = slabs.take(100).unwrap();
        let second = slabs.take(100).unwrap();
        assert_ne!((first.block(), first.offset()), (second.block(), second.offset()));
        slabs.give_back(&first);
        assert!(!slabs.holds(&first) && slabs.holds(&second));
        let again = slabs.take(100).unwrap();
        assert_eq!((again.block(), again.offset()), (first.block(), first.offset()));
        assert!(slabs.holds(&again) && !slabs.holds(&first));
        assert_ne!(again, first);
    }
}
