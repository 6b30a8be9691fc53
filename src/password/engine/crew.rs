//! The threads that fill one hash's memory: the caller's thread, and helpers while cores are idle.
//!
//! Lanes can be computed at the same time, and the number of threads does not change the tag. So a
//! digest's parallelism never sets the number of threads: all hashes of the process together use at
//! most one thread per core, but every hash has at least one.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::fill::{Fill, MAX_LANES, Task};
use super::kernel::AvailableKernel;
use super::layout::SLICES;
use super::memory::Memory;
use crate::error::Result;
use crate::password::cancel::Cancel;
use crate::secret::{Depth, TraceGuard};

/// Helpers start only if there are this many blocks per thread: about 5 ms of work.
const MIN_BLOCKS: u64 = 1 << 14;

static CORES: LazyLock<usize> =
    LazyLock::new(|| thread::available_parallelism().map_or(1, NonZero::get));

/// Enough for a helper, which keeps its blocks in the arena and a few on its stack.
const STACK_LEN: usize = 256 << 10;

/// Threads of the whole process that fill memory now.
static BUSY: AtomicUsize = AtomicUsize::new(0);

/// Computes all blocks after the first two of every lane. Fails with `ABORT_ERR` if the hash is
/// cancelled meanwhile.
pub(super) fn fill(kernel: AvailableKernel, memory: &Memory<'_>, cancel: &Cancel) -> Result<()> {
    let layout = memory.layout();
    let work = layout.blocks().saturating_mul(layout.params.time_cost().into());
    let threads = u64::from(layout.params.parallelism()).min(work / MIN_BLOCKS);
    let seat = Seat::take();
    // SAFETY: an `AvailableKernel` exists only where its instructions do.
    unsafe { Crew::new(kernel.fill(), memory, cancel) }.run(
        threads,
        Seat::take_idle,
        Seat::is_free,
    );
    drop(seat);
    cancel.check()
}

struct Crew<'a> {
    fill: Fill,
    memory: &'a Memory<'a>,
    cancel: &'a Cancel,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    pass: u32,
    slice: u32,
    /// The first lane of this slice that no thread has begun.
    next_lane: u32,
    /// Unfinished lanes of this slice.
    unfinished: u32,
    /// Threads at work.
    threads: u32,
    /// A thread has panicked.
    failed: bool,
}

impl<'a> Crew<'a> {
    /// # Safety
    /// The processor has the instructions of `fill`.
    const unsafe fn new(fill: Fill, memory: &'a Memory<'a>, cancel: &'a Cancel) -> Self {
        let unfinished = memory.layout().params.parallelism();
        let state =
            State { pass: 0, slice: 0, next_lane: 0, unfinished, threads: 1, failed: false };
        Self { fill, memory, cancel, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Fills the memory with at most `threads` threads, including this one. Each helper needs a
    /// seat from `seat`, and helps only while `stay` returns true.
    fn run(&self, threads: u64, seat: impl Fn() -> Option<Seat>, stay: impl Fn() -> bool + Sync) {
        let stay = &stay;
        thread::scope(|scope| {
            for _ in 1..threads {
                let Some(seat) = seat() else { break };
                self.lock().threads += 1;
                let helper = thread::Builder::new().name("nodesec-lanes".to_owned());
                let started = helper.stack_size(STACK_LEN).spawn_scoped(scope, move || {
                    TraceGuard::run(Depth::Argon2Part, |_| self.work(stay));
                    drop(seat);
                });
                if started.is_err() {
                    // Without helpers the hash only takes longer.
                    self.lock().threads -= 1;
                    break;
                }
            }
            self.work(|| true);
        });
    }

    /// Computes segments until none are left or `stay` returns false. The hash is complete when the
    /// thread that always stays returns.
    fn work(&self, stay: impl Fn() -> bool) {
        let on_panic = Failure(self);
        let layout = self.memory.layout();
        let lanes = layout.params.parallelism();
        let passes = layout.params.time_cost();
        let mut state = self.lock();
        while state.pass < passes && !state.failed && !self.cancel.is_cancelled() && stay() {
            let open = lanes - state.next_lane;
            if open == 0 {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let share = open.div_ceil(state.threads).min(MAX_LANES);
            let lane = state.next_lane;
            state.next_lane += share;
            let slice = layout.slice(state.pass, state.slice);
            drop(state);

            let task = Task { memory: self.memory, slice, lane, lanes: share };
            // SAFETY: the caller of `Crew::new` guarantees the instructions. Each lane of a slice
            // is given to one thread only. The next slice begins when all lanes have been reported
            // finished, under the lock with which every thread gets its tasks.
            unsafe { (self.fill)(&task) };

            state = self.lock();
            state.unfinished -= share;
            if state.unfinished == 0 {
                state.slice = (state.slice + 1) % SLICES;
                state.pass += u32::from(state.slice == 0);
                (state.next_lane, state.unfinished) = (0, lanes);
                self.changed.notify_all();
            }
        }
        state.threads -= 1;
        drop(state);
        // Waiting threads must notice a cancellation too.
        self.changed.notify_all();
        std::mem::forget(on_panic);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Releases the other threads when a thread panics, because its lanes will never be finished.
struct Failure<'a>(&'a Crew<'a>);

impl Drop for Failure<'_> {
    fn drop(&mut self) {
        self.0.lock().failed = true;
        self.0.changed.notify_all();
    }
}

/// A place among the threads that fill memory, counted in [`BUSY`].
struct Seat;

impl Seat {
    /// A hash always gets one thread.
    fn take() -> Self {
        BUSY.fetch_add(1, Ordering::Relaxed);
        Self
    }

    /// A seat on an idle core, if there is one.
    fn take_idle() -> Option<Self> {
        BUSY.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |busy| {
            (busy < *CORES).then_some(busy + 1)
        })
        .ok()
        .map(|_| Self)
    }

    /// Whether no other hash needs the core of a helper.
    fn is_free() -> bool {
        BUSY.load(Ordering::Relaxed) <= *CORES
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        BUSY.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
