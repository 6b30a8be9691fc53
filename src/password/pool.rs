//! The pool of worker threads of the process, which all its environments share. Threads start as
//! they are needed, up to the number of cores unless told otherwise. They belong to no environment,
//! and neither does a job.
//!
//! `admission` decides which job runs, `threads` has the threads that run it.

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

/// Jobs that wait, unless configured: enough for a burst, and at most a few MiB of passwords.
pub const DEFAULT_MAX_QUEUE: usize = 1024;

/// How long a job waits, unless configured: by then its caller has given up.
pub const DEFAULT_QUEUE_TIMEOUT: Duration = Duration::from_secs(30);

/// The memory that a machine is assumed to have when the system does not say: 4 GiB.
const ASSUMED_CAPACITY: u64 = 4 << 30;

static POOL: LazyLock<Pool> = LazyLock::new(|| {
    let pool = Pool::new(default_bounds(), Arc::new(SystemClock));
    pool.bound_pages();
    pool
});

/// Takes in `work`, which needs so many bytes of Argon2 memory. `deliver` is called exactly once:
/// by `work` through its [`Delivery`]; with `ERR_INTERNAL` after `work` when that panicked or
/// delivered nothing; or with the reason why it does not run: `ERR_PASSWORD_MEMORY`,
/// `ERR_PASSWORD_BUSY`, `ABORT_ERR`, and `ERR_PASSWORD_THREADS` when the system gives no thread at
/// all.
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

/// Cancels a job: a queued one leaves the queue at once, its inputs wiped; a running one stops at
/// the next slice.
pub fn cancel(handle: &JobHandle) {
    POOL.cancel(handle);
}

/// Takes memory for a job on this thread. It cannot wait: `ERR_PASSWORD_BUSY` when the bytes do
/// not fit beside those of the running jobs and of the job at the head of the queue.
pub fn hold(bytes: u64) -> Result<Hold> {
    POOL.hold(bytes)
}

/// The bounds now.
pub fn bounds() -> Bounds {
    POOL.bounds()
}

/// Sets other bounds. Running jobs run on, waiting ones keep their place and deadline, except that
/// those larger than the whole new budget fail with `ERR_PASSWORD_MEMORY`.
pub fn configure(bounds: Bounds) {
    POOL.configure(bounds);
}

/// The jobs and the memory of the pool now.
pub fn counts() -> Counts {
    POOL.counts()
}

/// The machine's cores; a quarter of its memory, or of the control group's, and enough for one
/// hash of the default policy in any case.
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
