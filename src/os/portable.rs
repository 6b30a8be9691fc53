//! Zeroed memory from the ordinary allocator: for systems without a backend of their own, and for
//! testing the arena's logic where no system calls exist. It claims nothing.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ops::Range;
use std::ptr::NonNull;

use super::{Backend, Mapping, Memlock, Os, Protection};

/// A system that offers [`Backend::Plain`] only.
#[derive(Clone, Copy, Debug)]
pub struct Portable;

const PAGE: usize = 4096;

impl Os for Portable {
    fn page_size(&self) -> usize {
        PAGE
    }

    fn map(&self, backend: Backend, len: usize) -> Result<Mapping, String> {
        if backend != Backend::Plain {
            return Err(format!("{}: not available on this system", backend.as_str()));
        }
        let layout = Layout::from_size_align(len, PAGE)
            .ok()
            .filter(|layout| layout.size() > 0)
            .ok_or_else(|| String::from("plain: unusable size"))?;
        // SAFETY: the layout's size is not zero, as just filtered.
        let base = unsafe { alloc_zeroed(layout) };
        let base = NonNull::new(base).ok_or_else(|| String::from("plain: out of memory"))?;
        Ok(Mapping { base, len, guard: 0, shortfalls: Vec::new() })
    }

    unsafe fn unmap(&self, mapping: Mapping) {
        if let Ok(layout) = Layout::from_size_align(mapping.len, PAGE) {
            // SAFETY: `map` allocated these bytes with this very layout, and the caller vouches
            // that nothing refers to them.
            unsafe { dealloc(mapping.base.as_ptr(), layout) };
        }
    }

    fn read_back(&self, _: &[Range<usize>]) -> Result<Protection, String> {
        Ok(Protection { locked: false, dump_excluded: false, note: None })
    }

    fn memlock(&self) -> Memlock {
        Memlock { soft: None, hard: None }
    }

    fn hibernation_configured(&self) -> bool {
        false
    }
}
