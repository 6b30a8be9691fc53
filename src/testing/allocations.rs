//! The allocator of the tests, which counts the bytes that each thread requests, and refuses large
//! requests when a test asks for that.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr;

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

thread_local! {
    static ALLOCATED: Cell<usize> = const { Cell::new(0) };
    static HELD: Cell<usize> = const { Cell::new(0) };
    static REFUSAL: Cell<Option<Refusal>> = const { Cell::new(None) };
}

/// Which requests of a thread fail.
#[derive(Clone, Copy)]
struct Refusal {
    /// The smallest request that fails, in bytes.
    least: usize,
    /// The number of such requests that succeed first.
    spared: usize,
}

/// Runs `body`. Returns its result and the number of bytes that it has allocated on this thread,
/// freed ones included.
pub(crate) fn allocated_by<T>(body: impl FnOnce() -> T) -> (T, usize) {
    let before = ALLOCATED.get();
    let result = body();
    (result, ALLOCATED.get() - before)
}

/// The bytes that this thread has allocated and not freed. The count wraps around 0 if it frees
/// those of other threads, so only differences mean anything.
pub(crate) fn held() -> usize {
    HELD.get()
}

fn hold(more: usize, less: usize) {
    let _ = HELD.try_with(|held| held.set(held.get().wrapping_add(more).wrapping_sub(less)));
}

/// Runs `body` while this thread gets no memory: of its requests for `least` bytes or more, the
/// first `spared` succeed and the others fail.
pub(crate) fn out_of_memory<T>(least: usize, spared: usize, body: impl FnOnce() -> T) -> T {
    /// Also ends the refusal when `body` panics, because a report of the panic takes memory.
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            REFUSAL.set(None);
        }
    }
    let _end = End;
    REFUSAL.set(Some(Refusal { least, spared }));
    body()
}

/// Counts a request and returns whether it may succeed.
fn allows(len: usize) -> bool {
    // A thread that is ending has no counter any more, and no test reads its count.
    let _ = ALLOCATED.try_with(|allocated| allocated.set(allocated.get().wrapping_add(len)));
    let allows = REFUSAL.try_with(|refusal| match refusal.get() {
        Some(Refusal { least, spared: 0 }) => len < least,
        Some(Refusal { least, spared }) if len >= least => {
            refusal.set(Some(Refusal { least, spared: spared - 1 }));
            true
        }
        _ => true,
    });
    allows.unwrap_or(true)
}

// SAFETY: every call is passed on unchanged to the system's allocator, or fails with null, which
// leaves the memory of the caller as it is; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !allows(layout.size()) {
            return ptr::null_mut();
        }
        hold(layout.size(), 0);
        // SAFETY: passed on to the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if !allows(layout.size()) {
            return ptr::null_mut();
        }
        hold(layout.size(), 0);
        // SAFETY: passed on to the caller.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if !allows(new_size) {
            return ptr::null_mut();
        }
        hold(new_size, layout.size());
        // SAFETY: passed on to the caller.
        unsafe { System.realloc(start, layout, new_size) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        hold(0, layout.size());
        // SAFETY: passed on to the caller.
        unsafe { System.dealloc(start, layout) }
    }
}

#[test]
fn allocations_are_counted() {
    let (bytes, allocated) = allocated_by(|| vec![0_u8; 12345]);
    assert_eq!((bytes.len(), allocated), (12345, 12345));
    let before = held();
    assert_eq!(allocated_by(|| drop(bytes)).1, 0);
    assert_eq!(before.wrapping_sub(held()), 12345);
}

#[test]
fn requests_from_a_size_on_fail_after_those_that_are_spared() {
    let reserve = |len| Vec::<u8>::new().try_reserve_exact(len).is_ok();
    let given = out_of_memory(1000, 1, || [999, 1000, 999, 1000].map(reserve));
    assert_eq!(given, [true, true, true, false]);
    assert!(reserve(1000));
}
