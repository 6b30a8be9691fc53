//! Maps memory on Linux and macOS. Reserves address space with `PROT_NONE` and replaces its middle
//! by the memory itself, so that guard pages lie on both sides and are not charged to
//! `RLIMIT_MEMLOCK`.

use std::io;
use std::ptr::{self, NonNull};

use super::resource_limit;
use crate::os::protected_memory::{Backend, Mapping, Memlock};

/// Bytes of the guard on each side. One page would be enough, but address space costs nothing.
const GUARD: usize = 64 * 1024;

/// Bytes of a page.
pub(crate) fn page_size() -> usize {
    // SAFETY: sysconf has no preconditions.
    let found = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(found).ok().filter(|size| size.is_power_of_two()).unwrap_or(4096)
}

/// Reserves `len` bytes between guards and lets `fill` map memory there. `fill` returns the
/// protections on top that were refused. If a limit prevents the mapping, raises the soft limit on
/// locked memory once and tries again.
pub(crate) fn map_between_guards(
    backend: Backend,
    len: usize,
    fill: impl Fn(*mut u8) -> Result<Vec<String>, Refused>,
) -> Result<Mapping, String> {
    let guard = GUARD.max(page_size());
    let attempt = || -> Result<Mapping, Refused> {
        let reservation = Reservation::new(len.saturating_add(2 * guard))?;
        // SAFETY: the reservation is longer than the guard.
        let base = unsafe { reservation.base.add(guard) };
        let shortfalls = fill(base.as_ptr())?;
        reservation.keep();
        Ok(Mapping { base, len, guard, shortfalls })
    };
    let mapped = match attempt() {
        // Kernels and calls refuse memory over the lock limit with different errors; `is_limit`
        // knows all three.
        Err(refused) if refused.is_limit() && raise_memlock() => attempt(),
        first => first,
    };
    mapped.map_err(|refused| refused.describe(backend))
}

/// Gives memory and guards back.
///
/// # Safety
///
/// `mapping` comes from [`map_between_guards`], and nothing refers to its bytes any more.
pub(crate) unsafe fn unmap(mapping: &Mapping) {
    // SAFETY: the guards and the memory between them are one range of our own, and the caller
    // vouches that nothing refers to it.
    unsafe {
        let outer = mapping.base.as_ptr().wrapping_sub(mapping.guard);
        libc::munmap(outer.cast(), mapping.len.saturating_add(2 * mapping.guard));
    }
}

/// Maps zeroed private memory into a reservation at `base`.
pub(crate) fn map_anonymous(base: *mut u8, len: usize) -> Result<(), Refused> {
    map_fixed(base, len, libc::MAP_PRIVATE | libc::MAP_ANON, -1)
}

/// Maps readable and writable memory, with or without a descriptor, into a reservation at `base`.
pub(crate) fn map_fixed(
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

/// How much memory this process may lock.
pub(crate) fn memlock() -> Memlock {
    let Some(limit) = resource_limit(libc::RLIMIT_MEMLOCK) else {
        return Memlock { soft: Some(0), hard: Some(0) };
    };
    let finite = |bytes| (bytes != libc::RLIM_INFINITY).then_some(bytes);
    Memlock { soft: finite(limit.rlim_cur), hard: finite(limit.rlim_max) }
}

/// A call that failed on the way to a mapping.
pub(crate) struct Refused {
    call: &'static str,
    error: io::Error,
}

impl Refused {
    /// The failure of `call`, with the error in errno.
    pub(crate) fn by(call: &'static str) -> Self {
        Self { call, error: io::Error::last_os_error() }
    }

    fn is_limit(&self) -> bool {
        matches!(self.error.raw_os_error(), Some(libc::ENOMEM | libc::EAGAIN | libc::EPERM))
    }

    /// A text such as `mlock: ENOMEM` or `dontdump: MADV_DONTDUMP EINVAL`.
    pub(crate) fn describe(&self, backend: Backend) -> String {
        let (backend, errno) = (backend.as_str(), errno_name(&self.error));
        if self.call == backend {
            format!("{backend}: {errno}")
        } else {
            format!("{backend}: {} {errno}", self.call)
        }
    }
}

/// Checks the result of a call that returns 0 on success.
pub(crate) fn check(call: &'static str, returned: libc::c_int) -> Result<(), Refused> {
    if returned == 0 { Ok(()) } else { Err(Refused::by(call)) }
}

/// The usual name of an error.
pub(crate) fn errno_name(error: &io::Error) -> String {
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

/// Address space without memory, given back unless it is kept.
struct Reservation {
    base: NonNull<u8>,
    len: usize,
}

impl Reservation {
    fn new(len: usize) -> Result<Self, Refused> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_NORESERVE;
        // SAFETY: a fresh mapping at an address of the kernel's choice disturbs nothing.
        let base = unsafe { libc::mmap(ptr::null_mut(), len, libc::PROT_NONE, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            return Err(Refused::by("mmap"));
        }
        let base = NonNull::new(base.cast()).ok_or_else(|| Refused::by("mmap"))?;
        Ok(Self { base, len })
    }

    /// Leaves the reservation in place: from here on the mapping owns it.
    fn keep(self) {
        std::mem::forget(self);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // SAFETY: `new` reserved the range. The only memory mapped inside it comes from the attempt
        // that has just failed, and nothing refers to that memory.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.len) };
    }
}

/// Raises the soft limit on locked memory to the hard one. Returns whether that was possible and
/// succeeded.
fn raise_memlock() -> bool {
    let now = memlock();
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
