//! Reads and wipes variables in `environ`, whose strings belong to the process and may be
//! overwritten.

use std::env;
use std::ffi::{CStr, CString, c_char};
use std::ptr::{self, NonNull};
use std::slice;

use zeroize::Zeroize;

/// Implements `Platform::with_variable`.
pub(crate) fn with_value<T>(name: &str, body: impl FnOnce(&[u8]) -> T) -> Option<T> {
    let name = CString::new(name).ok()?;
    // SAFETY: the name ends in NUL and outlives the call.
    let value = NonNull::new(unsafe { libc::getenv(name.as_ptr()) })?;
    // SAFETY: getenv returned a string that ends in NUL. It stays in place until the variable is
    // changed. Callers read and change variables only while one thread uses the environment.
    Some(body(unsafe { CStr::from_ptr(value.as_ptr()) }.to_bytes()))
}

/// Implements `Platform::wipe_variable`. The list may hold the variable several times, and a lookup
/// finds only one of the entries; all of them are wiped.
pub(crate) fn wipe(name: &str) {
    // SAFETY: the list belongs to the process, and as in `with_value` nobody changes it meanwhile.
    // execve or setenv copied its strings into writable memory of the process.
    unsafe {
        wipe_all(entries(), name);
        env::remove_var(name);
    }
}

/// # Safety
///
/// `entries` is null, or points to an array of pointers to writable strings that end in NUL; a null
/// pointer ends the array. Nobody else uses the strings during the call.
unsafe fn wipe_all(mut entries: *const *mut c_char, name: &str) {
    if entries.is_null() {
        return;
    }
    // SAFETY: as this function demands; the NUL at the end of a string is not touched.
    unsafe {
        while let Some(entry) = NonNull::new(*entries) {
            let text = CStr::from_ptr(entry.as_ptr()).to_bytes();
            let value = text.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"="));
            if let Some(len) = value.map(<[u8]>::len) {
                let start = entry.as_ptr().cast::<u8>().add(text.len() - len);
                slice::from_raw_parts_mut(start, len).zeroize();
            }
            entries = entries.add(1);
        }
    }
}

#[cfg(target_vendor = "apple")]
fn entries() -> *const *mut c_char {
    // SAFETY: `_NSGetEnviron` returns the address of the pointer to the list, which always exists.
    unsafe { ptr::read(libc::_NSGetEnviron()).cast_const() }
}

#[cfg(not(target_vendor = "apple"))]
fn entries() -> *const *mut c_char {
    unsafe extern "C" {
        static environ: *const *mut c_char;
    }
    // SAFETY: the C library defines `environ`. The pointer is read as a value, without a reference
    // to a static variable that may change.
    unsafe { ptr::read(&raw const environ) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_of_the_name_is_wiped_and_no_other() {
        let texts = ["A=1", "KEY=first", "KEYS=x", "KEY=", "KEY", "B=KEY=y", "KEY=second=2"];
        let owned = texts.map(|text| CString::new(text).unwrap().into_raw());
        let mut list = owned.to_vec();
        list.push(ptr::null_mut());
        // SAFETY: the strings are the test's own and the list ends in a null pointer.
        unsafe {
            wipe_all(list.as_ptr(), "KEY");
            wipe_all(ptr::null(), "KEY");
        }
        // SAFETY: the pointers came from `into_raw`. Wiping moves the first NUL of a string towards
        // its start or not at all, so only the strings that were wiped have become shorter.
        let left = owned.map(|entry| unsafe { CStr::from_ptr(entry) }.to_owned());
        let expected = ["A=1", "KEY=", "KEYS=x", "KEY=", "KEY", "B=KEY=y", "KEY="];
        assert_eq!(left, expected.map(|text| CString::new(text).unwrap()));
        // SAFETY: the 12 bytes are those of the string, which is wiped to its end.
        let tail = unsafe { slice::from_raw_parts(owned[6].cast::<u8>(), 12) };
        assert_eq!(tail, b"KEY=\0\0\0\0\0\0\0\0");
        for (entry, text) in owned.into_iter().zip(texts) {
            // SAFETY: rebuilt with the length it was allocated with.
            drop(unsafe {
                Vec::from_raw_parts(entry.cast::<u8>(), text.len() + 1, text.len() + 1)
            });
        }
    }

    #[test]
    fn the_list_of_the_process() {
        assert!(!entries().is_null());
    }
}
