//! The thread that keeps the time. The workers cannot: all of them may be hashing.

use std::sync::PoisonError;
use std::time::Duration;

use super::{Pool, Role, State, refuse};
use crate::password::memory;

/// What the timer has to do next; times are nanoseconds of the pool's clock.
#[derive(Debug, Default)]
pub(super) struct Due {
    /// When a job may have waited for too long: not later than the first of them.
    deadline: Option<u64>,
    /// When kept memory should be looked at.
    memory: Option<u64>,
    /// When it will wake; `None` when it waits to be woken, or does not run yet.
    wakes: Option<u64>,
    runs: bool,
}

impl Pool {
    /// Sees to it that the timer wakes for a job that has just been taken in, if one has, and for
    /// the memory that running jobs will leave behind.
    pub(super) fn appoint(&'static self, state: &mut State, deadline: Option<u64>) {
        let now = self.clock.monotonic_nanos();
        let timer = &mut state.timer;
        timer.deadline = timer.deadline.into_iter().chain(deadline).min();
        let memory = *timer.memory.get_or_insert(now.saturating_add(nanos(memory::IDLE_TIME)));
        let due = timer.deadline.map_or(memory, |deadline| deadline.min(memory));
        if !timer.runs {
            // Without a thread for it nobody is turned away for having waited, and memory stays:
            // the next call tries again.
            timer.runs = (self.spawn)(self, Role::Timer).is_ok();
        } else if timer.wakes.is_none_or(|wakes| due < wakes) {
            self.time_changed.notify_one();
        }
    }

    /// The life of the timer.
    pub(super) fn keep_time(&'static self) {
        loop {
            self.catch_up();
            let mut state = self.lock();
            let now = self.clock.monotonic_nanos();
            let due = state.timer.deadline.into_iter().chain(state.timer.memory).min();
            if due.is_some_and(|due| due <= now) {
                continue;
            }
            state.timer.wakes = due;
            let left = due.map_or(Duration::MAX, |due| Duration::from_nanos(due - now));
            let waited = self.time_changed.wait_timeout(state, left);
            drop(waited.unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Does what is due.
    pub(super) fn catch_up(&'static self) {
        let now = self.clock.monotonic_nanos();
        let mut state = self.lock();
        let late = state.admission.expire(now);
        state.timer.deadline = state.admission.next_deadline();
        let looks_at_memory = state.timer.memory.take_if(|memory| *memory <= now).is_some();
        if late.is_empty() {
            drop(state);
        } else {
            // One of them may have been the one that the others waited behind.
            self.move_on(state, None);
            late.into_iter().for_each(refuse);
        }
        if looks_at_memory && let Some(left) = memory::release_idle() {
            let memory = now.saturating_add(nanos(left));
            let due = &mut self.lock().timer.memory;
            *due = Some(due.map_or(memory, |due| due.min(memory)));
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
