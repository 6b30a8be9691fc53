//! The process's pool of worker threads, shared by all its environments. Threads start when they
//! are needed, up to the number of cores unless configured otherwise. Neither threads nor jobs
//! belong to an environment.
//!
//! `admission` decides which job runs; `threads` runs it.

mod queued;
mod threads;
mod timer;

use std::num::NonZero;
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Duration;

pub use self::queued::{Delivery, JobHandle};
pub use self::threads::Hold;
use self::threads::Pool;
pub use super::admission::{Bounds, Counts};
use super::cancel::Cancel;
use super::policy::Preset;
use crate::clock::SystemClock;
use crate::error::Result;
use crate::os::{Native, Platform};

/// Jobs that may wait, unless configured: enough for a burst, and at most a few MiB of passwords.
pub const DEFAULT_MAX_QUEUE: usize = 1024;

/// How long a job waits, unless configured: by then its caller has usually given up.
pub const DEFAULT_QUEUE_TIMEOUT: Duration = Duration::from_secs(30);

/// The memory that a machine is assumed to have if the system does not report it: 4 GiB.
const ASSUMED_CAPACITY: u64 = 4 << 30;

static POOL: LazyLock<Pool> = LazyLock::new(|| {
    let pool = Pool::new(default_bounds(), Arc::new(SystemClock));
    pool.bound_pages();
    pool
});

/// Submits `work`, which needs `bytes` bytes of Argon2 memory. The pool calls `deliver` exactly
/// once:
/// - `work` delivers its result through its [`Delivery`];
/// - if `work` panics or delivers nothing, `deliver` gets `ERR_INTERNAL`;
/// - if the job does not run, `deliver` gets the reason: `ERR_PASSWORD_MEMORY`,
///   `ERR_PASSWORD_BUSY`, `ABORT_ERR`, or `ERR_PASSWORD_THREADS` if the system provides no thread
///   at all.
///
/// The bytes count until `work` has returned, even if its caller no longer waits.
pub fn submit<T: 'static>(
    handle: &JobHandle,
    bytes: u64,
    work: impl FnOnce(&mut Delivery<T>, &Cancel) + Send + 'static,
    deliver: impl FnOnce(Result<T>) + Send + 'static,
) {
    POOL.submit(handle, bytes, work, deliver);
}

/// Cancels a job. A queued job leaves the queue at once and its inputs are wiped; a running job
/// stops at the next segment.
pub fn cancel(handle: &JobHandle) {
    POOL.cancel(handle);
}

/// Takes memory for a job on this thread, which cannot wait. Fails with `ERR_PASSWORD_BUSY` if the
/// bytes do not fit beside those of the running jobs and of the job at the head of the queue, and
/// with `ERR_PASSWORD_MEMORY` if they exceed the whole budget.
pub fn hold(bytes: u64) -> Result<Hold> {
    POOL.hold(bytes)
}

/// The current bounds.
pub fn bounds() -> Bounds {
    POOL.bounds()
}

/// Sets other bounds. Running jobs continue and waiting jobs keep their place and deadline, but
/// waiting jobs larger than the whole new budget fail with `ERR_PASSWORD_MEMORY`.
pub fn configure(bounds: Bounds) {
    POOL.configure(bounds);
}

/// The pool's current jobs and memory.
pub fn counts() -> Counts {
    POOL.counts()
}

/// As many threads as the machine has cores, and a quarter of the memory of the machine or its
/// control group, but at least enough for one hash of the default policy.
fn default_bounds() -> Bounds {
    let quarter = Native::memory_capacity().unwrap_or(ASSUMED_CAPACITY) / 4;
    let (default_memory_cost, ..) = Preset::default().costs();
    Bounds {
        threads: thread::available_parallelism().map_or(1, NonZero::get),
        max_memory: quarter.max(u64::from(default_memory_cost) * 1024),
        max_queue: DEFAULT_MAX_QUEUE,
        queue_timeout: DEFAULT_QUEUE_TIMEOUT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_budget_takes_a_default_hash() {
        let Bounds { threads, max_memory, .. } = default_bounds();
        assert!(threads >= 1 && max_memory >= 64 << 20);
    }
}
