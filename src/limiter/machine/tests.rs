//! Tests a limiter on a file beside one in memory, and by several threads at once.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use std::{env, fs, process, thread};

use super::file::{self, Found};
use super::{MachineLimiter, MachineOptions};
use crate::clock::{Clock, ManualClock};
use crate::error::Code;
use crate::limiter::limit::{Limit, Limits, checked};
use crate::limiter::on_full::OnFull;
use crate::limiter::quota::Quota;
use crate::limiter::{Limiter, Stats, Terms};

/// The path of a file in memory, removed at the end.
pub(super) struct TestPath(pub PathBuf);

impl TestPath {
    pub(super) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("nodesec-machine-{}-{number}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder.join("limits"))
    }

    /// The limiter of the file, as a process of its own would map it.
    pub(super) fn map(&self, clock: &Arc<ManualClock>) -> MachineLimiter {
        let Found::File(opened) = file::find(&self.0).unwrap() else { panic!("no file") };
        MachineLimiter::mapped(opened, clock.clone()).unwrap()
    }

    /// A new file with this many keys.
    pub(super) fn make(&self, limits: &Limits, max_keys: usize, on_full: OnFull) -> Two {
        // Mappings of former tests' files may have been at the same number of a file.
        let (max_keys, on_full) = (Some(max_keys), Some(on_full));
        let clock = Arc::new(ManualClock::default());
        clock.advance(Duration::from_secs(1000));
        let options =
            MachineOptions { limits: Some(limits.clone()), max_keys, on_full, algorithm: None };
        drop(MachineLimiter::open(&self.0, &options).unwrap());
        Two { one: self.map(&clock), other: self.map(&clock), clock }
    }
}

impl Drop for TestPath {
    fn drop(&mut self) {
        fs::remove_dir_all(self.0.parent().unwrap()).unwrap();
    }
}

/// A file that is mapped twice.
pub(super) struct Two {
    pub one: MachineLimiter,
    pub other: MachineLimiter,
    pub clock: Arc<ManualClock>,
}

pub(super) fn named(name: &str, limit: u32, window_ms: u64, burst: Option<u32>) -> Limit {
    Limit::new(name, Quota::new(limit, window_ms, burst).unwrap()).unwrap()
}

pub(super) fn composed() -> Limits {
    let (fast, slow) = (named("fast", 5, 1000, None), named("slow", 20, 60_000, Some(8)));
    checked(vec![fast, slow, named("day", 100, 86_400_000, None)]).unwrap()
}

fn fixed() -> Limits {
    let window =
        |name, limit, ms| Limit::new(name, Quota::fixed_window(limit, ms).unwrap()).unwrap();
    checked(vec![window("fast", 5, 1000), window("slow", 12, 60_000)]).unwrap()
}

pub(super) fn one(limit: u32) -> Limits {
    checked(vec![named("default", limit, 3_600_000, None)]).unwrap()
}

/// Numbers that look random, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

