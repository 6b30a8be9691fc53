//! The book of the arena: which part of which block is taken. Numbers only, kept on the ordinary
//! heap, so that an overflow inside the protected memory cannot falsify them.
//!
//! Memory is counted in blocks of 4 KiB. A block is either free, or a slab of equal slots of 64 B
//! to 4 KiB, or part of a run of whole blocks for something larger.

use std::collections::{BTreeMap, BTreeSet};

/// Bytes of a block, whatever the page size of the machine.
pub const BLOCK: usize = 4096;

/// Bytes of the smallest slot; every slot is aligned to this at least.
pub const SMALLEST: usize = 64;

/// 64, 128, … 4096.
const CLASSES: usize = 7;

/// The most slots a block has.
const SLOTS: usize = BLOCK / SMALLEST;

/// One slot or run. Whoever holds it has the bytes to himself until he gives it back.
#[derive(Debug, PartialEq, Eq)]
pub struct Place {
    block: usize,
    index: usize,
    len: usize,
}

impl Place {
    /// The block it starts in.
    pub fn block(&self) -> usize {
        self.block
    }

    /// Bytes from the start of that block.
    pub fn offset(&self) -> usize {
        self.index * self.size()
    }

    /// Bytes that were asked for.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Bytes it spans: the class size, or whole blocks.
    pub fn size(&self) -> usize {
        if self.len > BLOCK {
            self.len.next_multiple_of(BLOCK)
        } else {
            SMALLEST << class_of(self.len)
        }
    }
}

/// Occupancy of all blocks.
#[derive(Debug, Default)]
pub struct Slabs {
    /// The slots taken in each block, a bit each. Unused for free blocks and runs.
    taken: Vec<u64>,
    /// What was asked for, in bytes, for each of the slots that a block can have; 0 where nothing
    /// is taken. A run has its length at its first block.
    lens: Vec<u32>,
    /// Free stretches: first block → number of blocks. Neighbours are always merged.
    free: BTreeMap<usize, usize>,
    /// Slabs with at least one slot taken and one free, by class; the lowest is filled first,
    /// which lets the others run empty and become runs again.
    partial: [BTreeSet<usize>; CLASSES],
    used_bytes: usize,
    live: usize,
}

impl Slabs {
    /// Adds `blocks` free blocks and returns the number of the first. One number is left out
    /// before it, so that no run ever spans two regions.
    pub fn grow(&mut self, blocks: usize) -> usize {
        let first = self.taken.len().saturating_add(1);
        self.taken.resize(first.saturating_add(blocks), 0);
        self.lens.resize(self.taken.len().saturating_mul(SLOTS), 0);
        if blocks > 0 {
            self.free.insert(first, blocks);
        }
        first
    }

    /// The lowest place that holds `len` bytes (`len` > 0), if there is one.
    pub fn take(&mut self, len: usize) -> Option<Place> {
        let noted = u32::try_from(len).ok()?;
        let (block, index) = if len > BLOCK {
            (self.take_run(len.div_ceil(BLOCK))?, 0)
        } else {
            self.take_slot(class_of(len))?
        };
        *self.lens.get_mut(block * SLOTS + index)? = noted;
        let place = Place { block, index, len };
        self.used_bytes += place.size();
        self.live += 1;
        Some(place)
    }

    /// Every place that is taken.
    pub fn places(&self) -> impl Iterator<Item = Place> {
        let taken = self.lens.iter().enumerate().filter(|(_, len)| **len > 0);
        taken.map(|(slot, len)| Place {
            block: slot / SLOTS,
            index: slot % SLOTS,
            len: *len as usize,
        })
    }

    /// Takes a place back. Its bytes have been wiped.
    pub fn give_back(&mut self, place: &Place) {
        self.used_bytes -= place.size();
        self.live -= 1;
        if let Some(len) = self.lens.get_mut(place.block * SLOTS + place.index) {
            *len = 0;
        }
        if place.len > BLOCK {
            self.free_run(place.block, place.size() / BLOCK);
            return;
        }
        let class = class_of(place.len);
        let Some(taken) = self.taken.get_mut(place.block) else { return };
        let was_full = *taken == full(class);
        *taken &= !(1 << place.index);
        if *taken == 0 {
            self.partial[class].remove(&place.block);
            self.free_run(place.block, 1);
        } else if was_full {
            self.partial[class].insert(place.block);
        }
    }

