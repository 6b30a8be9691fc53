//! Worker threads for jobs that take milliseconds, first in, first out.
//!
//! As many threads as there are cores, started when first needed, one pool for the process and
//! all its JavaScript environments. They never end: a job belongs to no environment.

use std::any::Any;
use std::collections::VecDeque;
use std::io;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::error::{Code, Error, Result};

/// Enough for Argon2 by far: it keeps its memory in the arena and a few 1 KiB blocks on the stack.
const STACK_LEN: usize = 512 << 10;

static POOL: LazyLock<Pool> =
    LazyLock::new(|| Pool::new(thread::available_parallelism().map_or(1, NonZero::get)));

/// Queues `work` for a worker thread. `deliver` is called exactly once: by `work` through its
/// [`Delivery`]; with `ERR_INTERNAL` after `work` when that panicked or delivered nothing; or at
/// once, on this thread, with `ERR_PASSWORD_THREADS` when the system gives no thread at all.
pub fn submit<T: 'static>(
    work: impl FnOnce(&mut Delivery<T>) + Send + 'static,
    deliver: impl FnOnce(Result<T>) + Send + 'static,
) {
    POOL.submit(work, deliver);
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

type Job = Box<dyn FnOnce() + Send>;

struct Pool {
    max_threads: usize,
    state: Mutex<State>,
    work_arrived: Condvar,
    spawn: fn(&'static Pool, usize) -> io::Result<()>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Job>,
    threads: usize,
    idle: usize,
}

impl Pool {
    const fn new(max_threads: usize) -> Self {
        Self {
            max_threads,
            state: Mutex::new(State { queue: VecDeque::new(), threads: 0, idle: 0 }),
            work_arrived: Condvar::new(),
            spawn: spawn_worker,
        }
    }

    fn submit<T: 'static>(
        &'static self,
        work: impl FnOnce(&mut Delivery<T>) + Send + 'static,
        deliver: impl FnOnce(Result<T>) + Send + 'static,
    ) {
        let mut state = self.lock();
        // A worker that has been woken but has not run yet still counts as idle, hence the
        // comparison with the whole queue.
        if state.queue.len() >= state.idle && state.threads < self.max_threads {
            match (self.spawn)(self, state.threads + 1) {
                Ok(()) => state.threads += 1,
                // Fewer threads than cores still serve the queue.
                Err(_) if state.threads > 0 => {}
                Err(_) => {
                    drop(state);
                    return deliver(Err(Error::new(
                        Code::PasswordThreads,
                        "no thread for hashing; raise the process's limit of threads or memory",
                    )));
                }
            }
        }
        state.queue.push_back(Box::new(move || run(work, deliver)));
        drop(state);
        self.work_arrived.notify_one();
    }

    /// The life of a worker.
    fn serve(&self) {
        loop {
            let job = self.next();
            // `run` lets no panic of the work through; this one is for what it delivers to.
            forget_panic(catch_unwind(AssertUnwindSafe(job)));
        }
    }

    fn next(&self) -> Job {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.queue.pop_front() {
                return job;
            }
            state.idle += 1;
            state = self.work_arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    /// No job runs under the lock, so that a poisoned one still holds a consistent state.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn spawn_worker(pool: &'static Pool, number: usize) -> io::Result<()> {
    thread::Builder::new()
        .name(format!("nodesec-argon2-{number}"))
        .stack_size(STACK_LEN)
        .spawn(move || pool.serve())
        .map(drop)
}

fn run<T>(work: impl FnOnce(&mut Delivery<T>), deliver: impl FnOnce(Result<T>) + Send + 'static) {
    let mut delivery = Delivery { deliver: Some(Box::new(deliver)) };
    forget_panic(catch_unwind(AssertUnwindSafe(|| work(&mut delivery))));
    delivery.send(Err(Error::new(
        Code::Internal,
        "hashing failed unexpectedly; report it to the maintainers of @nodesec/native",
    )));
}

/// Drops what was thrown, which may itself panic when dropped; the panic hook has reported it.
fn forget_panic(outcome: std::result::Result<(), Box<dyn Any + Send>>) {
    if let Err(payload) = outcome {
        std::mem::forget(payload);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;

    use super::*;

    fn pool(threads: usize) -> &'static Pool {
        Box::leak(Box::new(Pool::new(threads)))
    }

    fn submit<T: Send + 'static>(
        pool: &'static Pool,
        work: impl FnOnce(&mut Delivery<T>) + Send + 'static,
    ) -> Receiver<Result<T>> {
        let (sender, receiver) = channel();
        pool.submit(work, move |result| sender.send(result).unwrap());
        receiver
    }

    fn wait<T>(receiver: &Receiver<T>) -> T {
        receiver.recv_timeout(Duration::from_secs(10)).unwrap()
    }

    #[test]
    fn jobs_run_in_order_on_named_threads() {
        let pool = pool(1);
        let (gate, closed) = channel::<()>();
        let first = submit(pool, move |delivery| {
            closed.recv().unwrap();
            delivery.send(Ok(thread::current().name().unwrap().to_owned()));
        });
        let (order, seen) = channel();
        let later: Vec<_> = (0..5)
            .map(|number| {
                let order = order.clone();
                submit(pool, move |delivery| {
                    order.send(number).unwrap();
                    delivery.send(Ok(()));
                })
            })
            .collect();
        gate.send(()).unwrap();
        assert_eq!(wait(&first).unwrap(), "nodesec-argon2-1");
        for receiver in &later {
            wait(receiver).unwrap();
        }
        assert_eq!(seen.try_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        assert_eq!(pool.lock().threads, 1);
    }

    #[test]
    fn threads_start_as_needed_up_to_the_limit() {
        let pool = pool(2);
        assert_eq!(pool.lock().threads, 0);
        let gates: Vec<_> = (1..=3)
            .map(|jobs| {
                let (gate, closed) = channel::<()>();
                let done = submit(pool, move |delivery| {
                    closed.recv().unwrap();
                    delivery.send(Ok(()));
                });
                assert_eq!(pool.lock().threads, jobs.min(2));
                (gate, done)
            })
            .collect();
        for (gate, done) in gates {
            gate.send(()).unwrap();
            wait(&done).unwrap();
        }
    }

    #[test]
    fn a_panic_is_delivered_and_survived() {
        let pool = pool(1);
        let panicked = submit::<()>(pool, |_| panic!("expected by this test"));
        assert_eq!(wait(&panicked).unwrap_err().code, Code::Internal);
        let silent = submit::<()>(pool, |_| {});
        assert_eq!(wait(&silent).unwrap_err().code, Code::Internal);
        pool.submit(|delivery| delivery.send(Ok(())), |_| panic!("expected by this test"));
        let twice = submit(pool, |delivery| {
            delivery.send(Ok(1));
            delivery.send(Ok(2));
        });
        assert_eq!((wait(&twice), twice.try_recv().is_err()), (Ok(1), true));
    }

    #[test]
    fn without_any_thread_the_error_is_delivered() {
        let mut pool = Pool::new(2);
        pool.spawn = |_, _| Err(io::ErrorKind::WouldBlock.into());
        let receiver = submit(Box::leak(Box::new(pool)), |delivery| delivery.send(Ok(())));
        assert_eq!(wait(&receiver).unwrap_err().code, Code::PasswordThreads);
    }
}