#[test]
fn every_call_gives_the_result_of_a_limiter_in_memory() {
    for (limits, changed) in [
        (one(5), one(9)),
        (composed(), {
            let (fast, slow) = (named("fast", 9, 500, None), named("slow", 6, 60_000, Some(3)));
            checked(vec![fast, slow, named("day", 10, 86_400_000, None)]).unwrap()
        }),
        (fixed(), {
            let window = |name, limit, ms| {
                Limit::new(name, Quota::fixed_window(limit, ms).unwrap()).unwrap()
            };
            checked(vec![window("fast", 3, 700), window("slow", 20, 30_000)]).unwrap()
        }),
    ] {
        let path = TestPath::new();
        let Two { one, other, clock } = path.make(&limits, 1000, OnFull::Evict);
        let memory =
            Limiter::new(&limits, 1000, OnFull::Evict, Arc::clone(&clock) as Arc<dyn Clock>);
        let memory = memory.unwrap();
        let mut numbers = Numbers(7);
        let mut is_changed = false;
        for step in 0..30_000 {
            let machine = if numbers.below(2) == 0 { &one } else { &other };
            let key = numbers.below(40).to_string();
            let key = key.as_bytes();
            let cost = u32::try_from(1 + numbers.below(3)).unwrap();
            match numbers.below(100) {
                0..40 => {
                    assert_eq!(machine.consume(key, cost), memory.consume(key, cost), "{step}");
                }
                40..60 => assert_eq!(machine.check(key, cost), memory.check(key, cost), "{step}"),
                60..70 => assert_eq!(machine.peek(key, cost), memory.peek(key, cost), "{step}"),
                70..74 => {
                    assert_eq!(machine.refund(key, 4 * cost), memory.refund(key, 4 * cost));
                }
                74..76 => assert_eq!(machine.penalize(key, cost), memory.penalize(key, cost)),
                76..78 => assert_eq!(machine.reset(key), memory.reset(key), "{step}"),
                78..80 => assert_eq!(machine.block(key, 900), memory.block(key, 900)),
                80..83 => {
                    machine.unblock(key);
                    memory.unblock(key);
                }
                83..85 => {
                    let [a, b] = [machine.stats(), memory.stats()];
                    assert_eq!((a.keys, a.blocked, a.evictions), (b.keys, b.blocked, b.evictions));
                }
                85 if numbers.below(20) == 0 => {
                    is_changed = !is_changed;
                    let next = if is_changed { &changed } else { &limits };
                    assert_eq!(machine.set_limits(next), memory.set_limits(next));
                }
                86 if numbers.below(20) == 0 => {
                    machine.clear();
                    memory.clear();
                }
                _ => clock.advance(Duration::from_micros(numbers.below(90_000))),
            }
        }
        let bad = [0, 1000].map(|cost| [one.check(b"key", cost), memory.check(b"key", cost)]);
        for [machine, memory] in bad {
            assert_eq!(machine.unwrap_err(), memory.unwrap_err());
        }
        assert_eq!(one.block(b"key", 0).unwrap_err().code, Code::OutOfRange);
    }
}

/// Runs `body` on 8 threads that share two mappings.
fn on_threads(two: &Two, body: impl Fn(u32, &MachineLimiter) + Sync) {
    thread::scope(|scope| {
        for number in 0..8 {
            let limiter = if number % 2 == 0 { &two.one } else { &two.other };
            let body = &body;
            scope.spawn(move || body(number, limiter));
        }
    });
}

#[test]
fn threads_that_meet_at_new_keys_admit_each_exactly_its_limit() {
    let path = TestPath::new();
    let two = path.make(&one(3), 4000, OnFull::Deny);
    for round in 0..10_u32 {
        let admitted: Vec<AtomicU64> = (0..2000).map(|_| AtomicU64::new(0)).collect();
        on_threads(&two, |_, limiter| {
            for (number, admitted) in admitted.iter().enumerate() {
                let key = format!("{round} {number}");
                let allowed = limiter.check(key.as_bytes(), 1).unwrap();
                admitted.fetch_add(u64::from(allowed), Ordering::Relaxed);
            }
        });
        for (number, admitted) in admitted.into_iter().enumerate() {
            assert_eq!(admitted.into_inner(), 3, "key {number} of round {round}");
        }
        let Stats { keys, evictions, overflows, .. } = two.one.stats();
        assert_eq!((keys, evictions, overflows), (2000, 0, 0));
        // The keys of this round expire, and the next ones take their slots.
        two.clock.advance(Duration::from_secs(3600));
    }
}

#[test]
fn rivals_for_composed_limits_never_get_more_than_the_tightest_and_lose_none() {
    let path = TestPath::new();
    let limits =
        checked(vec![named("a", 1000, 3_600_000, None), named("b", 700, 86_400_000, None)]);
    let two = path.make(&limits.unwrap(), 100, OnFull::Evict);
    let admitted = AtomicU64::new(0);
    on_threads(&two, |number, limiter| {
        for step in 0..500 {
            let cost = (number + step) % 3 + 1;
            if limiter.check(b"key", cost).unwrap() {
                admitted.fetch_add(u64::from(cost), Ordering::Relaxed);
            }
        }
    });
    let left = two.one.peek(b"key", 1).unwrap();
    let left = left.decisions().iter().map(|decision| u64::from(decision.remaining));
    let admitted = admitted.into_inner();
    // The units of one limit were given back when the other refused.
    assert_eq!(left.collect::<Vec<_>>(), [1000 - admitted, 700 - admitted]);
}

