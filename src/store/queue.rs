//! The changes that wait for the writer.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::batch::{Batch, Commit};
use super::fault::closed;
use super::row::Position;
use crate::error::{Code, Error, Result};

/// Gets the result of a change, on the thread of the writer. It must be quick and must not wait for
/// the store.
pub type Waiter = Box<dyn FnOnce(Result<Commit>) + Send>;

/// Called on the thread of the writer after all waiters of a transaction have their results.
pub type Told = Arc<dyn Fn() + Send + Sync>;

/// The most rows that wait, and the most bytes of records.
const MAX_WAITING: Load = Load { rows: 1 << 20, bytes: 256 << 20 };

/// The longest wait of the writer for the other changes of a caller.
const MORE: Duration = Duration::from_millis(1);

/// When the writer begins with a job, if it is idle.
pub(super) enum When {
    Now,
    /// When the caller has added its other jobs, or after [`MORE`].
    Soon(Told),
}

/// Work for the writer.
pub(super) enum Work {
    /// Changes, and the number of their rows that are already written.
    Change(Batch, usize),
    /// Deletes entries.
    Delete(Vec<Position>),
    /// Deletes entries whose `until` has come, from a position on.
    Expire(u64, Position),
}

/// Work with somebody who waits for its result.
pub(super) struct Job {
    pub(super) work: Work,
    /// The time at which the job fails if the database is still locked.
    pub(super) deadline: Instant,
    /// The entries that it has deleted so far.
    pub(super) deleted: u64,
    waiter: Option<Waiter>,
    told: Option<Told>,
    /// Its part of what waits, from the queue until it is finished.
    share: Option<Share>,
}

impl Job {
    pub(super) fn new(work: Work, wait: Duration, waiter: Waiter, when: When) -> Self {
        let told = match when {
            When::Now => None,
            When::Soon(told) => Some(told),
        };
        let deadline = Instant::now() + wait;
        Self { work, deadline, deleted: 0, waiter: Some(waiter), told, share: None }
    }

    /// Tells the result. The function that is returned must be called after the results of the
    /// whole transaction are told.
    #[must_use]
    pub(super) fn finish(mut self, result: Result<Commit>) -> Option<Told> {
        // Before the caller may add the next one.
        self.share = None;
        if let Some(waiter) = self.waiter.take() {
            waiter(result);
        }
        self.told.take()
    }

    fn load(&self) -> Load {
        match &self.work {
            Work::Change(batch, _) => Load { rows: batch.rows(), bytes: batch.bytes() },
            Work::Delete(positions) => Load { rows: positions.len(), bytes: 0 },
            Work::Expire(..) => Load { rows: 1, bytes: 0 },
        }
    }
}

