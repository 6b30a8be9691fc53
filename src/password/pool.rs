//! Worker threads of our own, one pool for the process and all its environments: started as they
//! are needed, up to the number of cores unless told otherwise. They belong to no environment, and
//! neither does a job.
//!
//! `admission` decides who runs; here are the threads that do, and one that keeps the time: it
//! turns away who has waited for too long and gives idle memory back to the system.

mod timer;

use std::any::Any;
use std::collections::VecDeque;
use std::io;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::admission::{Admission, End};
use super::cancel::Cancel;
use super::policy::Profile;
use crate::clock::{Clock, SystemClock};
use crate::error::{Code, Error, Result};
use crate::os::{Native, Platform};
use crate::password::memory;

pub use super::admission::{Bounds, Counts};

/// Jobs that wait, unless configured: enough for a burst, and at most a few MiB of passwords.
pub const DEFAULT_MAX_QUEUE: usize = 1024;

/// How long a job waits, unless configured: who asked has given up by then.
pub const DEFAULT_QUEUE_TIMEOUT: Duration = Duration::from_secs(30);

/// Enough for Argon2 by far: it keeps its memory in the arena and a few 1 KiB blocks on the stack.
const STACK_LEN: usize = 512 << 10;

/// What a machine is taken to have when the system does not say: 4 GiB.
const ASSUMED_CAPACITY: u64 = 4 << 30;

static POOL: LazyLock<Pool> = LazyLock::new(|| {
    let pool = Pool::new(default_bounds(), Arc::new(SystemClock));
    pool.bound_pages();
    pool
});

/// Takes in `work`, which needs so many bytes of Argon2 memory. `deliver` is called exactly once:
/// by `work` through its [`Delivery`]; with `ERR_INTERNAL` after `work` when that panicked or
/// delivered nothing; or with the reason why it does not run: `ERR_PASSWORD_MEMORY`,
/// `ERR_PASSWORD_BUSY`, `ABORT_ERR`, and `ERR_PASSWORD_THREADS` when the system gives no thread at
/// all.
///
/// The bytes count until `work` has returned, whatever becomes of who asked for it.
pub fn submit<T: 'static>(
    ticket: &Ticket,
    bytes: u64,
    work: impl FnOnce(&mut Delivery<T>, &Cancel) + Send + 'static,
    deliver: impl FnOnce(Result<T>) + Send + 'static,
) {
    POOL.submit(ticket, bytes, work, deliver);
}

/// Calls a job off: out of the queue at once, its inputs wiped; in mid-run at the next slice.
pub fn cancel(ticket: &Ticket) {
    POOL.cancel(ticket);
}

/// Takes memory for a job on this thread. It cannot wait: `ERR_PASSWORD_BUSY` when the bytes do
/// not fit beside what runs and what the head of the queue waits for.
pub fn hold(bytes: u64) -> Result<Hold> {
    POOL.hold(bytes)
}

/// The bounds now.
pub fn bounds() -> Bounds {
    POOL.lock().admission.bounds()
}

/// Sets other bounds. Running jobs run on, waiting ones keep their place and deadline, except that
/// those larger than the whole new budget fail with `ERR_PASSWORD_MEMORY`.
pub fn configure(bounds: Bounds) {
    POOL.configure(bounds);
}

/// What the pool does now.
pub fn counts() -> Counts {
    POOL.lock().admission.counts()
}

/// A job's name, to call it off by.
#[derive(Debug)]
pub struct Ticket {
    id: u64,
    cancel: Cancel,
}

impl Ticket {
    /// A ticket for one job.
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { id: NEXT.fetch_add(1, Ordering::Relaxed), cancel: Cancel::default() }
    }
}

impl Default for Ticket {
    fn default() -> Self {
        Self::new()
    }
}

/// The way of a result to whoever waits for it, open once.
pub struct Delivery<T> {
    deliver: Option<Box<dyn FnOnce(Result<T>) + Send>>,
}

impl<T> Delivery<T> {
    /// Hands a result on; the first one counts, later ones are dropped.
    pub fn send(&mut self, result: Result<T>) {
        if let Some(deliver) = self.deliver.take() {
            deliver(result);
        }
    }
}

/// Memory of a job on its caller's thread, until dropped.
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

struct Pool {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    work_arrived: Condvar,
    time_changed: Condvar,
    spawn: fn(&'static Pool, Role) -> io::Result<()>,
}

/// What a thread of the pool does all its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Worker(usize),
    Timer,
}

struct State {
    admission: Admission<Job>,
    /// Admitted, and not yet with a thread.
    ready: VecDeque<(Job, u64)>,
    threads: usize,
    /// Threads without a job, be they asleep, woken or only just started.
    idle: usize,
    timer: timer::Due,
}

/// What is to be done, with the way of its result.
struct Job {
    cancel: Cancel,
    settle: Box<dyn FnOnce(Fate<'_>) + Send>,
}

enum Fate<'a> {
    Run(&'a Cancel),
    Refused(Error),
}

impl Pool {
    fn new(bounds: Bounds, clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            state: Mutex::new(State {
                admission: Admission::new(bounds),
                ready: VecDeque::new(),
                threads: 0,
                idle: 0,
                timer: timer::Due::default(),
            }),
            work_arrived: Condvar::new(),
            time_changed: Condvar::new(),
            spawn,
        }
    }

