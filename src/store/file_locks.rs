//! Has SQLite lock files for its descriptors instead of for the process.
//!
//! A lock of POSIX ends when the process closes any descriptor of the file, so a program that reads
//! its own store, for example with `fs.cpSync`, would unlock it: the next process that closes the
//! store would then take itself for the last one, and delete the log.

use std::mem;
use std::sync::Once;

use rusqlite::ffi;

use crate::os::{LockCall, Native, Storage};

/// Replaces the call by which SQLite locks, before the first connection. Without such a call of the
/// system, SQLite keeps its own.
pub(super) fn belong_to_descriptors() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let Some(call) = Native::descriptor_locks() else { return };
        // SAFETY: SQLite's default file system lives as long as the process. Its documentation
        // has callers cast the function to this type, and it casts it back before each call.
        unsafe {
            let system = ffi::sqlite3_vfs_find(std::ptr::null());
            if let Some(set) = system.as_ref().and_then(|system| system.xSetSystemCall) {
                let call = mem::transmute::<LockCall, unsafe extern "C" fn()>(call);
                set(system, c"fcntl".as_ptr(), Some(call));
            }
        }
    });
}
