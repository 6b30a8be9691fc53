//! Zeroed memory from the ordinary allocator, for systems without a better source.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;

/// Allocates `len` zeroed bytes (`len` > 0) at a multiple of `align`, a power of two; `None` if
/// there is no memory.
pub(super) fn allocate(len: usize, align: usize) -> Option<NonNull<u8>> {
    let layout = Layout::from_size_align(len, align).ok().filter(|layout| layout.size() > 0)?;
    // SAFETY: the layout's size is not zero, as just filtered.
    NonNull::new(unsafe { alloc_zeroed(layout) })
}

/// Gives memory back.
///
/// # Safety
///
/// `start` comes from [`allocate`] with the same `len` and `align`, and nothing refers to that
/// memory any more.
pub(super) unsafe fn free(start: NonNull<u8>, len: usize, align: usize) {
    if let Ok(layout) = Layout::from_size_align(len, align) {
        // SAFETY: `allocate` allocated these bytes with the same layout.
        unsafe { dealloc(start.as_ptr(), layout) };
    }
}
