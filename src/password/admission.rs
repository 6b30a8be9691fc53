//! Who may run, who waits and who is turned away: the pool's book, without threads and clocks.
//!
//! First in, first out, and strictly so: while the job at the head waits for memory, none behind
//! it overtakes, however small. A large job therefore waits for those that run, and for no others.

use std::collections::VecDeque;
use std::mem;
use std::time::Duration;

use super::latency::Latency;
use crate::error::{Code, Error, Result};

/// What a hash is taken to last before one has been measured.
const GUESSED_NANOS: u64 = 100_000_000;

/// How much may run and wait at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Jobs that run at a time: at least 1.
    pub threads: usize,
    /// Bytes of Argon2 memory in all running jobs together.
    pub max_memory: u64,
    /// Jobs that wait.
    pub max_queue: usize,
    /// How long a job waits before it is turned away.
    pub queue_timeout: Duration,
}

/// What the book says at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Jobs that run, those on their caller's thread included.
    pub running: usize,
    /// Jobs that wait.
    pub queued: usize,
    /// Bytes of Argon2 memory that the running ones hold.
    pub bytes: u64,
    /// Jobs that have run to their end.
    pub completed: u64,
    /// Jobs turned away with `ERR_PASSWORD_BUSY`.
    pub rejected: u64,
    /// Jobs that were called off.
    pub aborted: u64,
    /// How long half of the last hashes ran at most, in nanoseconds; `None` before the first.
    pub p50: Option<u64>,
    /// How long 99 % of them ran at most.
    pub p99: Option<u64>,
}

/// The book. `J` is a job; times are nanoseconds of a monotonic clock.
#[derive(Debug)]
pub(super) struct Admission<J> {
    bounds: Bounds,
    queue: VecDeque<Waiting<J>>,
    /// On the pool's threads.
    running: usize,
    /// On threads of their callers.
    held: usize,
    bytes: u64,
    completed: u64,
    rejected: u64,
    aborted: u64,
    latency: Latency,
}

#[derive(Debug)]
struct Waiting<J> {
    id: u64,
    bytes: u64,
    deadline: Option<u64>,
    job: J,
}

impl<J> Admission<J> {
    /// An empty book.
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            queue: VecDeque::new(),
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

    /// Sets other bounds; gives the waiting jobs that now never could run. Whoever waits keeps
    /// its deadline and its place, even beyond a smaller `max_queue`.
    pub(super) fn set_bounds(&mut self, bounds: Bounds) -> Vec<(J, Error)> {
        self.bounds = bounds;
        let leaving = self.extract(|waiting| waiting.bytes > bounds.max_memory);
        leaving.into_iter().map(|left| (left.job, too_large(left.bytes, bounds))).collect()
    }

    /// Takes a job in, at the end of the queue; [`Self::next`] says who may run.
    ///
    /// Given back with `ERR_PASSWORD_MEMORY` when it is larger than the whole budget, and with
    /// `ERR_PASSWORD_BUSY` when it would have to wait and the queue is full. A job without Argon2
    /// memory, such as the making of a key, waits its turn but is never turned away.
    ///
    /// Gives the moment at which it will have waited for too long, if there is one.
    pub(super) fn offer(
        &mut self,
        id: u64,
        bytes: u64,
        now: u64,
        job: J,
    ) -> std::result::Result<Option<u64>, (J, Error)> {
        if bytes > self.bounds.max_memory {
            return Err((job, too_large(bytes, self.bounds)));
        }
        let waits = bytes > 0 && !(self.queue.is_empty() && self.fits(bytes));
        if waits && self.queue.len() >= self.bounds.max_queue {
            return Err((job, self.reject()));
        }
        let deadline = waits.then(|| now.saturating_add(nanos(self.bounds.queue_timeout)));
        self.queue.push_back(Waiting { id, bytes, deadline, job });
        Ok(deadline)
    }

    /// The job at the head with its bytes, if it may run now: it then does, until
    /// [`Self::finish`].
    pub(super) fn next(&mut self) -> Option<(J, u64)> {
        let bytes = self.queue.front()?.bytes;
        if !self.fits(bytes) {
            return None;
        }
        self.running += 1;
        self.bytes += bytes;
        self.queue.pop_front().map(|waiting| (waiting.job, bytes))
    }

    /// A running job has ended, its memory with it.
    pub(super) fn finish(&mut self, bytes: u64, end: End) {
        self.running -= 1;
        self.settle(bytes, end);
    }

    /// Takes memory for a job on its caller's thread, which cannot wait: `ERR_PASSWORD_BUSY` when
    /// it does not fit beside what runs and what the head of the queue waits for.
    pub(super) fn hold(&mut self, bytes: u64) -> Result<()> {
        if bytes > self.bounds.max_memory {
            return Err(too_large(bytes, self.bounds));
        }
        let head = self.queue.front().map_or(0, |waiting| waiting.bytes);
        if self.bytes + head + bytes > self.bounds.max_memory {
            return Err(self.reject());
        }
        self.held += 1;
        self.bytes += bytes;
        Ok(())
    }

    /// What [`Self::hold`] took is free again.
    pub(super) fn release(&mut self, bytes: u64, end: End) {
        self.held -= 1;
        self.settle(bytes, end);
    }

    /// Takes a job out of the queue because it was called off.
    pub(super) fn abort(&mut self, id: u64) -> Option<J> {
        let index = self.queue.iter().position(|waiting| waiting.id == id)?;
        self.aborted += 1;
        self.queue.remove(index).map(|waiting| waiting.job)
    }

    /// Takes out of the queue whoever has waited for too long.
    pub(super) fn expire(&mut self, now: u64) -> Vec<(J, Error)> {
        let late = self.extract(|waiting| waiting.deadline.is_some_and(|at| at <= now));
        late.into_iter().map(|left| (left.job, self.reject())).collect()
    }

    /// When the first of those who wait has waited for too long.
    pub(super) fn next_deadline(&self) -> Option<u64> {
        self.queue.iter().filter_map(|waiting| waiting.deadline).min()
    }

    /// What the book says now.
    pub(super) fn counts(&self) -> Counts {
        Counts {
            running: self.running + self.held,
            queued: self.queue.len(),
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
            "too many passwords are being hashed; answer 503 with retryAfterMs, or see passwordPool.configure",
        )
        .retry_after(self.retry_after_ms())
    }

    /// When the queue as it is will have been worked off, judged by the median and by how many
    /// run now.
    fn retry_after_ms(&self) -> u64 {
        let waves = (self.queue.len() + 1).div_ceil(self.running.max(1)) as u64;
        let nanos = self.latency.percentile(50).unwrap_or(GUESSED_NANOS).saturating_mul(waves);
        nanos.div_ceil(1_000_000).max(1)
    }

    fn extract(&mut self, mut leaves: impl FnMut(&Waiting<J>) -> bool) -> Vec<Waiting<J>> {
        let queue = mem::take(&mut self.queue).into_iter();
        let (leaving, staying): (Vec<_>, Vec<_>) = queue.partition(|waiting| leaves(waiting));
        self.queue = staying.into();
        leaving
    }
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It ran for so many nanoseconds.
    After(u64),
    /// It was called off in mid-run.
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

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
