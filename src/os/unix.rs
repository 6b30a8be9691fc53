//! The calls that unix systems share.

pub(super) mod environment;
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub(super) mod mapping;
pub(super) mod storage;

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::platform::FileExposure;

/// Bytes of physical memory; `None` if the system does not say.
pub(super) fn physical_memory() -> Option<u64> {
    // SAFETY: `sysconf` takes a number and returns one; it touches no memory of ours.
    let (pages, page_len) =
        unsafe { (libc::sysconf(libc::_SC_PHYS_PAGES), libc::sysconf(libc::_SC_PAGESIZE)) };
    let bytes = u64::try_from(pages).ok()?.checked_mul(u64::try_from(page_len).ok()?)?;
    (bytes > 0).then_some(bytes)
}

/// Implements `Platform::open_without_waiting`. The standard library opens files so that children
/// do not inherit the descriptor.
pub(super) fn open_without_waiting(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)
}

/// The reading of a clock of the system, in nanoseconds; `None` if it has no such clock.
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub(super) fn clock_nanos(clock: libc::clockid_t) -> Option<u64> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes one `timespec` to a place that holds one.
    let failed = unsafe { libc::clock_gettime(clock, &raw mut time) } != 0;
    let seconds = u64::try_from(time.tv_sec).ok().filter(|_| !failed)?;
    Some(seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(time.tv_nsec).ok()?))
}

/// Implements `Platform::file_exposure`.
pub(super) fn file_exposure(metadata: &Metadata) -> Option<FileExposure> {
    // SAFETY: has no arguments and cannot fail.
    let user = unsafe { libc::geteuid() };
    if metadata.mode() & 0o066 != 0 {
        Some(FileExposure::Accessible)
    } else if ![0, user].contains(&metadata.uid()) {
        Some(FileExposure::Owned)
    } else {
        None
    }
}

/// Lowers the soft `RLIMIT_CORE` to `bytes`; a lower limit stays.
pub(super) fn limit_core(bytes: u64) -> Result<(), String> {
    let mut limit = resource_limit(libc::RLIMIT_CORE).ok_or_else(last_error)?;
    limit.rlim_cur = limit.rlim_cur.min(bytes);
    // SAFETY: setrlimit reads one rlimit.
    let failed = unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const limit) } != 0;
    if failed { Err(last_error()) } else { Ok(()) }
}

/// The soft `RLIMIT_CORE` in bytes; `u64::MAX` for none.
pub(super) fn core_limit() -> Option<u64> {
    let soft = resource_limit(libc::RLIMIT_CORE)?.rlim_cur;
    Some(if soft == libc::RLIM_INFINITY { u64::MAX } else { soft })
}

/// The type of a resource's number.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(super) type Resource = libc::__rlimit_resource_t;
/// The type of a resource's number.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) type Resource = libc::c_int;

/// A limit of the process; `None` if the system does not say.
pub(super) fn resource_limit(resource: Resource) -> Option<libc::rlimit> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: getrlimit writes one rlimit to a place that holds one.
    let failed = unsafe { libc::getrlimit(resource, &raw mut limit) } != 0;
    (!failed).then_some(limit)
}

/// The system's text for the call that just failed.
pub(super) fn last_error() -> String {
    io::Error::last_os_error().to_string()
}
