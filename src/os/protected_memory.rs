//! Memory that the system protects: the calls, and the backends that they offer, in order.

use std::ops::Range;
use std::ptr::NonNull;

/// The kinds of protected memory, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Backend {
    /// `memfd_secret(2)`: removed from the kernel's own mapping, so that neither dumps nor
    /// `/proc/PID/mem`, ptrace or swap can reach it.
    MemfdSecret,
    /// Anonymous memory, locked against swapping (`mlock`, `VirtualLock`) and left out of core
    /// dumps on systems that can do that. macOS cannot.
    Mlock,
    /// Anonymous memory left out of core dumps; it may be swapped. Not on macOS.
    DontDump,
    /// Ordinary memory: wiped after use, but not protected by the system.
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

/// The calls for protected memory. An implementation holds no state of its own.
pub trait ProtectedMemory: Send + Sync {
    /// Bytes of a page, a power of two.
    fn page_size(&self) -> usize;

    /// Maps `len` zeroed, writable bytes of exactly this backend, aligned to 4 KiB or more. `len`
    /// is a multiple of the page size. The error names the call that failed and the reason.
    fn map(&self, backend: Backend, len: usize) -> Result<Mapping, String>;

    /// Gives the memory back.
    ///
    /// # Safety
    ///
    /// `mapping` comes from `map` of the same system, and nothing refers to its bytes any more.
    unsafe fn unmap(&self, mapping: Mapping);

    /// The protections that the kernel reports for all of these address ranges together.
    fn read_back(&self, ranges: &[Range<usize>]) -> Result<Protection, String>;

    /// How much memory this process may lock.
    fn memlock(&self) -> Memlock;

    /// Whether the machine is set up to hibernate, which a `memfd_secret` mapping would prevent.
    fn hibernation_configured(&self) -> bool;
}

/// Memory that [`ProtectedMemory::map`] returned.
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

// SAFETY: a mapping is an address range of the process, not of a thread; the holder of the value
// owns the range.
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
    /// Left out of core dumps. On macOS this is true if no core dump is written at all. On Windows
    /// this concerns the dumps of Windows Error Reporting: true if it accepted the exclusion, since
    /// it cannot be asked later.
    pub dump_excluded: bool,
    /// The reason for a missing protection, if the system and not the backend is the cause.
    pub note: Option<&'static str>,
}

/// `RLIMIT_MEMLOCK` in bytes; `None` if there is no limit, or on a system without this kind of
/// limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memlock {
    /// The limit in force.
    pub soft: Option<u64>,
    /// The highest value that the soft limit may be raised to.
    pub hard: Option<u64>,
}