#[test]
fn as_many_keys_as_max_keys_fit() {
    for limits in [one(5), composed()] {
        let path = TestPath::new();
        let two = path.make(&limits, 50_000, OnFull::Evict);
        // Keys come and go, so that slots are freed everywhere.
        for round in 0..3 {
            for number in 0..50_000 {
                assert!(two.one.check(format!("{round} {number}").as_bytes(), 1).unwrap());
            }
            let Stats { keys, evictions, overflows, .. } = two.other.stats();
            assert_eq!((keys, evictions, overflows), (50_000, 0, 0));
            two.clock.advance(Duration::from_secs(100_000));
        }
    }
}

#[test]
fn no_flood_of_keys_frees_a_blocked_one() {
    let path = TestPath::new();
    let two = path.make(&one(5), 2000, OnFull::Evict);
    let names: Vec<String> = (0..100).map(|number| format!("victim {number}")).collect();
    for (number, name) in names.iter().enumerate() {
        if number % 2 == 0 {
            two.one.check(name.as_bytes(), 5).unwrap();
        } else {
            two.one.block(name.as_bytes(), 1_000_000).unwrap();
        }
    }
    for cost in [1, 5] {
        for number in 0..20_000 {
            two.other.check(format!("{cost} {number}").as_bytes(), cost).unwrap();
        }
    }
    for name in &names {
        assert!(!two.one.check(name.as_bytes(), 1).unwrap(), "{name}");
    }
    let stats = two.one.stats();
    assert!(stats.evictions > 1000 && stats.overflows > 1000, "{stats:?}");
    // All slots are taken by blocked keys, so a block falls to the cell of newcomers.
    two.one.block(b"late", 60_000).unwrap();
    assert!(!two.other.check(b"late", 1).unwrap());
}

#[test]
fn a_full_table_that_denies_refuses_newcomers_only() {
    let path = TestPath::new();
    let two = path.make(&one(5), 100, OnFull::Deny);
    let keys: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
    let admitted: Vec<&String> =
        keys.iter().filter(|key| two.one.check(key.as_bytes(), 1).unwrap()).collect();
    assert!((100..200).contains(&admitted.len()), "{}", admitted.len());
    assert!(admitted.iter().all(|key| two.other.check(key.as_bytes(), 1).unwrap()));
    let refused = two.one.peek(b"another", 1).unwrap();
    assert!(!refused.allowed && refused.violated == 0 && refused.decision().retry_after_ns > 0);
    assert_eq!(two.one.stats().evictions, 0);
}

#[test]
fn other_processes_adopt_changed_limits_at_their_next_call() {
    let path = TestPath::new();
    let two = path.make(&composed(), 100, OnFull::Evict);
    two.one.check(b"key", 3).unwrap();
    for limit in [50, 6, 70] {
        let slow = named("slow", 20, 60_000, Some(8));
        let limits =
            vec![named("fast", limit, 1000, None), slow, named("day", 100, 86_400_000, None)];
        two.one.set_limits(&checked(limits).unwrap()).unwrap();
        let report = two.other.peek(b"key", 1).unwrap();
        assert_eq!(two.other.limits().0[0].quota().limit(), limit);
        assert_eq!(report.generation, two.one.limits().1);
        assert_eq!(report.terms()[0], Terms { limit, burst: limit, window_ms: 1000 });
    }
    let refused = two.one.set_limits(&one(5)).unwrap_err();
    assert_eq!(refused.code, Code::InvalidArgValue);
    // The same limits once more are no change.
    let (limits, generation) = two.other.limits();
    two.other.set_limits(&limits).unwrap();
    assert_eq!(two.one.limits().1, generation);
}

#[test]
fn a_process_has_one_mapping_of_a_file_and_ends_it_with_the_last_limiter() {
    let path = TestPath::new();
    let options = || MachineOptions { limits: Some(one(5)), ..MachineOptions::default() };
    let open = || MachineLimiter::open(&path.0, &options()).unwrap();
    let (first, second) = (open(), open());
    assert!(Arc::ptr_eq(&first, &second));
    first.check(b"key", 5).unwrap();
    let dropped = Arc::downgrade(&first);
    drop((first, second));
    assert!(dropped.upgrade().is_none());
    assert!(!open().check(b"key", 1).unwrap());
}
