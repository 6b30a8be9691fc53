//! What the arena asks of an operating system, and the ladder of answers it accepts.

mod capacity;
/// Environment variables.
pub mod environment;
#[cfg(windows)]
mod error_reports;
mod harden;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(any(test, not(any(target_os = "linux", target_os = "macos", windows))))]
mod portable;
mod resident;
#[cfg(target_os = "linux")]
mod smaps;
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod unix;
#[cfg(windows)]
mod windows;

use std::ops::Range;
use std::ptr::NonNull;

pub use capacity::capacity;
pub use harden::{Hardened, Hardening, harden};
#[cfg(any(test, not(any(target_os = "linux", target_os = "macos", windows))))]
pub use portable::Portable;
pub use resident::stay_loaded;

/// How the memory under the secrets was obtained, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Backend {
    /// `memfd_secret(2)`: taken out of the kernel's own mapping, so that neither dumps nor
    /// `/proc/PID/mem`, ptrace or the swap can reach it.
    MemfdSecret,
    /// Anonymous memory, locked against swapping (`mlock`, `VirtualLock`) and left out of core
    /// dumps as far as the system can do that: macOS cannot.
    Mlock,
    /// Anonymous memory left out of core dumps; it may be swapped. Not on macOS.
    DontDump,
    /// Ordinary memory: still wiped, otherwise unprotected.
    Plain,
}

impl Backend {
    /// The order in which backends are tried.
    pub const LADDER: [Self; 4] = [Self::MemfdSecret, Self::Mlock, Self::DontDump, Self::Plain];

    /// The name in `status()` and in reasons.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MemfdSecret => "memfd_secret",
            Self::Mlock => "mlock",
            Self::DontDump => "dontdump",
            Self::Plain => "plain",
        }
    }
}

/// What whoever runs the process can do when it gets less memory, or worse, than wanted.
pub const REMEDY: &str = if cfg!(windows) {
    "give its user the right \"Increase a process working set\""
} else if cfg!(target_os = "macos") {
    "raise the limit on locked memory (ulimit -l) and forbid core files (ulimit -c 0)"
} else {
    "raise the limit on locked memory (ulimit -l, docker run --ulimit memlock=…, LimitMEMLOCK= in \
     a systemd unit)"
};

/// The calls the arena is built on. An implementation holds no state of its own.
pub trait Os: Send + Sync {
    /// Bytes of a page, a power of two.
    fn page_size(&self) -> usize;

    /// `len` zeroed, writable bytes of exactly this backend, aligned to 4 KiB or more. `len` is a
    /// multiple of the page size. The error says in a few words which call refused and how.
    fn map(&self, backend: Backend, len: usize) -> Result<Mapping, String>;

    /// Gives the memory back.
    ///
    /// # Safety
    ///
    /// `mapping` comes from `map` of the same system, and nothing refers to its bytes any more.
    unsafe fn unmap(&self, mapping: Mapping);

    /// What the kernel says about these address ranges, all of them together.
    fn read_back(&self, ranges: &[Range<usize>]) -> Result<Protection, String>;

    /// How much memory this process may lock.
    fn memlock(&self) -> Memlock;

    /// Whether the machine is set up to hibernate, which a `memfd_secret` mapping would prevent.
    fn hibernation_configured(&self) -> bool;
}

/// The system this build runs on.
pub fn native() -> &'static dyn Os {
    #[cfg(target_os = "linux")]
    return &linux::Linux;
    #[cfg(target_os = "macos")]
    return &macos::MacOs;
    #[cfg(windows)]
    return &windows::Windows;
    #[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
    return &Portable;
}

/// Memory handed out by `Os::map`.
#[derive(Debug)]
pub struct Mapping {
    /// The first usable byte.
    pub base: NonNull<u8>,
    /// Usable bytes.
    pub len: usize,
    /// Inaccessible bytes before `base`, and as many behind the end; 0 without guard pages.
    pub guard: usize,
    /// Protections that were asked for on top and refused, such as `mlock: MADV_DONTDUMP EINVAL`.
    pub shortfalls: Vec<String>,
}

// SAFETY: a mapping is an address range of the process, not of a thread; whoever holds the value
// owns the range, and the arena hands out disjoint parts of it.
unsafe impl Send for Mapping {}

impl Mapping {
    /// The usable bytes as addresses.
    pub fn range(&self) -> Range<usize> {
        let start = self.base.as_ptr().addr();
        start..start.saturating_add(self.len)
    }
}

/// Facts read back from the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protection {
    /// Never swapped.
    pub locked: bool,
    /// Left out of core dumps; on macOS, where none is written; on Windows, out of the dumps of
    /// Windows Error Reporting, which took note of it and cannot be asked.
    pub dump_excluded: bool,
    /// Why not, where it is the system's doing rather than the backend's.
    pub note: Option<&'static str>,
}

/// `RLIMIT_MEMLOCK` in bytes; `None` is unlimited, or a system without such a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memlock {
    /// The limit in force.
    pub soft: Option<u64>,
    /// What the soft limit may be raised to.
    pub hard: Option<u64>,
}

/// Registers a function that the C library calls when the process ends in an orderly way. If it
/// cannot be registered, the process ends without the call, as after a signal.
pub fn at_exit(action: extern "C" fn()) {
    // SAFETY: the function is never unloaded: `stay_loaded` sees to that for the addon, and a test
    // binary stays.
    unsafe { libc::atexit(action) };
}
