//! The calls to an operating system that concern the process, its files and its ordinary memory.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::ptr::NonNull;

use super::allocator;

/// Bytes of a huge page, on systems that have them.
pub const HUGE_PAGE_LEN: usize = 2 << 20;

/// The alignment of working memory, in bytes: one cache line.
pub const WORKING_MEMORY_ALIGN: usize = 64;

/// The answer for a protection that a system does not have.
const ABSENT: &str = "not on this system";

/// One operating system. A default body here serves systems where the call is the same or does not
/// exist.
pub trait Platform {
    /// Advice for messages: how to give a process more or better protected memory.
    const REMEDY: &'static str = "raise the limit on locked memory (ulimit -l, docker run --ulimit \
         memlock=…, LimitMEMLOCK= in a systemd unit)";

    /// Lends the value of an environment variable; `None` if there is none.
    fn with_variable<T>(name: &str, body: impl FnOnce(&[u8]) -> T) -> Option<T>;

    /// Overwrites the value of an environment variable with zeros, as far as the system shows where
    /// it lies, and removes the variable.
    fn wipe_variable(name: &str);

    /// Bytes of memory that the process can have at most: the memory of the machine, or the limit
    /// of the control group that the process is in. `None` if the system does not say.
    fn memory_capacity() -> Option<u64>;

    /// Opens a file for reading. Does not wait for the other end of a pipe, and does not make a
    /// terminal the controlling terminal of the process.
    fn open_without_waiting(path: &Path) -> io::Result<File> {
        File::open(path)
    }

    /// Whether users other than root and the user of this process have power over a file. `None` if
    /// they have none, or if the system does not say.
    fn file_exposure(_metadata: &Metadata) -> Option<FileExposure> {
        None
    }

    /// Keeps the code of this module in the process for as long as the process lives. Node unmaps
    /// an addon when the last environment that loaded it ends. That may be the environment of a
    /// worker thread. The hashing threads belong to no environment and would run unmapped code; so
    /// would the functions that run at exit. On systems whose linker has a flag for this, the call
    /// does nothing.
    fn stay_loaded() {}

    /// Nanoseconds since the machine started, which go on while it sleeps and which nobody can set.
    /// All processes see the same clock. `None` if the system has no such clock.
    fn boot_nanos() -> Option<u64> {
        None
    }

    /// [`Platform::boot_nanos`] in milliseconds, perhaps of a coarser clock that is faster to read.
    fn boot_millis() -> Option<u64> {
        Self::boot_nanos().map(|nanos| nanos / 1_000_000)
    }

    /// Registers a function that the C library calls when the process ends in an orderly way. If it
    /// cannot be registered, the process ends without the call, as after a signal.
    fn at_exit(action: extern "C" fn()) {
        // SAFETY: the function is never unloaded: `stay_loaded` or the linker flag keeps the addon
        // in the process, and a test binary is never unloaded.
        unsafe { libc::atexit(action) };
    }

    /// Forbids core dumps, and access to the memory by other processes of the same user. The error
    /// says why that failed.
    fn forbid_dumps() -> Result<(), String> {
        Err(ABSENT.into())
    }

    /// Whether core dumps are allowed; `None` if [`Platform::forbid_dumps`] does not exist.
    fn is_dumpable() -> Option<bool> {
        None
    }

    /// Lowers the limit on the size of core dumps to `bytes`; a lower limit stays. The error says
    /// why that failed.
    fn limit_core(_bytes: u64) -> Result<(), String> {
        Err(ABSENT.into())
    }

    /// The limit on the size of core dumps, in bytes, `u64::MAX` for none; `None` on a system
    /// without this kind of limit.
    fn core_limit() -> Option<u64> {
        None
    }

    /// Whether the system pipes core dumps to a program. The limit does not apply to those dumps.
    fn dumps_are_piped() -> bool {
        false
    }

    /// Maps `len` zeroed bytes for computations, at a multiple of [`WORKING_MEMORY_ALIGN`]; `len`
    /// is a multiple of [`HUGE_PAGE_LEN`] and not 0. On systems that can do so, memory of more than
    /// one huge page is mapped as huge pages, and all of the memory is left out of core dumps.
    /// `None` if there is no memory.
    fn map_working_memory(len: usize) -> Option<NonNull<u8>> {
        allocator::allocate(len, WORKING_MEMORY_ALIGN)
    }

    /// Gives working memory back.
    ///
    /// # Safety
    ///
    /// `start` comes from [`Platform::map_working_memory`] with the same `len`, and nothing refers
    /// to that memory any more.
    unsafe fn unmap_working_memory(start: NonNull<u8>, len: usize) {
        // SAFETY: passed on to the caller.
        unsafe { allocator::free(start, len, WORKING_MEMORY_ALIGN) };
    }
}

/// The power that other users have over a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileExposure {
    /// They can read or write it.
    Accessible,
    /// One of them owns it, and so can change it.
    Owned,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::Native;

    #[test]
    fn this_machine_has_memory() {
        assert!(Native::memory_capacity().unwrap() > 64 << 20);
    }

    #[test]
    fn the_boot_clock_goes_on() {
        let start = Native::boot_millis().unwrap();
        while Native::boot_millis().unwrap() == start {
            std::thread::yield_now();
        }
        assert!(Native::boot_millis().unwrap() > start);
    }
}