/// A job that is dropped, for example by a panic, still tells that it failed.
impl Drop for Job {
    fn drop(&mut self) {
        self.share = None;
        if let Some(waiter) = self.waiter.take() {
            waiter(Err(closed()));
        }
        if let Some(told) = self.told.take() {
            told();
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Load {
    rows: usize,
    bytes: usize,
}

/// The load of all jobs that are not finished, wherever they are.
#[derive(Default)]
struct Waiting {
    rows: AtomicUsize,
    bytes: AtomicUsize,
}

impl Waiting {
    /// Adds a job, unless too much waits. One that is alone may be larger.
    fn add(self: &Arc<Self>, load: Load) -> Option<Share> {
        let [rows, bytes] = [&self.rows, &self.bytes].map(|sum| sum.load(Ordering::Relaxed));
        let is_too_much = rows.saturating_add(load.rows) > MAX_WAITING.rows
            || bytes.saturating_add(load.bytes) > MAX_WAITING.bytes;
        if rows > 0 && is_too_much {
            return None;
        }
        self.rows.fetch_add(load.rows, Ordering::Relaxed);
        self.bytes.fetch_add(load.bytes, Ordering::Relaxed);
        Some(Share { of: self.clone(), load })
    }
}

/// The part of a job.
struct Share {
    of: Arc<Waiting>,
    load: Load,
}

impl Drop for Share {
    fn drop(&mut self) {
        self.of.rows.fetch_sub(self.load.rows, Ordering::Relaxed);
        self.of.bytes.fetch_sub(self.load.bytes, Ordering::Relaxed);
    }
}

/// The queue between callers and the writer.
pub(super) struct Queue {
    state: Mutex<State>,
    /// Added to with the lock of the state.
    waiting: Arc<Waiting>,
    changed: Condvar,
    /// [`MORE`], unless a test waits for longer.
    more: Duration,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    is_closed: bool,
    /// Until when the writer waits for more, if all jobs are such that it does.
    more_until: Option<Instant>,
}

impl Default for Queue {
    fn default() -> Self {
        let waiting = Arc::default();
        Self { state: Mutex::default(), waiting, changed: Condvar::new(), more: MORE }
    }
}

impl Queue {
    /// Adds a job. Fails with `ERR_STORE_CLOSED`, or with `ERR_STORE_BUSY` if too much waits; the
    /// waiter is then not called.
    pub(super) fn add(&self, mut job: Job) -> Result<()> {
        let mut state = self.state();
        if !state.is_closed {
            job.share = self.waiting.add(job.load());
        }
        if job.share.is_none() {
            (job.waiter, job.told) = (None, None);
            return Err(if state.is_closed { closed() } else { too_many() });
        }
        let is_first = state.jobs.is_empty();
        let waits = job.told.is_some() && (is_first || state.more_until.is_some());
        state.jobs.push_back(job);
        if waits && !is_first {
            return Ok(());
        }
        state.more_until = waits.then(|| Instant::now() + self.more);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Has the writer wait for no more jobs.
    pub(super) fn begin(&self) {
        if self.state().more_until.take().is_some() {
            self.changed.notify_one();
        }
    }

    /// Takes all jobs. If there are none, waits at most `wait` for one, and for those that come
    /// with it. Returns whether the queue is closed, too.
    pub(super) fn take(&self, wait: Duration) -> (VecDeque<Job>, bool) {
        let idle = |state: &mut State| state.jobs.is_empty() && !state.is_closed;
        let mut state = self.wait(self.state(), wait, idle);
        if let Some(until) = state.more_until.filter(|_| !wait.is_zero()) {
            let rest = until.saturating_duration_since(Instant::now());
            let more = |state: &mut State| state.more_until.is_some() && !state.is_closed;
            state = self.wait(state, rest, more);
        }
        state.more_until = None;
        (std::mem::take(&mut state.jobs), state.is_closed)
    }

    /// Refuses jobs from now on.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.changed.notify_all();
    }

    fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        time: Duration,
        condition: impl FnMut(&mut State) -> bool,
    ) -> MutexGuard<'a, State> {
        let waited = self.changed.wait_timeout_while(state, time, condition);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn too_many() -> Error {
    Error::new(
        Code::StoreBusy,
        "too many changes wait to be written to the store; wait for earlier ones first",
    )
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    fn job(when: When) -> Job {
        Job::new(Work::Delete(Vec::new()), LONG, Box::new(drop), when)
    }

    fn soon() -> Job {
        job(When::Soon(Arc::new(|| ())))
    }

    #[test]
    fn jobs_of_one_turn_are_taken_together_after_its_end_or_with_a_job_that_does_not_wait() {
        let queue = &Queue { more: LONG, ..Queue::default() };
        let (tell, told) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(move || {
                for _ in 0..20 {
                    tell.send(queue.take(LONG).0.len()).unwrap();
                }
            });
            for round in 0..20 {
                for _ in 0..3 {
                    queue.add(soon()).unwrap();
                    // Time for the other thread to take too few.
                    thread::sleep(Duration::from_millis(1));
                }
                if round % 2 == 0 {
                    queue.begin();
                } else {
                    queue.add(job(When::Now)).unwrap();
                }
                assert_eq!(told.recv().unwrap(), 3 + round % 2);
            }
        });
    }

    #[test]
    fn a_turn_that_never_ends_holds_its_jobs_up_for_a_limited_time() {
        let queue = Queue::default();
        queue.add(soon()).unwrap();
        assert_eq!(queue.take(LONG).0.len(), 1);
    }

    #[test]
    fn a_job_counts_as_waiting_until_it_is_finished_or_dropped() {
        let queue = Queue::default();
        let add = |rows| {
            let work = Work::Delete(vec![Position::START; rows]);
            queue.add(Job::new(work, LONG, Box::new(drop), When::Now))
        };
        let is_refused = || add(1).is_err_and(|error| error.code == Code::StoreBusy);
        // One job alone may be larger.
        add(MAX_WAITING.rows + 1).unwrap();
        let (mut large, _) = queue.take(LONG);
        assert!(is_refused());
        drop(large.pop_front());
        add(MAX_WAITING.rows).unwrap();
        let (mut taken, _) = queue.take(LONG);
        assert!(is_refused());
        assert!(taken.pop_front().unwrap().finish(Ok(Commit::Conflict)).is_none());
        add(1).unwrap();
    }

    #[test]
    fn a_job_that_is_dropped_tells_its_waiter_and_then_that_all_are_told() {
        let (tell, told) = mpsc::channel();
        let tell_result = tell.clone();
        let waiter = Box::new(move |result: Result<Commit>| {
            tell_result.send(result.unwrap_err().code.as_str()).unwrap();
        });
        let when = When::Soon(Arc::new(move || tell.send("all").unwrap()));
        drop(Job::new(Work::Delete(Vec::new()), LONG, waiter, when));
        assert_eq!(told.iter().collect::<Vec<_>>(), ["ERR_STORE_CLOSED", "all"]);
    }
}
