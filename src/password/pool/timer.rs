//! The times at which the pool's timer thread has something to do, without the thread.

use std::time::Duration;

use crate::password::memory;

/// Times are nanoseconds of the pool's clock.
#[derive(Debug, Default)]
pub(super) struct Timer {
    /// When a job may have waited for too long: not later than the first of them.
    deadline: Option<u64>,
    /// When kept memory should be looked at.
    memory: Option<u64>,
    /// When the thread will wake; `None` when it waits to be woken, or does not run yet.
    wakes: Option<u64>,
}

impl Timer {
    /// Takes note of the deadline of a job that has just been taken in, if it has one, and of the
    /// memory that running jobs will leave behind. Says whether the thread must be woken to be in
    /// time.
    pub(super) fn appoint(&mut self, deadline: Option<u64>, now: u64) -> bool {
        self.deadline = self.deadline.into_iter().chain(deadline).min();
        let memory = *self.memory.get_or_insert(now.saturating_add(nanos(memory::IDLE_TIME)));
        let due = self.deadline.map_or(memory, |deadline| deadline.min(memory));
        self.wakes.is_none_or(|wakes| due < wakes)
    }

    /// For how long the thread sleeps from now on; `None` when something is due.
    pub(super) fn sleep(&mut self, now: u64) -> Option<Duration> {
        let due = self.deadline.into_iter().chain(self.memory).min();
        if due.is_some_and(|due| due <= now) {
            return None;
        }
        self.wakes = due;
        Some(due.map_or(Duration::MAX, |due| Duration::from_nanos(due - now)))
    }

    /// The jobs that were late have left the queue, whose next deadline is given. Says whether kept
    /// memory must be looked at now.
    pub(super) fn catch_up(&mut self, next_deadline: Option<u64>, now: u64) -> bool {
        self.deadline = next_deadline;
        self.memory.take_if(|memory| *memory <= now).is_some()
    }

    /// Kept memory must be looked at again after this time.
    pub(super) fn look_at_memory_after(&mut self, left: Duration, now: u64) {
        let memory = now.saturating_add(nanos(left));
        self.memory = Some(self.memory.map_or(memory, |due| due.min(memory)));
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
