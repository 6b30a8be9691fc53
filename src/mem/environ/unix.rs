//! `environ`, whose strings are the process's own and may be written.

use std::env;
use std::ffi::{CStr, CString, c_char};
use std::ptr::NonNull;
use std::slice;

use zeroize::Zeroize;

/// Lends a variable's value.
pub fn with_value<T>(name: &str, body: impl FnOnce(&[u8]) -> T) -> Option<T> {
    let value = find(name)?;
    // SAFETY: getenv gave a string that ends in NUL. It stays where it is until the variable is
    // changed, which the contract of this room leaves to programs that have one thread at it.
    Some(body(unsafe { CStr::from_ptr(value.as_ptr()) }.to_bytes()))
}

/// Overwrites and removes a variable.
pub fn wipe(name: &str) {
    let Some(value) = find(name) else { return };
    // SAFETY: as in `with_value`. The strings were copied by execve or setenv into memory of the
    // process that is writable; the NUL at the end is not touched.
    unsafe {
        let len = CStr::from_ptr(value.as_ptr()).count_bytes();
        slice::from_raw_parts_mut(value.as_ptr().cast::<u8>(), len).zeroize();
        env::remove_var(name);
    }
}

fn find(name: &str) -> Option<NonNull<c_char>> {
    let name = CString::new(name).ok()?;
    // SAFETY: the name ends in NUL and outlives the call.
    NonNull::new(unsafe { libc::getenv(name.as_ptr()) })
}
