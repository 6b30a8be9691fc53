//! The allocator of the tests, which counts the bytes that each thread requests.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

thread_local! {
    static ALLOCATED: Cell<usize> = const { Cell::new(0) };
}

/// Runs `body`. Returns its result and the number of bytes that it has allocated on this thread,
/// freed ones included.
pub(crate) fn allocated_by<T>(body: impl FnOnce() -> T) -> (T, usize) {
    let before = ALLOCATED.get();
    let result = body();
    (result, ALLOCATED.get() - before)
}

fn count(len: usize) {
    // A thread that is ending has no counter any more, and no test reads its count.
    let _ = ALLOCATED.try_with(|allocated| allocated.set(allocated.get().wrapping_add(len)));
}

// SAFETY: every call is passed on unchanged to the system's allocator; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: passed on to the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: passed on to the caller.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(new_size);
        // SAFETY: passed on to the caller.
        unsafe { System.realloc(start, layout, new_size) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        // SAFETY: passed on to the caller.
        unsafe { System.dealloc(start, layout) }
    }
}

#[test]
fn allocations_are_counted() {
    let (bytes, allocated) = allocated_by(|| vec![0_u8; 12345]);
    assert_eq!((bytes.len(), allocated), (12345, 12345));
    assert_eq!(allocated_by(|| drop(bytes)).1, 0);
}
