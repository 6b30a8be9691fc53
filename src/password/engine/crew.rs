//! The threads that fill one hash's memory: the caller's, and helpers while cores are idle.
//!
//! Lanes are what can be computed at the same time, and how many threads do it changes nothing in
//! the tag. So a digest's parallelism is never the number of threads: all hashes of the process
//! together have as many as there are cores, or one each.

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

/// Blocks to compute per thread from which a helper is worth its start: some 5 ms of work.
const MIN_BLOCKS: u64 = 1 << 14;

static CORES: LazyLock<usize> =
    LazyLock::new(|| thread::available_parallelism().map_or(1, NonZero::get));

/// A helper keeps its blocks in the arena and a few on its stack.
const STACK_LEN: usize = 256 << 10;

/// Threads that fill memory now, in all of the process.
static BUSY: AtomicUsize = AtomicUsize::new(0);

/// Computes all blocks from the first two of every lane on. `ABORT_ERR` if cancelled meanwhile.
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
    /// The first lane of this slice that nobody has begun.
    next_lane: u32,
    /// Lanes of this slice that are not done.
    unfinished: u32,
    /// At work.
    threads: u32,
    /// One of them has panicked.
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

    /// Fills the memory, with at most this many threads, this one included, and one helper for
    /// each seat that is to be had, which helps while it may `stay`.
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
                    // Without helpers it only takes longer.
                    self.lock().threads -= 1;
                    break;
                }
            }
            self.work(|| true);
        });
    }

    /// Does segments until there are none, or `stay` is false. The hash is complete when the
    /// thread that always stays is through.
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
            // SAFETY: the instructions are there, says the caller of `Crew::new`. Each lane of a
            // slice is given out once, and the next slice begins when all of them have been handed
            // in, under the lock through which every thread gets its tasks.
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
        // Those who wait must see a cancellation too.
        self.changed.notify_all();
        std::mem::forget(on_panic);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets the others go when a thread unwinds, whose lanes will never be done.
struct Failure<'a>(&'a Crew<'a>);

impl Drop for Failure<'_> {
    fn drop(&mut self) {
        self.0.lock().failed = true;
        self.0.changed.notify_all();
    }
}

/// A place among the threads that fill memory.
struct Seat;

impl Seat {
    /// A hash always has one thread.
    fn take() -> Self {
        BUSY.fetch_add(1, Ordering::Relaxed);
        Self
    }

    /// A place on an idle core.
    fn take_idle() -> Option<Self> {
        BUSY.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |busy| {
            (busy < *CORES).then_some(busy + 1)
        })
        .ok()
        .map(|_| Self)
    }

    /// Whether nobody else wants the core that a helper is on.
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
