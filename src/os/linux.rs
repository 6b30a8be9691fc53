//! Linux: memory from `memfd_secret(2)`, or anonymous memory that is locked, left out of dumps and
//! wiped in forked children.

mod cgroup;
#[cfg(target_pointer_width = "64")]
mod descriptor_locks;
#[cfg(not(miri))]
mod huge_pages;
mod size_signal;
mod smaps;
mod storage;

use std::fs::{self, File, Metadata};
use std::io;
use std::ops::Range;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;
#[cfg(not(miri))]
use std::ptr::NonNull;

use super::platform::{FileExposure, Platform};
use super::protected_memory::{Backend, Mapping, Memlock, ProtectedMemory, Protection};
use super::unix::mapping::{self, Refused, check, errno_name};
use super::unix::{self, environment};

/// An unused argument of `prctl`. The function is variadic, so each argument must have the width
/// that `prctl` reads.
const NONE: libc::c_ulong = 0;

/// The running kernel.
#[derive(Clone, Copy, Debug)]
pub struct Linux;

impl ProtectedMemory for Linux {
    fn page_size(&self) -> usize {
        mapping::page_size()
    }

    fn map(&self, backend: Backend, len: usize) -> Result<Mapping, String> {
        mapping::map_between_guards(backend, len, |base| fill(backend, base, len))
    }

    unsafe fn unmap(&self, mapping: Mapping) {
        // SAFETY: passed on to the caller.
        unsafe { mapping::unmap(&mapping) };
    }

    fn read_back(&self, ranges: &[Range<usize>]) -> Result<Protection, String> {
        smaps::read(ranges).map_err(|error| format!("/proc/self/smaps: {}", errno_name(&error)))
    }

    fn memlock(&self) -> Memlock {
        mapping::memlock()
    }

    /// Whether the system names a resume device. Systems that name it only at the moment of
    /// hibernating (systemd with an EFI variable) are not recognised.
    fn hibernation_configured(&self) -> bool {
        fs::read_to_string("/sys/power/resume")
            .is_ok_and(|device| !matches!(device.trim(), "" | "0:0"))
    }
}

impl Platform for Linux {
    fn with_variable<T>(name: &str, body: impl FnOnce(&[u8]) -> T) -> Option<T> {
        environment::with_value(name, body)
    }

    fn wipe_variable(name: &str) {
        environment::wipe(name);
    }

    fn memory_capacity() -> Option<u64> {
        unix::physical_memory().into_iter().chain(cgroup::limit()).min()
    }

    fn open_without_waiting(path: &Path) -> io::Result<File> {
        unix::open_without_waiting(path)
    }

    fn file_exposure(metadata: &Metadata) -> Option<FileExposure> {
        unix::file_exposure(metadata)
    }

    fn boot_nanos() -> Option<u64> {
        unix::clock_nanos(libc::CLOCK_BOOTTIME)
    }

    fn forbid_dumps() -> Result<(), String> {
        // SAFETY: takes one number and no pointer.
        let failed = unsafe { libc::prctl(libc::PR_SET_DUMPABLE, NONE, NONE, NONE, NONE) } != 0;
        if failed { Err(unix::last_error()) } else { Ok(()) }
    }

    fn is_dumpable() -> Option<bool> {
        // SAFETY: takes no pointer. 1 allows dumps by the user, 2 by root only.
        let state = unsafe { libc::prctl(libc::PR_GET_DUMPABLE, NONE, NONE, NONE, NONE) };
        (state >= 0).then_some(state != 0)
    }

    fn limit_core(bytes: u64) -> Result<(), String> {
        unix::limit_core(bytes)
    }

    fn core_limit() -> Option<u64> {
        unix::core_limit()
    }

    /// `core(5)`: the limit applies to files only.
    fn dumps_are_piped() -> bool {
        fs::read("/proc/sys/kernel/core_pattern").is_ok_and(|pattern| pattern.starts_with(b"|"))
    }

    #[cfg(not(miri))]
    fn map_working_memory(len: usize) -> Option<NonNull<u8>> {
        huge_pages::map(len)
    }

    #[cfg(not(miri))]
    unsafe fn unmap_working_memory(start: NonNull<u8>, len: usize) {
        // SAFETY: passed on to the caller.
        unsafe { huge_pages::unmap(start, len) };
    }
}

/// Maps memory of a backend at `base`, inside a reservation. Returns the protections on top that
/// were refused.
fn fill(backend: Backend, base: *mut u8, len: usize) -> Result<Vec<String>, Refused> {
    match backend {
        Backend::MemfdSecret => map_secret(base, len)?,
        Backend::Mlock | Backend::DontDump | Backend::Plain => mapping::map_anonymous(base, len)?,
    }
    if backend == Backend::Mlock {
        // SAFETY: the range was mapped just above and is ours alone.
        check("mlock", unsafe { libc::mlock(base.cast_const().cast(), len) })?;
    }

    // A child of fork() would otherwise inherit the secrets. `memfd_secret` memory is shared and
    // cannot be wiped in the child, so the child does not get it at all. Anonymous memory reads as
    // zeros in the child.
    let advice: &[(&'static str, libc::c_int)] = match backend {
        Backend::MemfdSecret => &[("MADV_DONTFORK", libc::MADV_DONTFORK)],
        Backend::Mlock | Backend::DontDump => {
            &[("MADV_DONTDUMP", libc::MADV_DONTDUMP), ("MADV_WIPEONFORK", libc::MADV_WIPEONFORK)]
        }
        Backend::Plain => &[],
    };
    let mut shortfalls = Vec::new();
    for &(name, advice) in advice {
        // SAFETY: the range was mapped just above and is ours alone; no advice touches the
        // contents.
        let Err(refused) = check(name, unsafe { libc::madvise(base.cast(), len, advice) }) else {
            continue;
        };
        // Without this advice the backend `dontdump` would protect nothing, so it fails. For other
        // backends only one protection is missing.
        if backend == Backend::DontDump && advice == libc::MADV_DONTDUMP {
            return Err(refused);
        }
        shortfalls.push(refused.describe(backend));
    }
    Ok(shortfalls)
}

fn map_secret(base: *mut u8, len: usize) -> Result<(), Refused> {
    // SAFETY: the call takes one flag word and returns a new descriptor.
    let fd = unsafe { libc::syscall(libc::SYS_memfd_secret, libc::O_CLOEXEC) };
    let fd = libc::c_int::try_from(fd).ok().filter(|fd| *fd >= 0);
    let fd = fd.ok_or_else(|| Refused::by("memfd_secret"))?;
    // Closed on return: another process could take an open descriptor with pidfd_getfd(2) and map
    // it.
    // SAFETY: the descriptor is new and belongs to nobody else.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    let size = libc::off_t::try_from(len).unwrap_or(libc::off_t::MAX);
    // SAFETY: plain call on our own descriptor.
    check("ftruncate", unsafe { libc::ftruncate(fd.as_raw_fd(), size) })?;
    mapping::map_fixed(base, len, libc::MAP_SHARED, fd.as_raw_fd())?;

    // memfd_secret() may succeed although no page can be allocated. A system call that writes to
    // the first page reports this as an error; a store would end the process with SIGBUS.
    // SAFETY: one byte of the range just mapped, which nobody else knows yet.
    check("getrandom", unsafe {
        let got = libc::syscall(libc::SYS_getrandom, base, 1_usize, 0);
        libc::c_int::from(got == 1) - 1
    })?;
    // SAFETY: the byte is in the range just mapped, which nobody else knows yet, and its page
    // exists now.
    unsafe { base.write_volatile(0) };
    Ok(())
}
