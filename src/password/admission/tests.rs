use super::*;
use crate::testing::allocations::out_of_memory;
use crate::testing::steps::steps_of;

const MIB: u64 = 1 << 20;
const MILLI: u64 = 1_000_000;

fn book(threads: usize, mib: u64, max_queue: usize) -> Admission<u64> {
    Admission::new(Bounds {
        threads,
        max_memory: mib * MIB,
        max_queue,
        queue_timeout: Duration::from_secs(1),
    })
}

fn offer(book: &mut Admission<u64>, id: u64, mib: u64) -> Result<u64> {
    book.offer(mib * MIB, 0, id).map(|place| place.number).map_err(|(_, error)| error)
}

/// The jobs that may run now.
fn started(book: &mut Admission<u64>) -> Vec<u64> {
    std::iter::from_fn(|| book.next()).map(|(id, _)| id).collect()
}

/// The jobs that have waited for too long.
fn expired(book: &mut Admission<u64>, now: u64) -> Vec<(u64, Code)> {
    ids(std::iter::from_fn(|| book.expire(now)).collect())
}

fn ids(left: Vec<(u64, Error)>) -> Vec<(u64, Code)> {
    left.into_iter().map(|(id, error)| (id, error.code)).collect()
}

#[test]
fn as_many_jobs_run_as_threads_and_memory_allow() {
    for (threads, mib) in [(2, 1000), (1000, 130)] {
        let mut book = book(threads, mib, 10);
        for id in 0..5 {
            offer(&mut book, id, 64).unwrap();
        }
        assert_eq!(started(&mut book), [0, 1]);
        assert_eq!(book.counts().bytes, 128 * MIB);
        book.finish(64 * MIB, End::After(1));
        assert_eq!(started(&mut book), [2]);
        assert_eq!((book.counts().running, book.counts().queued), (2, 2));
    }
}

#[test]
fn no_job_overtakes_the_head_of_the_queue() {
    let mut book = book(8, 100, 10);
    for (id, mib) in [(0, 60), (1, 100), (2, 1), (3, 0)] {
        offer(&mut book, id, mib).unwrap();
    }
    assert_eq!(started(&mut book), [0]);
    book.finish(60 * MIB, End::After(1));
    assert_eq!(started(&mut book), [1]);
    // Later jobs may not use the remaining threads either: they wait for memory or behind job 2.
    assert!(started(&mut book).is_empty());
    book.finish(100 * MIB, End::After(1));
    assert_eq!(started(&mut book), [2, 3]);
}

#[test]
fn the_queue_is_bounded_and_jobs_that_run_at_once_do_not_count() {
    let mut book = book(1, 100, 2);
    offer(&mut book, 0, 50).unwrap();
    assert_eq!(started(&mut book), [0]);
    for id in [1, 2] {
        offer(&mut book, id, 50).unwrap();
    }
    assert_eq!(offer(&mut book, 3, 50).unwrap_err().code, Code::PasswordBusy);
    offer(&mut book, 4, 0).unwrap();
    assert_eq!((book.counts().queued, book.counts().rejected), (3, 1));

    let mut none = self::book(1, 100, 0);
    offer(&mut none, 0, 50).unwrap();
    assert_eq!(started(&mut none), [0]);
    assert_eq!(offer(&mut none, 1, 50).unwrap_err().code, Code::PasswordBusy);
}

#[test]
fn a_job_larger_than_the_budget_fails_at_once_and_names_the_numbers() {
    let mut book = book(1, 100, 2);
    for error in [offer(&mut book, 0, 101).unwrap_err(), book.hold(101 * MIB).unwrap_err()] {
        assert_eq!((error.code, error.retry_after_ms), (Code::PasswordMemory, None));
        assert!(error.message.contains("105906176") && error.message.contains("104857600"));
    }
    assert_eq!(book.counts(), Counts::default());
}