    /// Bytes of all places taken.
    pub fn used_bytes(&self) -> usize {
        self.used_bytes
    }

    /// Number of places taken.
    pub fn live(&self) -> usize {
        self.live
    }

    fn take_slot(&mut self, class: usize) -> Option<(usize, usize)> {
        let block = match self.partial[class].first() {
            Some(block) => *block,
            None => self.take_run(1)?,
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

    /// First fit: short stretches low down are used up before the long one at the end is cut.
    fn take_run(&mut self, blocks: usize) -> Option<usize> {
        let (start, len) =
            self.free.iter().find(|(_, len)| **len >= blocks).map(|(start, len)| (*start, *len))?;
        self.free.remove(&start);
        if len > blocks {
            self.free.insert(start + blocks, len - blocks);
        }
        Some(start)
    }

    fn free_run(&mut self, mut start: usize, mut blocks: usize) {
        if let Some((before, len)) = self.free.range(..start).next_back().map(|(s, l)| (*s, *l))
            && before + len == start
        {
            self.free.remove(&before);
            start = before;
            blocks += len;
        }
        if let Some(len) = self.free.remove(&(start + blocks)) {
            blocks += len;
        }
        self.free.insert(start, blocks);
    }
}

/// The smallest class whose slots hold `len` bytes; `len` is at most a block.
fn class_of(len: usize) -> usize {
    let rounded = len.clamp(SMALLEST, BLOCK).next_power_of_two();
    (rounded / SMALLEST).trailing_zeros() as usize
}

/// The bits of a slab without a free slot.
fn full(class: usize) -> u64 {
    u64::MAX >> (SLOTS - (SLOTS >> class))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size_for(len: usize) -> usize {
        let mut slabs = Slabs::default();
        slabs.grow(300);
        slabs.take(len).unwrap().size()
    }

    #[test]
    fn sizes() {
        for (len, size) in [
            (1, 64),
            (64, 64),
            (65, 128),
            (2049, 4096),
            (4096, 4096),
            (4097, 8192),
            (1 << 20, 1 << 20),
        ] {
            assert_eq!(size_for(len), size, "{len}");
        }
    }

    #[test]
    fn a_slab_fills_empties_and_becomes_a_run() {
        let mut slabs = Slabs::default();
        slabs.grow(2);
        let places: Vec<_> = (0..128).map(|_| slabs.take(64).unwrap()).collect();
        assert!(slabs.take(64).is_none());
        assert_eq!((slabs.used_bytes(), slabs.live()), (8192, 128));
        for place in &places {
            slabs.give_back(place);
        }
        assert_eq!((slabs.used_bytes(), slabs.live()), (0, 0));
        let run = slabs.take(8192).unwrap();
        assert_eq!((run.offset(), run.size()), (0, 8192));
    }

    #[test]
    fn a_run_never_spans_two_regions() {
        let mut slabs = Slabs::default();
        slabs.grow(3);
        slabs.grow(3);
        assert!(slabs.take(4 * BLOCK).is_none());
        let (a, b) = (slabs.take(3 * BLOCK).unwrap(), slabs.take(3 * BLOCK).unwrap());
        slabs.give_back(&a);
        slabs.give_back(&b);
        assert!(slabs.take(4 * BLOCK).is_none());
        assert_eq!(slabs.free.len(), 2);
    }

    #[test]
    fn what_is_taken_is_listed() {
        let mut slabs = Slabs::default();
        slabs.grow(8);
        let places: Vec<_> = [64, 70, 4096, 5000, 1].map(|len| slabs.take(len).unwrap()).into();
        let mut listed: Vec<_> = slabs.places().collect();
        listed.sort_by_key(|place| places.iter().position(|taken| taken == place));
        assert_eq!(listed, places);
        for place in &places[1..] {
            slabs.give_back(place);
        }
        assert_eq!(slabs.places().collect::<Vec<_>>(), places[..1]);
    }

    #[test]
    fn the_lowest_slot_is_reused_first() {
        let mut slabs = Slabs::default();
        slabs.grow(4);
        let first = slabs.take(100).unwrap();
        let second = slabs.take(100).unwrap();
        slabs.give_back(&first);
        assert_eq!(slabs.take(100).unwrap(), first);
        assert_ne!(first, second);
    }
}
