//! The secure heap of the process, created on first use, and its end.
//!
//! The process has only one, because its limits (`RLIMIT_MEMLOCK`, the number of mappings) apply to
//! the whole process.
//!
//! `process.exit()` and the end of `main` do not destroy the objects that JavaScript still holds,
//! but they run the wipe that is registered here. Signals and crashes do not run it. Then the
//! kernel clears the memory before another process gets it, as it always does for `memfd_secret`.

use std::io::{self, Write};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Once, OnceLock};

use super::secure_heap::{SecureHeap, Settings, Status};
use crate::error::{Code, Error, Result};
use crate::heap::{Config, Defect, backend_of_environment};
use crate::os::{Native, Platform};

/// The secure heap of the process. Fails with `ERR_INVALID_ARG_VALUE` if the operator's choice is
/// no backend, and with `ERR_SECRET_DEGRADED` in a fork of a process that has secrets.
pub(super) fn process_heap() -> Result<&'static SecureHeap> {
    static HEAP: LazyLock<Result<SecureHeap>> = LazyLock::new(|| {
        OWNER.get_or_init(process::id);
        let operator = backend_of_environment()?;
        let config = Config { operator, ..Config::new(end_process) };
        Ok(SecureHeap::new(config, wipe_at_exit))
    });
    check_process()?;
    HEAP.as_ref().map_err(Clone::clone)
}

/// Changes the memory of the process's secure heap, before the first secret or key. Errors as for
/// [`SecureHeap::configure`] and [`process_heap`].
pub fn configure(settings: Settings) -> Result<()> {
    process_heap()?.configure(settings)
}

/// The state of the process's secure heap, which is created now if it has not been used yet. Takes
/// up to a few milliseconds, because the kernel describes every mapping of the process. Errors as
/// for [`process_heap`].
pub fn status() -> Result<Status> {
    Ok(process_heap()?.status())
}

/// Looks for writes beyond the ends of secrets in the whole heap. If there was such a write, every
/// secret is wiped and the process ends with a message on stderr. The same check is made when a
/// secret is dropped.
pub fn verify() {
    if let Ok(heap) = process_heap() {
        heap.verify();
    }
}

static LEAKED: AtomicU64 = AtomicU64::new(0);

/// Counts a secret whose JavaScript object was garbage-collected without being disposed of.
pub fn count_leaked() {
    LEAKED.fetch_add(1, Ordering::Relaxed);
}

/// The number of calls of [`count_leaked`] in this process.
pub fn leaked() -> u64 {
    LEAKED.load(Ordering::Relaxed)
}

/// Wipes the secure heap of the process and aborts with a message: after a defect no byte of the
/// process can be trusted, and no secret may remain for a core dump. The arena that found the
/// defect is already wiped and holds its lock; it may belong to another heap.
pub(super) fn end_process(defect: Defect) -> ! {
    if let Ok(heap) = process_heap() {
        heap.end();
    }
    let found = match defect {
        Defect::Overwritten => "memory beside a secret was overwritten by this process",
        Defect::WrittenWhenFree => "free memory of the secure heap was written to by this process",
        Defect::Stale => "a secret was used after it had been freed",
    };
    // Without stderr, nothing more can be done.
    let _ = writeln!(io::stderr(), "nodesec: {found}; every secret is wiped, and the process ends");
    process::abort()
}

/// The process that has made the heap.
static OWNER: OnceLock<u32> = OnceLock::new();

/// Registers the wipe at the end of the process, once.
fn wipe_at_exit() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| Native::at_exit(wipe));
}

/// Fails with `ERR_SECRET_DEGRADED` in a fork of a process that has secrets. The fork either does
/// not have their memory, and would crash, or has its own copy of zeros.
pub fn check_process() -> Result<()> {
    if OWNER.get().is_none_or(|owner| *owner == process::id()) {
        return Ok(());
    }
    Err(Error::new(
        Code::SecretDegraded,
        "this process is a fork of one that has secrets, and has no memory for them; start a \
         program in it",
    ))
}

extern "C" fn wipe() {
    // Not in a forked child.
    if let Ok(heap) = process_heap() {
        heap.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::Backend;

    #[test]
    fn the_status_is_true_before_any_secret() {
        let status = status().unwrap().heap;
        assert!(status.capacity_bytes >= 48 * 1024);
        assert_eq!(status.max_bytes, 16 * 1024 * 1024);
        assert_eq!(status.degraded, !(status.locked && status.dump_excluded));
        assert_eq!(status.kernel_unmapped, status.backend == Backend::MemfdSecret);
        assert!(status.backend == Backend::MemfdSecret || !status.reasons.is_empty());
    }
}
