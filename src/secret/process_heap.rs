//! The secure heap of the process, which is made on first use, and its end.
//!
//! There is one for the process, because its limits (`RLIMIT_MEMLOCK`, the number of mappings) are
//! those of the process.
//!
//! `process.exit()` and the end of `main` do not destroy the objects that JavaScript still holds,
//! but they run the wipe that is registered here. Signals and crashes run nothing: then the kernel
//! clears the memory before another process gets it, as it always clears that of `memfd_secret`.

use std::io::{self, Write};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, OnceLock};

use super::secure_heap::{SecureHeap, Settings, Status};
use crate::error::Result;
use crate::heap::{Config, Defect, Operator};
use crate::os::{Native, Platform};

/// The secure heap of the process.
pub(super) fn process_heap() -> &'static SecureHeap {
    static HEAP: LazyLock<SecureHeap> = LazyLock::new(|| {
        let operator = Operator::of_environment();
        let config = Config { operator, ..Config::new(end_process) };
        SecureHeap::new(config, wipe_at_exit)
    });
    &HEAP
}

/// Changes the memory that the secure heap of the process is made of, before the first secret or
/// key. Errors as [`SecureHeap::configure`].
pub fn configure(settings: Settings) -> Result<()> {
    process_heap().configure(settings)
}

/// The state of the process's secure heap, which is made now if nothing has used it yet. Costs up
/// to some milliseconds: the kernel describes every mapping of the process.
pub fn status() -> Status {
    process_heap().status()
}

/// Looks for writes beyond the ends of secrets, everywhere in the heap. If there was one, every
/// secret is wiped and the process ends with a message on stderr. The same check is made when a
/// secret is dropped.
pub fn verify() {
    process_heap().verify();
}

static LEAKED: AtomicU64 = AtomicU64::new(0);

/// Counts a secret whose JavaScript object was collected without having been disposed of.
pub fn count_leaked() {
    LEAKED.fetch_add(1, Ordering::Relaxed);
}

/// How often [`count_leaked`] was called in this process.
pub fn leaked() -> u64 {
    LEAKED.load(Ordering::Relaxed)
}

/// Wipes the secure heap of the process and aborts with a message: after a defect no byte of the
/// process can be trusted, and no secret may be left to a core dump. The arena that found the
/// defect is wiped already and holds its lock; it may belong to another heap.
pub(super) fn end_process(defect: Defect) -> ! {
    process_heap().end();
    let found = match defect {
        Defect::Overwritten => "memory beside a secret was overwritten by this process",
        Defect::WrittenWhenFree => "free memory of the secure heap was written to by this process",
        Defect::Stale => "a secret was used after it had been given back",
    };
    // Nothing more can be done when there is no stderr.
    let _ = writeln!(io::stderr(), "nodesec: {found}; every secret is wiped, and the process ends");
    process::abort()
}

/// The process that registered the wipe.
static OWNER: OnceLock<u32> = OnceLock::new();

/// Registers the wipe at the end of the process, once.
fn wipe_at_exit() {
    OWNER.get_or_init(|| {
        Native::at_exit(wipe);
        process::id()
    });
}

extern "C" fn wipe() {
    // A forked child has none of the memory, or its own copy of zeros: touching it could only
    // end in a crash.
    if OWNER.get() == Some(&process::id()) {
        process_heap().end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::Backend;

    #[test]
    fn the_status_is_true_before_any_secret() {
        let status = status().heap;
        assert!(status.capacity_bytes >= 48 * 1024);
        assert_eq!(status.max_bytes, 16 * 1024 * 1024);
        assert_eq!(status.degraded, !(status.locked && status.dump_excluded));
        assert_eq!(status.kernel_unmapped, status.backend == Backend::MemfdSecret);
        assert!(status.backend == Backend::MemfdSecret || !status.reasons.is_empty());
    }
}
