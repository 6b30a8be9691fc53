//! Tests of snapshots: a restored limiter decides as the one before, or refuses more.

use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use super::*;
use crate::clock::{Clock, ManualClock};
use crate::error::Code;

const HOUR: u64 = 3_600_000;

/// A limiter on a clock of its own.
struct Original {
    limiter: Limiter,
    limits: Limits,
    max_keys: usize,
    on_full: OnFull,
    clock: Arc<ManualClock>,
}

fn gcra() -> Limits {
    let limit = |name, limit, ms| Limit::new(name, Quota::new(limit, ms, None).unwrap()).unwrap();
    checked(vec![limit("hour", 5, HOUR), limit("day", 12, 24 * HOUR)]).unwrap()
}

fn fixed() -> Limits {
    let window =
        |name, limit, ms| Limit::new(name, Quota::fixed_window(limit, ms).unwrap()).unwrap();
    checked(vec![window("hour", 5, HOUR), window("day", 12, 24 * HOUR)]).unwrap()
}

impl Original {
    fn new(limits: Limits, max_keys: usize, on_full: OnFull) -> Self {
        let clock = Arc::new(ManualClock::at(1_800_000_000));
        let limiter = Limiter::new(&limits, max_keys, on_full, clock.clone()).unwrap();
        Self { limiter, limits, max_keys, on_full, clock }
    }

    /// With more blocked keys than slots, so that overflow cells have debts and blocks.
    fn overflowing(limits: Limits, max_keys: usize, on_full: OnFull) -> Self {
        let this = Self::new(limits, max_keys, on_full);
        for number in 0..max_keys {
            if number % 10 == 0 {
                this.limiter.block(key("blocked", number).as_bytes(), 2 * HOUR).unwrap();
            }
            if number % 3 == 0 {
                // In debt and not blocked, so it may be forgotten.
                this.limiter.check(key("partly", number).as_bytes(), 2).unwrap();
            }
            this.clock.advance(Duration::from_millis(1));
        }
        for number in 0..2 * max_keys {
            this.limiter.check(key("used", number).as_bytes(), 5).unwrap();
            this.limiter.check(key("one", number).as_bytes(), 1).unwrap();
        }
        for number in 0..=max_keys / 50 {
            this.limiter.block(key("late", number).as_bytes(), 3 * HOUR).unwrap();
            this.limiter.penalize(key("penalty", number).as_bytes(), 7).unwrap();
        }
        this
    }

    fn keys(&self) -> impl Iterator<Item = String> {
        let names = ["blocked", "partly", "used", "one", "late", "penalty", "new"];
        let count = 2 * self.max_keys;
        names.into_iter().flat_map(move |name| (0..count).map(move |number| key(name, number)))
    }

    fn restore(&self, limits: &Limits, max_keys: usize) -> Limiter {
        let bytes = self.limiter.snapshot().unwrap();
        Limiter::restore(&bytes, limits, max_keys, self.on_full, self.clock.clone()).unwrap()
    }
}

fn key(name: &str, number: usize) -> String {
    format!("{name} {number}")
}

#[test]
fn a_limiter_of_the_same_form_decides_every_key_as_before() {
    for limits in [gcra(), fixed()] {
        for (max_keys, on_full) in [(8, OnFull::Evict), (600, OnFull::Evict), (600, OnFull::Deny)] {
            let original = Original::overflowing(limits.clone(), max_keys, on_full);
            let restored = original.restore(&limits, max_keys);
            let [before, after] = [&original.limiter, &restored].map(Limiter::stats);
            assert_eq!((before.keys, before.blocked), (after.keys, after.blocked));
            let mut overflowing = 0;
            for key in original.keys() {
                let [before, after] = [&original.limiter, &restored]
                    .map(|each| each.peek(key.as_bytes(), 1).unwrap());
                assert_eq!(before, after, "{key}");
                overflowing += u32::from(key.starts_with("new") && !before.allowed);
            }
            assert!(overflowing > 0, "no cell decides");
            // And later, when blocks and debts end.
            for hours in [1, 2, 4, 30] {
                original.clock.advance(Duration::from_millis(hours * HOUR / 2));
                for key in original.keys() {
                    let [before, after] = [&original.limiter, &restored]
                        .map(|each| each.consume(key.as_bytes(), 1).unwrap());
                    assert_eq!(before, after, "{key} after {hours} half hours more");
                }
            }
        }
    }
}