    fn submit<T: 'static>(
        &'static self,
        ticket: &Ticket,
        bytes: u64,
        work: impl FnOnce(&mut Delivery<T>, &Cancel) + Send + 'static,
        deliver: impl FnOnce(Result<T>) + Send + 'static,
    ) {
        let settle = move |fate: Fate<'_>| settle(fate, work, deliver);
        let job = Job { cancel: ticket.cancel.clone(), settle: Box::new(settle) };
        let now = self.clock.monotonic_nanos();
        let mut state = self.lock();
        match state.admission.offer(ticket.id, bytes, now, job) {
            Ok(deadline) => self.move_on(state, deadline),
            Err(refused) => {
                drop(state);
                refuse(refused);
            }
        }
    }

    fn cancel(&'static self, ticket: &Ticket) {
        ticket.cancel.cancel();
        let mut state = self.lock();
        if let Some(job) = state.admission.abort(ticket.id) {
            // It may have been the one that the others waited behind.
            self.move_on(state, None);
            if let Err(error) = ticket.cancel.check() {
                refuse((job, error));
            }
        }
    }

    fn hold(&'static self, bytes: u64) -> Result<Hold> {
        self.lock().admission.hold(bytes)?;
        Ok(Hold { pool: self, bytes, since: self.clock.monotonic_nanos() })
    }

    fn configure(&'static self, bounds: Bounds) {
        let mut state = self.lock();
        let leaving = state.admission.set_bounds(bounds);
        self.move_on(state, None);
        self.bound_pages();
        // Threads that are too many now, and idle, end.
        self.work_arrived.notify_all();
        leaving.into_iter().for_each(refuse);
    }

    fn bound_pages(&self) {
        let Bounds { threads, max_memory, .. } = self.lock().admission.bounds();
        memory::configure(usize::try_from(max_memory).unwrap_or(usize::MAX), threads);
    }

    /// Gives a thread to everyone who may run now, and the timer its next appointment, with a job
    /// that has just been taken in.
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
                    // Fewer threads still serve everyone.
                    Err(_) if state.threads > 0 => {}
                    Err(_) => unserved.extend(state.turn_away_ready()),
                }
            }
        }
        for _ in 0..state.ready.len() {
            self.work_arrived.notify_one();
        }
        self.appoint(&mut state, deadline);
        drop(state);
        unserved.into_iter().for_each(refuse);
    }

    /// The life of a worker.
    fn serve(&'static self) {
        while let Some((job, bytes)) = self.next() {
            let since = self.clock.monotonic_nanos();
            let cancel = job.cancel.clone();
            // `settle` lets no panic of the work through; this one is for what it delivers to.
            forget_panic(catch_unwind(AssertUnwindSafe(|| (job.settle)(Fate::Run(&cancel)))));
            let end = if cancel.is_cancelled() {
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

    /// The next job; `None` when there are more threads than there should be.
    fn next(&self) -> Option<(Job, u64)> {
        let mut state = self.lock();
        loop {
            if state.threads > state.admission.bounds().threads {
                state.threads -= 1;
                state.idle -= 1;
                // It may have been woken for a job that now is another's.
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

    /// No job runs under the lock, so that a poisoned one still holds a consistent state.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Nobody will ever run what is ready.
    fn turn_away_ready(&mut self) -> Vec<(Job, Error)> {
        let ready: Vec<_> = self.ready.drain(..).collect();
        let turn_away = |(job, bytes)| {
            self.admission.finish(bytes, End::Aborted);
            let message = "no thread for hashing; raise the process's limit of threads or memory";
            (job, Error::new(Code::PasswordThreads, message))
        };
        ready.into_iter().map(turn_away).collect()
    }
}

/// The machine's cores; a quarter of its memory, or of the control group's, and enough for one
/// hash of the default policy in any case.
fn default_bounds() -> Bounds {
    let quarter = Native::memory_capacity().unwrap_or(ASSUMED_CAPACITY) / 4;
    let (default_memory_cost, ..) = Profile::default().costs();
    Bounds {
        threads: thread::available_parallelism().map_or(1, NonZero::get),
        max_memory: quarter.max(u64::from(default_memory_cost) * 1024),
        max_queue: DEFAULT_MAX_QUEUE,
        queue_timeout: DEFAULT_QUEUE_TIMEOUT,
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

fn settle<T>(
    fate: Fate<'_>,
    work: impl FnOnce(&mut Delivery<T>, &Cancel),
    deliver: impl FnOnce(Result<T>) + Send + 'static,
) {
    let cancel = match fate {
        Fate::Run(cancel) => cancel,
        Fate::Refused(error) => {
            // Its inputs are wiped before anyone hears of it.
            drop(work);
            return deliver(Err(error));
        }
    };
    let mut delivery = Delivery { deliver: Some(Box::new(deliver)) };
    forget_panic(catch_unwind(AssertUnwindSafe(|| work(&mut delivery, cancel))));
    delivery.send(Err(Error::new(
        Code::Internal,
        "hashing failed unexpectedly; report it to the maintainers of @nodesec/native",
    )));
}

fn refuse((job, error): (Job, Error)) {
    forget_panic(catch_unwind(AssertUnwindSafe(|| (job.settle)(Fate::Refused(error)))));
}

/// Drops what was thrown, which may itself panic when dropped; the panic hook has reported it.
fn forget_panic(outcome: std::result::Result<(), Box<dyn Any + Send>>) {
    if let Err(payload) = outcome {
        std::mem::forget(payload);
    }
}

#[cfg(test)]
mod tests;
