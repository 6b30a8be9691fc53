use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::*;
use crate::clock::{ManualClock, SystemClock};

const MIB: u64 = 1 << 20;

fn bounds(threads: usize) -> Bounds {
    let queue_timeout = Duration::from_secs(10);
    Bounds { threads, max_memory: 100 * MIB, max_queue: 10, queue_timeout }
}

fn pool(threads: usize) -> &'static Pool {
    Box::leak(Box::new(Pool::new(bounds(threads), Arc::new(SystemClock))))
}

fn submit<T: Send + 'static>(
    pool: &'static Pool,
    bytes: u64,
    work: impl FnOnce(&mut Delivery<T>, &Cancel) + Send + 'static,
) -> (JobHandle, Receiver<Result<T>>) {
    let (sender, receiver) = channel();
    let handle = JobHandle::new();
    pool.submit(&handle, bytes, work, move |result| sender.send(result).unwrap());
    (handle, receiver)
}

/// A job that holds its thread and `mib` MiB until the sender is used or dropped.
fn occupy(pool: &'static Pool, mib: u64) -> (Sender<()>, Receiver<Result<()>>) {
    let (gate, closed) = channel::<()>();
    let (_, done) = submit(pool, mib * MIB, move |delivery, _| {
        let _ = closed.recv();
        delivery.send(Ok(()));
    });
    (gate, done)
}

fn wait<T>(receiver: &Receiver<T>) -> T {
    receiver.recv_timeout(Duration::from_secs(10)).unwrap()
}

