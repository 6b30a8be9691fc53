//! Anonymous mappings of whole huge pages, kept out of core dumps.

use std::ptr::{NonNull, null_mut};

use crate::os::platform::HUGE_PAGE_LEN;

/// Maps `len` zeroed bytes at the boundary of a huge page; `len` is a multiple of a huge page.
pub(super) fn map(len: usize) -> Option<NonNull<u8>> {
    let mapped = len.checked_add(HUGE_PAGE_LEN)?;
    // SAFETY: a new private mapping at an address of the kernel's choice touches no existing
    // memory.
    let base = unsafe {
        libc::mmap(
            null_mut(),
            mapped,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    if base == libc::MAP_FAILED {
        return None;
    }
    let base = base.cast::<u8>();
    let head = base.addr().wrapping_neg() % HUGE_PAGE_LEN;
    let tail = HUGE_PAGE_LEN - head;
    // SAFETY: head + len + tail is exactly the mapping made above, still unknown to anyone
    // else; all three are multiples of the page size, because `base` is.
    unsafe {
        let start = base.add(head);
        release(base, head);
        release(start.add(len), tail);
        // A failure of either call is ignored. Without huge pages the hash is only slower; the
        // exclusion from dumps exists since Linux 3.4. Memory of one huge page is not mapped as a
        // huge page: it may be for a job of a few KiB, and many of those at a time would hold a
        // multiple of the memory that they need.
        let pages = if len > HUGE_PAGE_LEN { libc::MADV_HUGEPAGE } else { libc::MADV_NOHUGEPAGE };
        libc::madvise(start.cast(), len, pages);
        libc::madvise(start.cast(), len, libc::MADV_DONTDUMP);
        NonNull::new(start)
    }
}

/// Gives `len` bytes back.
///
/// # Safety
/// `start` and `len` come from [`map`], and nothing refers to that memory any more.
pub(super) unsafe fn unmap(start: NonNull<u8>, len: usize) {
    // SAFETY: passed on to the caller.
    unsafe { release(start.as_ptr(), len) };
}

/// # Safety
/// The pages are part of a mapping of ours and nothing refers to them.
unsafe fn release(start: *mut u8, len: usize) {
    if len != 0 {
        // SAFETY: passed on to the caller. It fails only when the system cannot split the
        // mapping; the memory then stays mapped and unused.
        unsafe { libc::munmap(start.cast(), len) };
    }
}
