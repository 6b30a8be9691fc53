//! The threads of a pool: workers that run the jobs that `admission` selects, and a timer that
//! refuses jobs that have waited for too long and returns idle memory to the system. The workers
//! cannot do the timer's work, because all of them may be busy hashing.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::queued::{Delivery, JobHandle, QueuedJob};
use super::timer::Timer;
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::password::admission::{Admission, Bounds, Counts, End};
use crate::password::cancel::Cancel;
use crate::password::memory;

/// Far more than Argon2 needs: it keeps its memory in the arena and a few 1 KiB blocks on the
/// stack.
const STACK_LEN: usize = 512 << 10;

/// Memory held for a job on its caller's thread, until dropped.
pub struct Hold {
    pool: &'static Pool,
    bytes: u64,
    since: u64,
}

impl Drop for Hold {
    fn drop(&mut self) {
        let end = End::After(self.pool.clock.monotonic_nanos().saturating_sub(self.since));
        let mut state = self.pool.lock();
        state.admission.release(self.bytes, end);
        self.pool.move_on(state, None);
    }
}

/// A pool of threads.
pub(super) struct Pool {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    work_arrived: Condvar,
    time_changed: Condvar,
    spawn: fn(&'static Self, Role) -> io::Result<()>,
}

/// The role of a thread for its whole life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Worker(usize),
    Timer,
}

struct State {
    admission: Admission<QueuedJob>,
    /// Admitted jobs that have no thread yet.
    ready: VecDeque<(QueuedJob, u64)>,
    threads: usize,
    /// Threads without a job: asleep, woken or just started.
    idle: usize,
    timer: Timer,
    timer_runs: bool,
}