/// Waits until the pool's thread has finished its work after a result.
fn until(mut holds: impl FnMut() -> bool) {
    for _ in 0..10_000 {
        if holds() {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
    panic!("it never came to be");
}

#[test]
fn jobs_run_in_order_on_named_threads() {
    let pool = pool(1);
    let (gate, first) = occupy(pool, 0);
    let (order, seen) = channel();
    let later: Vec<_> = (0..5)
        .map(|number| {
            let order = order.clone();
            submit(pool, 0, move |delivery, _| {
                order.send((number, thread::current().name().unwrap().to_owned())).unwrap();
                delivery.send(Ok(()));
            })
        })
        .collect();
    gate.send(()).unwrap();
    wait(&first).unwrap();
    for (_, receiver) in &later {
        wait(receiver).unwrap();
    }
    let expected = (0..5).map(|number| (number, "nodesec-argon2-1".to_owned()));
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

#[test]
fn threads_start_as_needed_and_end_when_there_are_too_many() {
    let pool = pool(2);
    assert_eq!(pool.lock().threads, 0);
    let jobs: Vec<_> = (1..=3)
        .map(|jobs| {
            let job = occupy(pool, 1);
            assert_eq!(pool.lock().threads, jobs.min(2));
            job
        })
        .collect();
    pool.configure(bounds(3));
    assert_eq!(pool.lock().threads, 3);
    assert_eq!(pool.lock().admission.counts().running, 3);
    pool.configure(bounds(1));
    for (gate, done) in jobs {
        gate.send(()).unwrap();
        wait(&done).unwrap();
    }
    until(|| pool.lock().threads == 1 && pool.lock().idle == 1);
    let (_, receiver) = submit(pool, 1, |delivery, _| delivery.send(Ok(())));
    wait(&receiver).unwrap();
}

#[test]
fn memory_is_free_again_when_the_work_has_ended_and_not_before() {
    let pool = pool(4);
    let (gate, closed) = channel::<()>();
    let (_, done) = submit(pool, 60 * MIB, move |delivery, _| {
        delivery.send(Ok(()));
        // Simulates the time for wiping its memory.
        let _ = closed.recv();
    });
    wait(&done).unwrap();
    let (_, next) = submit(pool, 60 * MIB, |delivery, _| delivery.send(Ok(())));
    assert_eq!(pool.lock().admission.counts().bytes, 60 * MIB);
    assert!(next.try_recv().is_err());
    assert_eq!(pool.hold(60 * MIB).err().unwrap().code, Code::PasswordBusy);
    drop(gate);
    wait(&next).unwrap();
    until(|| pool.lock().admission.counts().bytes == 0);
    drop(pool.hold(60 * MIB).unwrap());
    let counts = pool.lock().admission.counts();
    assert_eq!((counts.bytes, counts.completed, counts.rejected), (0, 3, 1));
}

#[test]
fn queued_work_that_is_called_off_is_dropped_at_once_and_lets_others_pass() {
    let pool = pool(4);
    let (gate, first) = occupy(pool, 60);
    let (canary, dropped) = channel::<()>();
    let (handle, large) = submit(pool, 90 * MIB, move |delivery: &mut Delivery<()>, _| {
        drop(canary);
        delivery.send(Ok(()));
    });
    let (_, small) = submit(pool, 1, |delivery, _| delivery.send(Ok(())));
    assert!(small.try_recv().is_err());
    pool.cancel(&handle);
    // The job's inputs are dropped and its error is delivered before the call returns.
    assert_eq!(dropped.try_recv(), Err(std::sync::mpsc::TryRecvError::Disconnected));
    assert_eq!(large.try_recv().unwrap().unwrap_err().code, Code::Aborted);
    wait(&small).unwrap();
    drop(gate);
    wait(&first).unwrap();
    pool.cancel(&handle);
}

#[test]
fn running_work_learns_that_it_was_cancelled() {
    let pool = pool(1);
    let (begun, begins) = channel();
    let (handle, receiver) = submit::<()>(pool, MIB, move |delivery, cancel| {
        begun.send(()).unwrap();
        while cancel.check().is_ok() {
            thread::yield_now();
        }
        delivery.send(cancel.check());
    });
    wait(&begins);
    pool.cancel(&handle);
    assert_eq!(wait(&receiver).unwrap_err().code, Code::Aborted);
    until(|| pool.lock().admission.counts().aborted == 1);
}

#[test]
fn a_job_that_waits_too_long_is_refused_though_none_ends() {
    let clock = Arc::new(ManualClock::default());
    let pool: &Pool = Box::leak(Box::new(Pool::new(bounds(1), clock.clone())));
    let (gate, first) = occupy(pool, 1);
    let (_, late) = submit(pool, MIB, |delivery, _| delivery.send(Ok(())));
    clock.advance(Duration::from_secs(9));
    let (_, patient) = submit(pool, MIB, |delivery, _| delivery.send(Ok(())));
    pool.catch_up();
    assert!(late.try_recv().is_err());
    clock.advance(Duration::from_secs(1));
    pool.catch_up();
    let error = late.try_recv().unwrap().unwrap_err();
    assert_eq!((error.code, error.retry_after_ms), (Code::PasswordBusy, Some(200)));
    drop(gate);
    wait(&first).unwrap();
    wait(&patient).unwrap();
}

#[test]
fn the_timer_wakes_by_itself() {
    let pool = pool(1);
    pool.configure(Bounds { queue_timeout: Duration::from_millis(1), ..bounds(1) });
    let (gate, first) = occupy(pool, 1);
    let (_, late) = submit(pool, MIB, |delivery, _| delivery.send(Ok(())));
    assert_eq!(wait(&late).unwrap_err().code, Code::PasswordBusy);
    drop(gate);
    wait(&first).unwrap();
}

#[test]
fn a_smaller_budget_refuses_jobs_that_could_never_run() {
    let pool = pool(2);
    let (gate, first) = occupy(pool, 60);
    let (_, large) = submit(pool, 90 * MIB, |delivery, _| delivery.send(Ok(())));
    let (_, small) = submit(pool, MIB, |delivery, _| delivery.send(Ok(())));
    pool.configure(Bounds { max_memory: 80 * MIB, ..bounds(2) });
    assert_eq!(large.try_recv().unwrap().unwrap_err().code, Code::PasswordMemory);
    wait(&small).unwrap();
    drop(gate);
    wait(&first).unwrap();
}

#[test]
fn a_panic_is_delivered_and_survived() {
    let pool = pool(1);
    let (_, panicked) = submit::<()>(pool, MIB, |_, _| panic!("expected by this test"));
    assert_eq!(wait(&panicked).unwrap_err().code, Code::Internal);
    let (_, silent) = submit::<()>(pool, MIB, |_, _| {});
    assert_eq!(wait(&silent).unwrap_err().code, Code::Internal);
    let throw = |_: Result<()>| panic!("expected by this test");
    pool.submit(&JobHandle::new(), MIB, |delivery, _| delivery.send(Ok(())), throw);
    pool.submit(&JobHandle::new(), u64::MAX, |_, _| {}, throw);
    let (_, twice) = submit(pool, MIB, |delivery, _| {
        delivery.send(Ok(1));
        delivery.send(Ok(2));
    });
    assert_eq!((wait(&twice), twice.try_recv().is_err()), (Ok(1), true));
    until(|| pool.lock().admission.counts().bytes == 0);
}

#[test]
fn without_any_thread_the_error_is_delivered() {
    let mut pool = Pool::new(bounds(2), Arc::new(SystemClock));
    pool.spawn = |_, _| Err(io::ErrorKind::WouldBlock.into());
    let pool = Box::leak(Box::new(pool));
    let (_, receiver) = submit(pool, MIB, |delivery, _| delivery.send(Ok(())));
    assert_eq!(wait(&receiver).unwrap_err().code, Code::PasswordThreads);
    assert_eq!(pool.lock().admission.counts().bytes, 0);
}
