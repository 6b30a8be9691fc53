//! Linux: memory of `memfd_secret(2)`, or anonymous memory that is locked, left out of dumps and
//! wiped in forked children.

mod cgroup;
#[cfg(not(miri))]
mod huge_pages;
mod smaps;

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

/// `prctl` takes its arguments as they come, so they must be of the width it reads.
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

    /// A resume device is named. Systems that name it only at the moment of hibernating (systemd
    /// with an EFI variable) are not recognised.
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

    fn forbid_dumps() -> Result<(), String> {
        // SAFETY: takes one number and no pointer.
        let failed = unsafe { libc::prctl(libc::PR_SET_DUMPABLE, NONE, NONE, NONE, NONE) } != 0;
        if failed { Err(unix::last_error()) } else { Ok(()) }
    }

    fn is_dumpable() -> Option<bool> {
        // SAFETY: takes no pointer. 1 is "by the user"; 2 is "by root only".
        let state = unsafe { libc::prctl(libc::PR_GET_DUMPABLE, NONE, NONE, NONE, NONE) };
        (state >= 0).then_some(state != 0)
    }

    fn limit_core(bytes: u64) -> Result<(), String> {
        unix::limit_core(bytes)
    }

    fn core_limit() -> Option<u64> {
        unix::core_limit()
    }

    /// `core(5)`: the limit is for files.
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

/// Puts memory of a backend at `base`, in a reservation, and says what was refused on top.
fn fill(backend: Backend, base: *mut u8, len: usize) -> Result<Vec<String>, Refused> {
    match backend {
        Backend::MemfdSecret => map_secret(base, len)?,
        Backend::Mlock | Backend::DontDump | Backend::Plain => mapping::map_anonymous(base, len)?,
    }
    if backend == Backend::Mlock {
        // SAFETY: the range was mapped just above and is ours alone.
        check("mlock", unsafe { libc::mlock(base.cast_const().cast(), len) })?;
    }

    // What a child of fork() would otherwise inherit: secret memory is shared and cannot be wiped
    // in the child, so it is not given to it at all; anonymous memory reads as zeros there.
    let advice: &[(&'static str, libc::c_int)] = match backend {
        Backend::MemfdSecret => &[("MADV_DONTFORK", libc::MADV_DONTFORK)],
        Backend::Mlock | Backend::DontDump => {
            &[("MADV_DONTDUMP", libc::MADV_DONTDUMP), ("MADV_WIPEONFORK", libc::MADV_WIPEONFORK)]
        }
        Backend::Plain => &[],
    };
    let mut shortfalls = Vec::new();
    for &(name, advice) in advice {
        // SAFETY: as above; none of these touches the contents.
        let Err(refused) = check(name, unsafe { libc::madvise(base.cast(), len, advice) }) else {
            continue;
        };
        // Without it the rung would be an empty promise; elsewhere it is one protection fewer.
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
    // Closed on return: a descriptor that stays open can be taken with pidfd_getfd(2) and mapped.
    // SAFETY: the descriptor is new and belongs to nobody else.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    let size = libc::off_t::try_from(len).unwrap_or(libc::off_t::MAX);
    // SAFETY: plain call on our own descriptor.
    check("ftruncate", unsafe { libc::ftruncate(fd.as_raw_fd(), size) })?;
    mapping::map_fixed(base, len, libc::MAP_SHARED, fd.as_raw_fd())?;

    // memfd_secret() succeeds where the first page then cannot be had. A system call that writes
    // into it reports that as an error, where a store would end the process with SIGBUS.
    // SAFETY: one byte of the range just mapped, which nobody else knows yet.
    check("getrandom", unsafe {
        let got = libc::syscall(libc::SYS_getrandom, base, 1_usize, 0);
        libc::c_int::from(got == 1) - 1
    })?;
    // SAFETY: as above; the page is there now.
    unsafe { base.write_volatile(0) };
    Ok(())
}