impl Pool {
    pub(super) fn new(bounds: Bounds, clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            state: Mutex::new(State {
                admission: Admission::new(bounds),
                ready: VecDeque::new(),
                threads: 0,
                idle: 0,
                timer: Timer::default(),
                timer_runs: false,
            }),
            work_arrived: Condvar::new(),
            time_changed: Condvar::new(),
            spawn,
        }
    }

    pub(super) fn submit<T: 'static>(
        &'static self,
        handle: &JobHandle,
        bytes: u64,
        work: impl FnOnce(&mut Delivery<T>, &Cancel) + Send + 'static,
        deliver: impl FnOnce(Result<T>) + Send + 'static,
    ) {
        let job = QueuedJob::new(handle, work, deliver);
        let now = self.clock.monotonic_nanos();
        let mut state = self.lock();
        match state.admission.offer(bytes, now, job) {
            Ok(place) => {
                handle.number.get_or_init(|| place.number);
                self.move_on(state, place.deadline);
            }
            Err((job, error)) => {
                drop(state);
                job.refuse(error);
            }
        }
    }

    pub(super) fn cancel(&'static self, handle: &JobHandle) {
        handle.cancel.cancel();
        let mut state = self.lock();
        let number = handle.number.get().copied();
        if let Some(job) = number.and_then(|number| state.admission.abort(number)) {
            // Jobs may have waited behind the cancelled one.
            self.move_on(state, None);
            if let Err(error) = handle.cancel.check() {
                job.refuse(error);
            }
        }
    }

    pub(super) fn hold(&'static self, bytes: u64) -> Result<Hold> {
        self.lock().admission.hold(bytes)?;
        Ok(Hold { pool: self, bytes, since: self.clock.monotonic_nanos() })
    }

    pub(super) fn bounds(&self) -> Bounds {
        self.lock().admission.bounds()
    }

    pub(super) fn counts(&self) -> Counts {
        self.lock().admission.counts()
    }

    pub(super) fn configure(&'static self, bounds: Bounds) {
        let mut state = self.lock();
        let leaving = state.admission.set_bounds(bounds);
        self.move_on(state, None);
        self.bound_pages();
        // Idle threads above the new number end.
        self.work_arrived.notify_all();
        refuse(leaving);
    }

    /// Tells the memory cache how much memory these bounds allow it to keep.
    pub(super) fn bound_pages(&self) {
        let Bounds { threads, max_memory, .. } = self.bounds();
        memory::configure(usize::try_from(max_memory).unwrap_or(usize::MAX), threads);
    }

    /// Gives a thread to every job that may run now, and schedules the timer. `deadline` is the
    /// deadline of a job that has just been submitted.
    fn move_on(&'static self, mut state: MutexGuard<'_, State>, deadline: Option<u64>) {
        let mut unserved = Vec::new();
        while let Some(admitted) = state.admission.next() {
            state.ready.push_back(admitted);
            if state.ready.len() > state.idle && state.threads < state.admission.bounds().threads {
                match (self.spawn)(self, Role::Worker(state.threads + 1)) {
                    Ok(()) => {
                        state.threads += 1;
                        state.idle += 1;
                    }
                    // Fewer threads can still run every job.
                    Err(_) if state.threads > 0 => {}
                    Err(_) => unserved.extend(state.take_ready()),
                }
            }
        }
        for _ in 0..state.ready.len() {
            self.work_arrived.notify_one();
        }
        self.appoint(&mut state, deadline);
        drop(state);
        refuse(unserved);
    }

    /// Ensures that the timer runs and wakes in time.
    fn appoint(&'static self, state: &mut State, deadline: Option<u64>) {
        let must_wake = state.timer.appoint(deadline, self.clock.monotonic_nanos());
        if !state.timer_runs {
            // If the thread cannot be started, no job is refused for its wait and idle memory is
            // kept. The next call tries again.
            state.timer_runs = (self.spawn)(self, Role::Timer).is_ok();
        } else if must_wake {
            self.time_changed.notify_one();
        }
    }

    /// The main loop of a worker.
    fn serve(&'static self) {
        while let Some((job, bytes)) = self.next() {
            let since = self.clock.monotonic_nanos();
            let end = if job.run() {
                End::Aborted
            } else {
                End::After(self.clock.monotonic_nanos().saturating_sub(since))
            };
            let mut state = self.lock();
            state.admission.finish(bytes, end);
            state.idle += 1;
            self.move_on(state, None);
        }
    }

    /// The next job; `None` if there are more threads than configured.
    fn next(&self) -> Option<(QueuedJob, u64)> {
        let mut state = self.lock();
        loop {
            if state.threads > state.admission.bounds().threads {
                state.threads -= 1;
                state.idle -= 1;
                // This thread may have been woken for a job that now needs another thread.
                self.work_arrived.notify_one();
                return None;
            }
            if let Some(job) = state.ready.pop_front() {
                state.idle -= 1;
                return Some(job);
            }
            state = self.work_arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The main loop of the timer.
    fn keep_time(&'static self) {
        loop {
            self.catch_up();
            let mut state = self.lock();
            let Some(left) = state.timer.sleep(self.clock.monotonic_nanos()) else { continue };
            let waited = self.time_changed.wait_timeout(state, left);
            drop(waited.unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Refuses late jobs, and checks kept memory if that is due.
    fn catch_up(&'static self) {
        let now = self.clock.monotonic_nanos();
        let mut state = self.lock();
        while let Some((job, error)) = state.admission.expire(now) {
            // Jobs may have waited behind this one.
            self.move_on(state, None);
            job.refuse(error);
            state = self.lock();
        }
        let next_deadline = state.admission.next_deadline();
        let looks_at_memory = state.timer.catch_up(next_deadline, now);
        drop(state);
        if looks_at_memory && let Some(left) = memory::release_idle() {
            self.lock().timer.look_at_memory_after(left, now);
        }
    }

    /// No job runs under the lock, so the state is consistent even if the lock is poisoned.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes the ready jobs, which no thread can run, each with its error.
    fn take_ready(&mut self) -> Vec<(QueuedJob, Error)> {
        let ready: Vec<_> = self.ready.drain(..).collect();
        let refused = |(job, bytes)| {
            self.admission.finish(bytes, End::Aborted);
            let message = "no thread can be started for hashing; raise the process's limit on \
                           threads or memory";
            (job, Error::new(Code::PasswordThreads, message))
        };
        ready.into_iter().map(refused).collect()
    }
}

fn spawn(pool: &'static Pool, role: Role) -> io::Result<()> {
    let (name, life): (_, fn(&'static Pool)) = match role {
        Role::Worker(number) => (format!("nodesec-argon2-{number}"), Pool::serve),
        Role::Timer => ("nodesec-timer".to_owned(), Pool::keep_time),
    };
    let builder = thread::Builder::new().name(name).stack_size(STACK_LEN);
    builder.spawn(move || life(pool)).map(drop)
}

fn refuse(jobs: Vec<(QueuedJob, Error)>) {
    for (job, error) in jobs {
        job.refuse(error);
    }
}

#[cfg(test)]
mod tests;
