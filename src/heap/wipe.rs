//! Overwriting memory with zeros, and checking that it is still zero.

use std::ptr::NonNull;
use std::{hint, slice};

use zeroize::optimization_barrier;

/// Overwrites memory with zeros in a way that the compiler does not remove. The memory need not be
/// initialised, because the padding of a value that was stored there is not.
///
/// # Safety
///
/// `start` points to `len` writable bytes that no other code uses.
pub unsafe fn wipe(start: NonNull<u8>, len: usize) {
    // SAFETY: the caller guarantees the range, and it is initialised once it has been written.
    let wiped = unsafe {
        start.write_bytes(0, len);
        slice::from_raw_parts(start.as_ptr(), len)
    };
    optimization_barrier(wiped);
}

/// Whether memory still is as [`wipe`] left it.
///
/// # Safety
///
/// `start` points to `len` initialised bytes that no other code uses.
pub(super) unsafe fn is_zero(start: NonNull<u8>, len: usize) -> bool {
    // SAFETY: the caller guarantees the range.
    let bytes = unsafe { slice::from_raw_parts(start.as_ptr(), len) };
    // The fold does not end early, so that the compiler can read in large steps.
    hint::black_box(bytes.iter().fold(0, |found, byte| found | byte)) == 0
}
