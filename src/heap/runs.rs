//! Runs: places that are too large for a slab, each in its own mapping between guard pages.
//!
//! The bytes end at the end of the mapping, as closely as their alignment to 16 allows, so a write
//! beyond the bytes and their canary hits the guard page. The mapping is made for one tenant and
//! unmapped after it, so that no memory stays locked for a size that may never be needed again.

use std::collections::BTreeMap;
use std::ops::Range;
use std::ptr::NonNull;

use super::slabs::BLOCK;
use super::wipe::wipe;
use crate::os::{Backend, Mapping, ProtectedMemory};

/// The alignment of the bytes of a run.
const ALIGNMENT: usize = 16;

/// The most runs at a time. Each takes at least two areas of the process's address space, and Linux
/// allows 65,530 areas (`vm.max_map_count`). If a process has none left, the allocator of the
/// JavaScript engine ends it.
pub(super) const MAX_RUNS: usize = 8192;

/// One run. No other run ever has the same number.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RunPlace {
    number: u64,
    len: usize,
    size: usize,
}

impl RunPlace {
    /// Bytes that were requested.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Bytes from the run's start to the guard page.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// The number that identifies this run.
    pub(super) fn number(&self) -> u64 {
        self.number
    }
}

/// All runs of an arena.
#[derive(Default)]
pub(super) struct Runs {
    list: BTreeMap<u64, Run>,
    next: u64,
    bytes: usize,
}

struct Run {
    mapping: Mapping,
    len: usize,
}

impl Run {
    /// Bytes from the start of the requested bytes to the guard page.
    fn size(&self) -> usize {
        self.len.next_multiple_of(ALIGNMENT)
    }

    fn start(&self) -> NonNull<u8> {
        // SAFETY: `Runs::map` requested at least `size` bytes.
        unsafe { self.mapping.base.add(self.mapping.len - self.size()) }
    }
}

impl Runs {
    /// A zeroed run of `len` bytes (`len` > 0). Returns `None` if it takes more than `room` bytes,
    /// if the system does not provide the memory, or if there are already [`MAX_RUNS`].
    pub(super) fn map(
        &mut self,
        memory: &dyn ProtectedMemory,
        backend: Backend,
        len: usize,
        room: usize,
    ) -> Option<RunPlace> {
        let size = len.checked_next_multiple_of(memory.page_size().max(BLOCK))?;
        if size > room || self.is_full() {
            return None;
        }
        let mapping = memory.map(backend, size).ok()?;
        let number = self.next;
        self.next += 1;
        self.bytes += mapping.len;
        let run = Run { mapping, len };
        let place = RunPlace { number, len, size: run.size() };
        self.list.insert(number, run);
        Some(place)
    }

    /// The address of a run's bytes; `None` once it has been given back.
    pub(super) fn address(&self, place: &RunPlace) -> Option<NonNull<u8>> {
        self.list.get(&place.number).map(Run::start)
    }

    /// The mapping of a run.
    pub(super) fn mapping(&self, place: &RunPlace) -> Option<&Mapping> {
        self.list.get(&place.number).map(|run| &run.mapping)
    }

    /// Every run.
    pub(super) fn places(&self) -> impl Iterator<Item = RunPlace> {
        let runs = self.list.iter();
        runs.map(|(number, run)| RunPlace { number: *number, len: run.len, size: run.size() })
    }

    /// Returns the memory of a run to the system.
    ///
    /// # Safety
    ///
    /// `memory` is the system that the run came from, and nothing refers to its bytes any more.
    pub(super) unsafe fn unmap(&mut self, memory: &dyn ProtectedMemory, place: &RunPlace) {
        if let Some(run) = self.list.remove(&place.number) {
            self.bytes -= run.mapping.len;
            // SAFETY: the caller upholds the contract.
            unsafe { memory.unmap(run.mapping) };
        }
    }

    /// Mapped bytes of all runs.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether there are as many runs as allowed.
    pub(super) fn is_full(&self) -> bool {
        self.list.len() >= MAX_RUNS
    }

    /// The number of runs.
    pub(super) fn live(&self) -> usize {
        self.list.len()
    }

    /// Whether every run lies between guard pages.
    pub(super) fn guarded(&self) -> bool {
        self.list.values().all(|run| run.mapping.guard > 0)
    }

    /// The addresses of all runs.
    pub(super) fn ranges(&self) -> impl Iterator<Item = Range<usize>> {
        self.list.values().map(|run| run.mapping.range())
    }

    /// Overwrites all bytes.
    ///
    /// # Safety
    ///
    /// No code uses the bytes any more.
    pub(super) unsafe fn wipe(&self) {
        for Run { mapping, .. } in self.list.values() {
            // SAFETY: a mapping is writable as a whole, and the caller guarantees the rest.
            unsafe { wipe(mapping.base, mapping.len) };
        }
    }

    /// Returns all memory to the system.
    ///
    /// # Safety
    ///
    /// As for [`Runs::unmap`], for all runs.
    pub(super) unsafe fn release(&mut self, memory: &dyn ProtectedMemory) {
        self.bytes = 0;
        while let Some((_, run)) = self.list.pop_first() {
            // SAFETY: the caller upholds the contract.
            unsafe { memory.unmap(run.mapping) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::Portable;

    fn map(runs: &mut Runs, len: usize, room: usize) -> Option<RunPlace> {
        runs.map(&Portable, Backend::Plain, len, room)
    }

    #[test]
    fn bytes_end_where_the_memory_does() {
        let mut runs = Runs::default();
        for (len, mapped, slack) in [(4097, 8192, 15), (8192, 8192, 0), (5000, 8192, 8)] {
            let place = map(&mut runs, len, mapped).unwrap();
            assert_eq!((place.len(), place.size()), (len, len + slack));
            let end = runs.address(&place).unwrap().addr().get() + place.size();
            assert_eq!(end, runs.mapping(&place).unwrap().range().end);
            assert!(map(&mut runs, len, mapped - 1).is_none());
            // SAFETY: nothing refers to the run.
            unsafe { runs.unmap(&Portable, &place) };
            assert!(runs.address(&place).is_none());
            assert_eq!((runs.bytes(), runs.live()), (0, 0));
        }
        assert!(map(&mut runs, usize::MAX, usize::MAX).is_none());
    }

    #[test]
    fn a_number_is_never_given_twice() {
        let mut runs = Runs::default();
        let first = map(&mut runs, 5000, 1 << 20).unwrap();
        // SAFETY: nothing refers to the run.
        unsafe { runs.unmap(&Portable, &first) };
        let second = map(&mut runs, 5000, 1 << 20).unwrap();
        assert!(runs.address(&first).is_none() && first != second);
        assert_eq!(runs.places().collect::<Vec<_>>(), [second]);
        // SAFETY: nothing refers to the runs.
        unsafe { runs.release(&Portable) };
        assert_eq!((runs.bytes(), runs.live()), (0, 0));
    }
}
