//! Linux: a `PROT_NONE` reservation whose middle is replaced by the memory itself, so that guard
//! pages stand on both sides and are not charged to `RLIMIT_MEMLOCK`.

use std::fs;
use std::io;
use std::ops::Range;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::{self, NonNull};

use super::{Backend, Mapping, Memlock, Os, Protection, smaps};

/// The running kernel.
#[derive(Clone, Copy, Debug)]
pub struct Linux;

/// Guard on each side: one page would do, and address space costs nothing.
const GUARD: usize = 64 * 1024;

impl Os for Linux {
    fn page_size(&self) -> usize {
        // SAFETY: sysconf has no preconditions.
        let found = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        usize::try_from(found).ok().filter(|size| size.is_power_of_two()).unwrap_or(4096)
    }

    fn map(&self, backend: Backend, len: usize) -> Result<Mapping, String> {
        let guard = GUARD.max(self.page_size());
        let mapped = match map_between_guards(backend, len, guard) {
            // Memory over the lock limit is refused with any of the three, by kernel and call.
            Err(refused) if refused.is_limit() && raise_memlock(self.memlock()) => {
                map_between_guards(backend, len, guard)
            }
            first => first,
        };
        mapped.map_err(|refused| refused.describe(backend))
    }

    unsafe fn unmap(&self, mapping: Mapping) {
        // SAFETY: the guards and the memory between them are one range of our own, and the caller
        // vouches that nothing refers to it.
        unsafe {
            let outer = mapping.base.as_ptr().wrapping_sub(mapping.guard);
            libc::munmap(outer.cast(), mapping.len.saturating_add(2 * mapping.guard));
        }
    }

    fn read_back(&self, ranges: &[Range<usize>]) -> Result<Protection, String> {
        smaps::read(ranges).map_err(|error| format!("/proc/self/smaps: {}", errno_name(&error)))
    }

    fn memlock(&self) -> Memlock {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: getrlimit writes one rlimit to a place that holds one.
        let failed = unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &raw mut limit) } != 0;
        if failed {
            return Memlock { soft: Some(0), hard: Some(0) };
        }
        let finite = |bytes| (bytes != libc::RLIM_INFINITY).then_some(bytes);
        Memlock { soft: finite(limit.rlim_cur), hard: finite(limit.rlim_max) }
    }

    /// A resume device is named. Systems that name it only at the moment of hibernating (systemd
    /// with an EFI variable) are not recognised.
    fn hibernation_configured(&self) -> bool {
        fs::read_to_string("/sys/power/resume")
            .is_ok_and(|device| !matches!(device.trim(), "" | "0:0"))
    }
}

/// A call that failed on the way to a mapping.
struct Refused {
    call: &'static str,
    error: io::Error,
}

impl Refused {
    fn by(call: &'static str) -> Self {
        Self { call, error: io::Error::last_os_error() }
    }

    fn is_limit(&self) -> bool {
        matches!(self.error.raw_os_error(), Some(libc::ENOMEM | libc::EAGAIN | libc::EPERM))
    }

    fn describe(&self, backend: Backend) -> String {
        let (backend, errno) = (backend.as_str(), errno_name(&self.error));
        if self.call == backend {
            format!("{backend}: {errno}")
        } else {
            format!("{backend}: {} {errno}", self.call)
        }
    }
}

fn map_between_guards(backend: Backend, len: usize, guard: usize) -> Result<Mapping, Refused> {
    let reservation = Reservation::new(len.saturating_add(2 * guard))?;
    // SAFETY: the reservation is longer than the guard.
    let inside = unsafe { reservation.base.add(guard) };
    let base = inside.as_ptr();
    match backend {
        Backend::MemfdSecret => map_secret(base, len)?,
        Backend::Mlock | Backend::DontDump | Backend::Plain => map_anonymous(base, len)?,
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
    reservation.keep();
    Ok(Mapping { base: inside, len, guard, shortfalls })
}

/// Address space without memory, given back unless it is kept.
struct Reservation {
    base: NonNull<u8>,
    len: usize,
}

impl Reservation {
    fn new(len: usize) -> Result<Self, Refused> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a fresh mapping at an address of the kernel's choice disturbs nothing.
        let base = unsafe { libc::mmap(ptr::null_mut(), len, libc::PROT_NONE, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            return Err(Refused::by("mmap"));
        }
        let base = NonNull::new(base.cast()).ok_or_else(|| Refused::by("mmap"))?;
        Ok(Self { base, len })
    }

    /// Leaves it in place: from here on the mapping owns it.
    fn keep(self) {
        std::mem::forget(self);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // SAFETY: the range was reserved by `new`, and only the memory mapped inside it by the
        // function that now gives up goes with it.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.len) };
    }
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
    map_fixed(base, len, libc::MAP_SHARED, fd.as_raw_fd())?;

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

fn map_anonymous(base: *mut u8, len: usize) -> Result<(), Refused> {
    map_fixed(base, len, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1)
}

fn map_fixed(
    base: *mut u8,
    len: usize,
    flags: libc::c_int,
    fd: libc::c_int,
) -> Result<(), Refused> {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: the callers pass a part of their own reservation, which holds nothing yet.
    let at = unsafe { libc::mmap(base.cast(), len, access, flags | libc::MAP_FIXED, fd, 0) };
    if at == libc::MAP_FAILED { Err(Refused::by("mmap")) } else { Ok(()) }
}

/// Whether there was room to raise the soft limit to the hard one, and it was done.
fn raise_memlock(now: Memlock) -> bool {
    let has_room = match (now.soft, now.hard) {
        (Some(soft), Some(hard)) => soft < hard,
        (soft, None) => soft.is_some(),
        (None, Some(_)) => false,
    };
    let hard = now.hard.unwrap_or(libc::RLIM_INFINITY);
    let limit = libc::rlimit { rlim_cur: hard, rlim_max: hard };
    // SAFETY: setrlimit reads one rlimit.
    has_room && unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const limit) } == 0
}

fn check(call: &'static str, returned: libc::c_int) -> Result<(), Refused> {
    if returned == 0 { Ok(()) } else { Err(Refused::by(call)) }
}

fn errno_name(error: &io::Error) -> String {
    let known = match error.raw_os_error() {
        Some(libc::EACCES) => "EACCES",
        Some(libc::EAGAIN) => "EAGAIN",
        Some(libc::EFAULT) => "EFAULT",
        Some(libc::EINVAL) => "EINVAL",
        Some(libc::EMFILE) => "EMFILE",
        Some(libc::ENFILE) => "ENFILE",
        Some(libc::ENODEV) => "ENODEV",
        Some(libc::ENOENT) => "ENOENT",
        Some(libc::ENOMEM) => "ENOMEM",
        Some(libc::ENOSYS) => "ENOSYS",
        Some(libc::EPERM) => "EPERM",
        Some(other) => return format!("errno {other}"),
        None => return error.kind().to_string(),
    };
    known.to_owned()
}
