//! Zeroed memory from the allocator.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;

use crate::password::memory::BLOCK_ALIGN;

/// `len` zeroed bytes, aligned for blocks; `len` is not 0.
pub(in crate::password::memory) fn map(len: usize) -> Option<NonNull<u8>> {
    let layout = Layout::from_size_align(len, BLOCK_ALIGN).ok()?;
    // SAFETY: the layout is not empty, as the caller promises.
    NonNull::new(unsafe { alloc_zeroed(layout) })
}

/// Gives `len` bytes back.
///
/// # Safety
/// `start` and `len` come from [`map`], and nothing refers to that memory any more.
pub(in crate::password::memory) unsafe fn unmap(start: NonNull<u8>, len: usize) {
    if let Ok(layout) = Layout::from_size_align(len, BLOCK_ALIGN) {
        // SAFETY: allocated by `map` with this very layout.
        unsafe { dealloc(start.as_ptr(), layout) };
    }
}
