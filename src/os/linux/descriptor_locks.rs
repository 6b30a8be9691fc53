//! Locks of files that belong to an open descriptor, not to the process.

use std::ffi::{c_int, c_void};
use std::io;

/// `fcntl(2)`, with locks that another descriptor of the process does not end. A kernel or sandbox
/// without them has the locks of the process.
///
/// # Safety
///
/// As for `fcntl`: for `F_GETLK` and `F_SETLK`, `argument` is a valid `flock`.
pub(super) unsafe extern "C" fn fcntl(
    descriptor: c_int,
    command: c_int,
    argument: *mut c_void,
) -> c_int {
    let of_descriptor = match command {
        libc::F_GETLK => libc::F_OFD_GETLK,
        libc::F_SETLK => libc::F_OFD_SETLK,
        // SAFETY: passed on to the caller.
        _ => return unsafe { libc::fcntl(descriptor, command, argument) },
    };
    // SAFETY: passed on to the caller; the kernel requires that no process is named.
    unsafe {
        let lock = argument.cast::<libc::flock>();
        (*lock).l_pid = 0;
        let result = libc::fcntl(descriptor, of_descriptor, lock);
        if result == -1 && io::Error::last_os_error().raw_os_error() == Some(libc::EINVAL) {
            return libc::fcntl(descriptor, command, lock);
        }
        result
    }
}
