//! The threads that fill one hash's memory: the caller's, and helpers while cores are idle.
//!
//! Lanes are what can be computed at the same time, and how many threads do it changes nothing in
//! the tag. So a digest's parallelism is never the number of threads: all hashes of the process
//! together have as many as there are cores, or one each.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::fill::{MAX_LANES, Task};
use super::hash::wipe_stack;
use super::kernel::Fill;
use super::layout::SLICES;
use super::memory::Memory;
use crate::error::Result;
use crate::password::cancel::Cancel;

/// Blocks to compute per thread from which a helper is worth its start: some 5 ms of work.
const MIN_BLOCKS: u64 = 1 << 14;

static CORES: LazyLock<usize> =
    LazyLock::new(|| thread::available_parallelism().map_or(1, NonZero::get));

/// Threads that fill memory now, in all of the process.
static BUSY: AtomicUsize = AtomicUsize::new(0);

/// Computes all blocks from the first two of every lane on. `ABORT_ERR` if cancelled meanwhile.
///
/// # Safety
/// The processor has the instructions of `fill`.
pub unsafe fn fill(fill: Fill, memory: &Memory<'_>, cancel: &Cancel) -> Result<()> {
    let layout = memory.layout();
    let lanes = layout.params.parallelism();
    let work = layout.blocks().saturating_mul(layout.params.time_cost().into());
    let most = u64::from(lanes).min(work / MIN_BLOCKS);
    let _seat = Seat::take();
    let crew = Crew {
        fill,
        memory,
        cancel,
        state: Mutex::new(State { step: 0, next_lane: 0, unfinished: lanes, threads: 1, failed: false }),
        changed: Condvar::new(),
    };
    thread::scope(|scope| {
        for _ in 1..most {
            let Some(seat) = Seat::take_idle() else { break };
            crew.lock().threads += 1;
            let helper = thread::Builder::new().name("nodesec-argon2-lane".to_owned());
            let started = helper.stack_size(STACK_LEN).spawn_scoped(scope, || {
                let seat = seat;
                crew.work(|| !Seat::are_too_many());
                drop(seat);
            });
            if started.is_err() {
                // Without helpers it only takes longer.
                crew.lock().threads -= 1;
                break;
            }
        }
        crew.work(|| true);
    });
    cancel.check()
}

const STACK_LEN: usize = 256 << 10;

struct Crew<'a> {
    fill: Fill,
    memory: &'a Memory<'a>,
    cancel: &'a Cancel,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// Slices done, in all passes.
    step: u64,
    /// The first lane of this slice that nobody has begun.
    next_lane: u32,
    /// Lanes of this slice that are not done.
    unfinished: u32,
    threads: u32,
    failed: bool,
}

impl Crew<'_> {
    /// Does segments until there are none, or `stay` is false. The hash is complete when the
    /// thread that always stays is through.
    fn work(&self, stay: impl Fn() -> bool) {
        let on_panic = Failure(self);
        let layout = self.memory.layout();
        let lanes = layout.params.parallelism();
        let steps = u64::from(layout.params.time_cost()) * u64::from(SLICES);
        let mut state = self.lock();
        while state.step < steps && !state.failed && !self.cancel.is_cancelled() && stay() {
            let open = lanes - state.next_lane;
            if open == 0 {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let share = open.div_ceil(state.threads).min(MAX_LANES as u32);
            let lane = state.next_lane;
            state.next_lane += share;
            let (pass, slice) = ((state.step / 4) as u32, (state.step % 4) as u32);
            drop(state);

            let slice = layout.slice(pass, slice);
            let task = Task { memory: self.memory, slice, lane, lanes: share as usize };
            // SAFETY: the instructions are there, says the caller of `fill`. Each lane of a slice
            // is given out once, and the next slice begins when all of them have been handed in,
            // under the lock through which every thread gets its tasks.
            unsafe { (self.fill)(&task) };

            state = self.lock();
            state.unfinished -= share;
            if state.unfinished == 0 {
                state.step += 1;
                (state.next_lane, state.unfinished) = (0, lanes);
                self.changed.notify_all();
            }
        }
        state.threads -= 1;
        drop(state);
        // Those who wait must see a cancellation too.
        self.changed.notify_all();
        std::mem::forget(on_panic);
        wipe_stack();
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

    fn are_too_many() -> bool {
        BUSY.load(Ordering::Relaxed) > *CORES
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        BUSY.fetch_sub(1, Ordering::Relaxed);
    }
}