#[test]
fn a_job_that_waits_too_long_is_refused() {
    let mut book = book(1, 100, 10);
    offer(&mut book, 0, 50).unwrap();
    assert_eq!(started(&mut book), [0]);
    for (id, mib, now) in [(1, 50, 0), (2, 0, 1), (3, 50, 600 * MILLI)] {
        book.offer(mib * MIB, now, id).unwrap();
    }
    assert_eq!(book.next_deadline(), Some(1000 * MILLI));
    assert_eq!(expired(&mut book, 1000 * MILLI - 1), []);
    assert_eq!(expired(&mut book, 1000 * MILLI), [(1, Code::PasswordBusy)]);
    assert_eq!(book.next_deadline(), Some(1600 * MILLI));
    assert_eq!(expired(&mut book, u64::MAX - 1), [(3, Code::PasswordBusy)]);
    assert_eq!((book.counts().queued, book.counts().rejected), (1, 2));
}

#[test]
fn aborted_jobs_leave_the_queue_and_running_ones_keep_their_memory() {
    let mut book = book(1, 100, 10);
    let [first, second, _] = [0, 1, 2].map(|id| offer(&mut book, id, 50).unwrap());
    assert_eq!(started(&mut book), [0]);
    let aborted = [second, first, second].map(|number| book.abort(number));
    assert_eq!(aborted, [Some(1), None, None]);
    assert_eq!(book.counts().bytes, 50 * MIB);
    book.finish(50 * MIB, End::Aborted);
    assert_eq!(started(&mut book), [2]);
    let Counts { aborted, completed, .. } = book.counts();
    assert_eq!((aborted, completed, book.counts().p50), (2, 0, None));
}

#[test]
fn a_held_job_takes_only_memory_that_the_head_of_the_queue_does_not_need() {
    let mut book = book(2, 100, 10);
    book.hold(60 * MIB).unwrap();
    offer(&mut book, 0, 50).unwrap();
    assert!(started(&mut book).is_empty());
    assert_eq!(book.hold(10 * MIB).unwrap_err().code, Code::PasswordBusy);
    assert_eq!((book.counts().running, book.counts().bytes), (1, 60 * MIB));
    book.release(60 * MIB, End::After(1));
    assert_eq!(started(&mut book), [0]);
    book.hold(50 * MIB).unwrap();
}

#[test]
fn bounds_can_change_while_jobs_run_and_wait() {
    let mut book = book(1, 100, 10);
    for (id, mib) in [(0, 50), (1, 90), (2, 10), (3, 10)] {
        offer(&mut book, id, mib).unwrap();
    }
    assert_eq!(started(&mut book), [0]);
    let small = Bounds { threads: 4, max_memory: 60 * MIB, max_queue: 1, ..book.bounds() };
    assert_eq!(ids(book.set_bounds(small)), [(1, Code::PasswordMemory)]);
    assert_eq!(started(&mut book), [2]);
    assert_eq!(offer(&mut book, 4, 10).unwrap_err().code, Code::PasswordBusy);
    book.set_bounds(Bounds { max_memory: 20 * MIB, ..small });
    book.finish(50 * MIB, End::After(1));
    assert_eq!(started(&mut book), [3]);
}

#[test]
fn the_retry_is_estimated_from_the_median_and_the_queue() {
    let mut book = book(2, 1000, 3);
    for id in 0..2 {
        offer(&mut book, id, 1).unwrap();
    }
    started(&mut book);
    for id in 2..5 {
        offer(&mut book, id, 1).unwrap();
    }
    // Two waves of two jobs, first at the assumed duration, then at the measured one.
    assert_eq!(offer(&mut book, 9, 1).unwrap_err().retry_after_ms, Some(200));
    book.finish(MIB, End::After(30 * MILLI + 1));
    started(&mut book);
    offer(&mut book, 5, 1).unwrap();
    assert_eq!(offer(&mut book, 9, 1).unwrap_err().retry_after_ms, Some(61));
    assert_eq!((book.counts().p50, book.counts().completed), (Some(30 * MILLI + 1), 1));
}