#[test]
fn a_limiter_of_another_form_frees_no_key() {
    let another = |limits: &Limits| {
        let more = Limit::new("minute", *limits[0].quota()).unwrap();
        let [hour, day] =
            [0, 1].map(|at: usize| Limit::new(limits[at].name(), *limits[at].quota()).unwrap());
        checked(vec![day, more, hour]).unwrap()
    };
    for limits in [gcra(), fixed()] {
        for max_keys in [8, 600] {
            let original = Original::overflowing(limits.clone(), max_keys, OnFull::Evict);
            for (other_keys, other_limits) in [
                (8, limits.clone()),
                (300, limits.clone()),
                (100_000, limits.clone()),
                (1 << 20, limits.clone()),
                (max_keys, another(&limits)),
                (3 * max_keys, another(&limits)),
            ] {
                let restored = original.restore(&other_limits, other_keys);
                for key in original.keys() {
                    let [before, after] = [&original.limiter, &restored]
                        .map(|each| each.peek(key.as_bytes(), 1).unwrap());
                    if before.allowed {
                        continue;
                    }
                    assert!(!after.allowed, "{key} {max_keys} {other_keys}");
                    for (former, limit) in before.decisions().iter().zip(limits.iter()) {
                        let mut named = after.decisions().iter().zip(other_limits.iter());
                        let named = named.find(|(_, other)| other.name() == limit.name()).unwrap();
                        assert!(
                            named.0.reset_ns >= former.reset_ns,
                            "{key} {max_keys} {other_keys}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn a_larger_table_forgets_no_key_and_raises_only_its_overflow_cells() {
    let original = Original::new(gcra(), 3000, OnFull::Evict);
    for (number, cost) in (0..3000).zip((1..=5).cycle()) {
        original.limiter.check(key("used", number).as_bytes(), cost).unwrap();
    }
    for max_keys in [3001, 20_000, 1 << 20] {
        let restored = original.restore(&original.limits, max_keys);
        for key in original.keys() {
            let [before, after] =
                [&original.limiter, &restored].map(|each| each.peek(key.as_bytes(), 1).unwrap());
            assert_eq!(before, after, "{key}");
        }
        assert_eq!((restored.stats().evictions, restored.stats().overflows), (0, 0));
    }
}

#[test]
fn restored_keys_are_in_the_snapshot_of_the_restored_limiter() {
    let original = Original::overflowing(gcra(), 1000, OnFull::Evict);
    let bytes = original.limiter.snapshot().unwrap();
    let restored = original.restore(&original.limits, original.max_keys);
    assert_eq!(restored.snapshot().unwrap(), bytes);
}

#[test]
fn a_snapshot_whose_parts_do_not_fit_together_is_refused() {
    let original = Original::overflowing(gcra(), 8, OnFull::Evict);
    let bytes = original.limiter.snapshot().unwrap();
    let body = &bytes[..bytes.len() - 8];
    let mut refused = 0;
    // Under a right checksum, so that only the form of the body decides. It must not panic.
    for at in 34..body.len() {
        for value in [0, 1, 0x80, 0xff] {
            let mut body = body.to_vec();
            body[at] = value;
            let checksum = original.limiter.fingerprinter.checksum(&body);
            body.extend_from_slice(&checksum.to_le_bytes());
            let restored =
                Limiter::restore(&body, &original.limits, 8, OnFull::Evict, original.clock.clone());
            if let Err(error) = restored {
                assert_eq!(error.code, Code::LimitSnapshot, "byte {at} is {value}");
                refused += 1;
            }
        }
    }
    assert!(refused > 100, "{refused}");
}

/// A clock on which an hour passes, in which others use a limiter, each time that the wall clock is
/// read: a snapshot does so before it writes the keys.
#[derive(Default)]
struct Interrupted {
    clock: ManualClock,
    limiter: OnceLock<Weak<Limiter>>,
}

impl Interrupted {
    fn use_all(&self) {
        if let Some(limiter) = self.limiter.get().and_then(Weak::upgrade) {
            for number in 0..5000 {
                limiter.check(key("used", number).as_bytes(), 1).unwrap();
            }
        }
    }
}

impl Clock for Interrupted {
    fn unix_millis(&self) -> u64 {
        let before = self.clock.unix_millis();
        self.clock.advance(Duration::from_millis(HOUR));
        self.use_all();
        before
    }

    fn monotonic_nanos(&self) -> u64 {
        self.clock.monotonic_nanos()
    }

    fn boot_id(&self) -> Option<String> {
        self.clock.boot_id()
    }

    fn latest_unix_millis(&self) -> u64 {
        self.clock.latest_unix_millis()
    }
}

#[test]
fn a_key_whose_slot_expires_during_a_snapshot_is_in_it_once() {
    for quota in [Quota::new(5, HOUR, None).unwrap(), Quota::fixed_window(5, HOUR).unwrap()] {
        let limits = Limit::only(quota).unwrap();
        let clock = Arc::new(Interrupted::default());
        let limiter = Limiter::new(&limits, 5000, OnFull::Evict, clock.clone()).unwrap();
        let limiter = Arc::new(limiter);
        clock.limiter.set(Arc::downgrade(&limiter)).unwrap();
        clock.use_all();
        let bytes = limiter.snapshot().unwrap();
        let clock = Arc::new(ManualClock::default());
        let restored = Limiter::restore(&bytes, &limits, 5000, OnFull::Evict, clock).unwrap();
        assert_eq!(restored.stats().keys, 5000);
    }
}

#[test]
fn a_snapshot_during_a_change_of_the_limits_has_the_debts_of_its_limits() {
    let original = Original::new(gcra(), 1000, OnFull::Evict);
    let longer = {
        let limit = |at: usize, ms| {
            let limit: &Limit = &original.limits[at];
            Limit::new(limit.name(), Quota::new(1, ms, None).unwrap()).unwrap()
        };
        checked(vec![limit(0, 48 * HOUR), limit(1, 96 * HOUR)]).unwrap()
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..200 {
                let limits = if round % 2 == 0 { &longer } else { &original.limits };
                original.limiter.set_limits(limits).unwrap();
            }
        });
        for number in 0..200 {
            original.limiter.penalize(key("used", number).as_bytes(), 1).unwrap();
            let bytes = original.limiter.snapshot().unwrap();
            let restored = Limiter::restore(
                &bytes,
                &original.limits,
                1000,
                OnFull::Evict,
                original.clock.clone(),
            );
            let report = restored.unwrap().peek(key("used", number).as_bytes(), 1).unwrap();
            assert!(report.decision().reset_ns > 0);
        }
    });
}
