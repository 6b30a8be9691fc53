//! Decides which job runs, waits or is refused. It keeps track of the pool's jobs and memory,
//! without threads or clocks.
//!
//! The queue is strictly first in, first out: while the job at the head waits for memory, no job
//! behind it overtakes, however small. A large job therefore waits only for the jobs that already
//! run.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, TryReserveError, VecDeque};
use std::time::Duration;

use super::latency::Latency;
use crate::error::{Code, Error, Result};

/// The duration assumed for a hash until one has been measured: 100 ms.
const GUESSED_NANOS: u64 = 100_000_000;

/// The limits on running and waiting jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Jobs that run at a time: at least 1.
    pub threads: usize,
    /// Bytes of Argon2 memory in all running jobs together.
    pub max_memory: u64,
    /// Jobs that wait.
    pub max_queue: usize,
    /// How long a job waits before it is refused.
    pub queue_timeout: Duration,
}

/// The numbers of jobs, the memory and the latencies at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Running jobs, including those on their caller's thread.
    pub running: usize,
    /// Jobs that wait.
    pub queued: usize,
    /// Bytes of Argon2 memory that the running jobs hold.
    pub bytes: u64,
    /// Jobs that have run to their end.
    pub completed: u64,
    /// Jobs refused with `ERR_PASSWORD_BUSY`.
    pub rejected: u64,
    /// Jobs that were cancelled.
    pub aborted: u64,
    /// The median duration of the latest hashes, in nanoseconds; `None` before the first.
    pub p50: Option<u64>,
    /// The 99th percentile of their durations, in nanoseconds.
    pub p99: Option<u64>,
}

/// The pool's admission control. `J` is a job; times are nanoseconds of a monotonic clock.
#[derive(Debug)]
pub(super) struct Admission<J> {
    bounds: Bounds,
    /// The waiting jobs by their numbers. A job that leaves early leaves its entry empty, but the
    /// first entry never is.
    queue: VecDeque<Entry<J>>,
    /// Jobs in the queue.
    waiting: usize,
    /// Jobs that have been in the queue: the number of the next one.
    offered: u64,
    /// The deadlines of the waiting jobs by their numbers, and of some that have left, the earliest
    /// first.
    deadlines: BinaryHeap<Reverse<(u64, u64)>>,
    /// Jobs on the pool's threads.
    running: usize,
    /// Jobs on their callers' threads.
    held: usize,
    bytes: u64,
    completed: u64,
    rejected: u64,
    aborted: u64,
    latency: Latency,
}

#[derive(Debug)]
struct Entry<J> {
    number: u64,
    bytes: u64,
    job: Option<J>,
}

/// A job's place in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The number by which the job can be aborted.
    pub number: u64,
    /// When the job has waited for too long; `None` if it does not expire.
    pub deadline: Option<u64>,
}