#[test]
fn a_job_without_memory_is_no_hash_that_is_timed() {
    let mut book = book(1, 1000, 3);
    offer(&mut book, 0, 0).unwrap();
    started(&mut book);
    book.finish(0, End::After(5));
    assert_eq!((book.counts().completed, book.counts().p50), (1, None));
}

#[test]
fn a_job_leaves_a_long_queue_in_logarithmic_time() {
    type Leave = fn(&mut Admission<u64>, number: u64, now: u64) -> bool;
    const JOBS: u64 = 1 << 15;
    let orders: [fn(u64) -> u64; 3] =
        [|n| n, |n| JOBS - 1 - n, |n| n.wrapping_mul(0x9e3779b97f4a7c15) % JOBS];
    let leave: [Leave; 2] = [
        |book, number, _| book.abort(number).is_some(),
        |book, _, now| book.next_deadline() == Some(now) && book.expire(now).is_some(),
    ];
    for order in orders {
        for leave in leave {
            let mut book = Admission::new(Bounds {
                threads: 1,
                max_memory: MIB,
                max_queue: usize::MAX,
                queue_timeout: Duration::ZERO,
            });
            book.hold(MIB).unwrap();
            // The deadlines ascend, descend, or are in no order.
            for id in 0..JOBS {
                assert_eq!(book.offer(MIB, order(id), id).unwrap().number, id);
            }
            let steps = steps_of(|| {
                for n in 0..JOBS {
                    // More of them arrive meanwhile, and leave at once.
                    let place = book.offer(MIB, u64::MAX, 0).unwrap();
                    assert_eq!(book.abort(place.number), Some(0));
                    assert!(leave(&mut book, order(n), n));
                }
            });
            assert!(steps <= 100 * JOBS, "{steps}");
            assert_eq!((book.counts().queued, book.next_deadline()), (0, None));
            assert!(book.queue.len() <= 16 && book.deadlines.len() <= 16);
        }
    }
}

#[test]
fn jobs_that_leave_early_change_nothing_for_those_that_stay() {
    let mut book = book(1, 100, 1000);
    book.hold(100 * MIB).unwrap();
    let mut numbers: Vec<_> = (0..200).map(|id| offer(&mut book, id, 50).unwrap()).collect();
    for id in (0..200).filter(|id| id % 7 != 3) {
        assert_eq!(book.abort(numbers[id]), Some(id as u64));
    }
    numbers.push(offer(&mut book, 200, 50).unwrap());
    assert_eq!(book.abort(numbers[199]), Some(199));
    book.release(100 * MIB, End::Aborted);
    let mut order = Vec::new();
    while let [id] = started(&mut book)[..] {
        order.push(id);
        book.finish(50 * MIB, End::After(1));
    }
    let stayed = (0..200).filter(|id| id % 7 == 3 && *id != 199).chain([200]);
    assert_eq!(order, stayed.collect::<Vec<_>>());
    assert_eq!(book.counts().queued, 0);
}

#[test]
fn a_job_without_room_in_memory_is_given_back() {
    let mut book = book(1, 100, usize::MAX);
    book.hold(100 * MIB).unwrap();
    let mut refused = 0;
    for id in 0..5000 {
        for spared in 0..2 {
            let before = book.counts();
            match out_of_memory(1024, spared, || book.offer(MIB, 0, id)) {
                Ok(_) => break,
                Err((job, error)) => {
                    assert_eq!((job, error.code), (id, Code::PasswordMemory));
                    assert_eq!(book.counts(), before);
                    refused += 1;
                }
            }
        }
        if book.counts().queued as u64 == id {
            offer(&mut book, id, 1).unwrap();
        }
    }
    assert!(refused > 5, "{refused}");
    assert_eq!(book.next_deadline(), Some(1000 * MILLI));
}
