//! Computes when the pool's timer thread has work to do. It owns no thread.

use std::time::Duration;

use crate::password::memory;

/// Due times of the timer thread, in nanoseconds of the pool's clock.
#[derive(Debug, Default)]
pub(super) struct Timer {
    /// When the first job may have waited for too long; may be earlier than the true deadline.
    deadline: Option<u64>,
    /// When to check the memory that is kept for reuse.
    memory: Option<u64>,
    /// When the thread will wake; `None` if it waits for a notification or does not run yet.
    wakes: Option<u64>,
}

impl Timer {
    /// Records the deadline of a job that has just been submitted, if it has one, and schedules a
    /// check of the memory that running jobs will leave behind. Returns whether the thread must be
    /// woken to be on time.
    pub(super) fn appoint(&mut self, deadline: Option<u64>, now: u64) -> bool {
        self.deadline = self.deadline.into_iter().chain(deadline).min();
        let memory = *self.memory.get_or_insert(now.saturating_add(nanos(memory::IDLE_TIME)));
        let due = self.deadline.map_or(memory, |deadline| deadline.min(memory));
        self.wakes.is_none_or(|wakes| due < wakes)
    }

    /// How long the thread sleeps from now on; `None` if something is due.
    pub(super) fn sleep(&mut self, now: u64) -> Option<Duration> {
        let due = self.deadline.into_iter().chain(self.memory).min();
        if due.is_some_and(|due| due <= now) {
            return None;
        }
        self.wakes = due;
        Some(due.map_or(Duration::MAX, |due| Duration::from_nanos(due - now)))
    }

    /// Called after late jobs have left the queue, with the queue's next deadline. Returns whether
    /// kept memory must be checked now.
    pub(super) fn catch_up(&mut self, next_deadline: Option<u64>, now: u64) -> bool {
        self.deadline = next_deadline;
        self.memory.take_if(|memory| *memory <= now).is_some()
    }

    /// Schedules another check of kept memory after this time.
    pub(super) fn look_at_memory_after(&mut self, left: Duration, now: u64) {
        let memory = now.saturating_add(nanos(left));
        self.memory = Some(self.memory.map_or(memory, |due| due.min(memory)));
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