impl<J> Admission<J> {
    /// An empty queue, with nothing running.
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            queue: VecDeque::new(),
            waiting: 0,
            offered: 0,
            deadlines: BinaryHeap::new(),
            running: 0,
            held: 0,
            bytes: 0,
            completed: 0,
            rejected: 0,
            aborted: 0,
            latency: Latency::default(),
        }
    }

    /// The bounds.
    pub(super) const fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Sets other bounds and returns the waiting jobs that can no longer run. Jobs that stay keep
    /// their deadline and their place, even if the new `max_queue` is smaller than the queue.
    pub(super) fn set_bounds(&mut self, bounds: Bounds) -> Vec<(J, Error)> {
        self.bounds = bounds;
        let mut leaving = Vec::new();
        for entry in self.queue.iter_mut().filter(|entry| entry.bytes > bounds.max_memory) {
            let left = entry.job.take().map(|job| (job, too_large(entry.bytes, bounds)));
            leaving.extend(left);
        }
        self.waiting -= leaving.len();
        self.tidy();
        leaving
    }

    /// Appends a job to the queue; [`Self::next`] returns it once it may run.
    ///
    /// Gives the job back with `ERR_PASSWORD_MEMORY` if it is larger than the whole budget or if
    /// there is no memory for the queue, and with `ERR_PASSWORD_BUSY` if it would have to wait and
    /// the queue is full. A job without Argon2 memory, for example the generation of a key, waits
    /// its turn but is never refused as busy.
    pub(super) fn offer(
        &mut self,
        bytes: u64,
        now: u64,
        job: J,
    ) -> std::result::Result<Place, (J, Error)> {
        if bytes > self.bounds.max_memory {
            return Err((job, too_large(bytes, self.bounds)));
        }
        let waits = bytes > 0 && !(self.waiting == 0 && self.fits(bytes));
        if waits && self.waiting >= self.bounds.max_queue {
            return Err((job, self.reject()));
        }
        if self.try_reserve().is_err() {
            return Err((job, no_memory()));
        }
        let number = self.offered;
        let deadline = waits.then(|| now.saturating_add(nanos(self.bounds.queue_timeout)));
        self.offered += 1;
        self.waiting += 1;
        self.queue.push_back(Entry { number, bytes, job: Some(job) });
        self.deadlines.extend(deadline.map(|at| Reverse((at, number))));
        Ok(Place { number, deadline })
    }

    /// The job at the head of the queue with its bytes, if it may run now. It counts as running
    /// until [`Self::finish`].
    pub(super) fn next(&mut self) -> Option<(J, u64)> {
        let &Entry { number, bytes, .. } = self.queue.front()?;
        if !self.fits(bytes) {
            return None;
        }
        let job = self.take(number)?;
        self.running += 1;
        self.bytes += bytes;
        Some((job, bytes))
    }

    /// Notes that a running job has ended and has freed its memory.
    pub(super) fn finish(&mut self, bytes: u64, end: End) {
        self.running -= 1;
        self.settle(bytes, end);
    }

    /// Takes memory for a job on its caller's thread, which cannot wait. Fails with
    /// `ERR_PASSWORD_BUSY` if the job does not fit beside the running jobs and the job at the head
    /// of the queue, and with `ERR_PASSWORD_MEMORY` if it is larger than the whole budget.
    pub(super) fn hold(&mut self, bytes: u64) -> Result<()> {
        if bytes > self.bounds.max_memory {
            return Err(too_large(bytes, self.bounds));
        }
        let head = self.queue.front().map_or(0, |entry| entry.bytes);
        if self.bytes + head + bytes > self.bounds.max_memory {
            return Err(self.reject());
        }
        self.held += 1;
        self.bytes += bytes;
        Ok(())
    }

    /// Frees memory that [`Self::hold`] took.
    pub(super) fn release(&mut self, bytes: u64, end: End) {
        self.held -= 1;
        self.settle(bytes, end);
    }

    /// Takes a cancelled job out of the queue.
    pub(super) fn abort(&mut self, number: u64) -> Option<J> {
        let job = self.take(number)?;
        self.aborted += 1;
        Some(job)
    }

    /// Takes one job that has waited for too long out of the queue.
    pub(super) fn expire(&mut self, now: u64) -> Option<(J, Error)> {
        while let Some(&Reverse((at, number))) = self.deadlines.peek()
            && at <= now
        {
            self.deadlines.pop();
            if let Some(job) = self.take(number) {
                return Some((job, self.reject()));
            }
        }
        None
    }

    /// The earliest deadline of the waiting jobs.
    pub(super) fn next_deadline(&mut self) -> Option<u64> {
        while let Some(&Reverse((at, number))) = self.deadlines.peek() {
            if self.index(number).is_some() {
                return Some(at);
            }
            self.deadlines.pop();
        }
        None
    }

    /// The counts now.
    pub(super) fn counts(&self) -> Counts {
        Counts {
            running: self.running + self.held,
            queued: self.waiting,
            bytes: self.bytes,
            completed: self.completed,
            rejected: self.rejected,
            aborted: self.aborted,
            p50: self.latency.percentile(50),
            p99: self.latency.percentile(99),
        }
    }

    fn fits(&self, bytes: u64) -> bool {
        self.running < self.bounds.threads && self.bytes + bytes <= self.bounds.max_memory
    }

    fn settle(&mut self, bytes: u64, end: End) {
        self.bytes -= bytes;
        match end {
            End::Aborted => self.aborted += 1,
            End::After(nanos) => {
                self.completed += 1;
                if bytes > 0 {
                    self.latency.record(nanos);
                }
            }
        }
    }

    fn reject(&mut self) -> Error {
        self.rejected += 1;
        Error::new(
            Code::PasswordBusy,
            "too many passwords are being hashed; try again after retryAfterMs, or raise the bounds with passwordPool.configure",
        )
        .retry_after(self.retry_after_ms())
    }

    /// Estimates when the present queue will be finished, from the median duration and the number
    /// of jobs that run now.
    fn retry_after_ms(&self) -> u64 {
        let waves = (self.waiting + 1).div_ceil(self.running.max(1)) as u64;
        let nanos = self.latency.percentile(50).unwrap_or(GUESSED_NANOS).saturating_mul(waves);
        nanos.div_ceil(1_000_000).max(1)
    }

    /// Makes room for one more job.
    fn try_reserve(&mut self) -> std::result::Result<(), TryReserveError> {
        self.queue.try_reserve(1)?;
        self.deadlines.try_reserve(1)
    }

    /// Takes a waiting job out of the queue.
    fn take(&mut self, number: u64) -> Option<J> {
        let index = self.index(number)?;
        let job = self.queue.get_mut(index)?.job.take()?;
        self.waiting -= 1;
        self.tidy();
        Some(job)
    }

    /// The index of a job that waits, found in logarithmic time, because numbers ascend.
    fn index(&self, number: u64) -> Option<usize> {
        let found = self.queue.binary_search_by(|entry| {
            #[cfg(test)]
            crate::testing::steps::step();
            entry.number.cmp(&number)
        });
        found.ok().filter(|index| self.queue.get(*index).is_some_and(|entry| entry.job.is_some()))
    }

    /// Removes the entries and deadlines of jobs that have left: those at the head of the queue,
    /// and all when they are the majority. So each is removed in constant time on average.
    fn tidy(&mut self) {
        while self.queue.front().is_some_and(|entry| entry.job.is_none()) {
            #[cfg(test)]
            crate::testing::steps::step();
            self.queue.pop_front();
        }
        let most = 2 * self.waiting + 16;
        if self.queue.len() > most {
            self.queue.retain(|entry| {
                #[cfg(test)]
                crate::testing::steps::step();
                entry.job.is_some()
            });
        }
        if self.deadlines.len() > most {
            let mut deadlines = std::mem::take(&mut self.deadlines);
            deadlines.retain(|Reverse((_, number))| self.index(*number).is_some());
            self.deadlines = deadlines;
        }
    }
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It ran for this many nanoseconds.
    After(u64),
    /// It was cancelled while it ran.
    Aborted,
}

fn too_large(bytes: u64, bounds: Bounds) -> Error {
    let max = bounds.max_memory;
    Error::new(
        Code::PasswordMemory,
        format!(
            "this hash needs {bytes} bytes and all hashes together may use {max}: lower \
             memoryCost, or raise maxMemory with passwordPool.configure"
        ),
    )
}

fn no_memory() -> Error {
    Error::new(
        Code::PasswordMemory,
        "there is no memory for another job in the queue; lower maxQueue with \
         passwordPool.configure, or try later",
    )
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
