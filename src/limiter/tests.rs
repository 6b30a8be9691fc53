//! Tests the behaviour of a limiter, on a clock that moves only when told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::*;
use crate::clock::{Clock, ManualClock, SystemClock};
use crate::error::Code;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn limiter(quota: Quota) -> (Limiter, Arc<ManualClock>) {
    with(&Limit::only(quota).unwrap(), 1024, OnFull::Evict)
}

/// A limiter on a clock of its own.
fn with(limits: &Limits, max_keys: usize, on_full: OnFull) -> (Limiter, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::default());
    (Limiter::new(limits, max_keys, on_full, Arc::clone(&clock) as Arc<dyn Clock>).unwrap(), clock)
}

fn consume(limiter: &Limiter, key: &[u8], cost: u32) -> Decision {
    limiter.consume(key, cost).unwrap().decision()
}

fn peek(limiter: &Limiter, key: &[u8]) -> Decision {
    limiter.peek(key, 1).unwrap().decision()
}

/// `limit` units per second.
fn per_second(limit: u32, burst: Option<u32>) -> (Limiter, Arc<ManualClock>) {
    limiter(Quota::new(limit, 1000, burst).unwrap())
}

fn drain(limiter: &Limiter, key: &[u8]) -> u32 {
    let admitted = (0..10_000).find(|_| !limiter.check(key, 1).unwrap());
    admitted.expect("a call is refused at last")
}

#[test]
fn decisions_follow_gcra_step_by_step() {
    // Milliseconds to wait, cost, allowed, remaining, retry after and reset in milliseconds.
    type Step = (u64, u32, bool, u32, u64, u64);
    let table: [(u32, Option<u32>, &[Step]); 3] = [
        // 10 per second, 10 at once: T is 100 ms.
        (
            10,
            None,
            &[
                (0, 1, true, 9, 0, 100),
                (0, 4, true, 5, 0, 500),
                (0, 6, false, 5, 100, 500),
                (0, 5, true, 0, 0, 1000),
                (0, 1, false, 0, 100, 1000),
                (99, 1, false, 0, 1, 901),
                (1, 1, true, 0, 0, 1000),
                (250, 3, false, 2, 50, 750),
                (5000, 10, true, 0, 0, 1000),
            ],
        ),
        // 10 per second, one at a time.
        (
            10,
            Some(1),
            &[
                (0, 1, true, 0, 0, 100),
                (50, 1, false, 0, 50, 50),
                (50, 1, true, 0, 0, 100),
                (101, 1, true, 0, 0, 100),
            ],
        ),
        // 2 per second, but 6 at once after a rest: T is 500 ms.
        (
            2,
            Some(6),
            &[
                (0, 6, true, 0, 0, 3000),
                (500, 2, false, 1, 500, 2500),
                (500, 2, true, 0, 0, 3000),
                (3000, 0, true, 6, 0, 0),
            ],
        ),
    ];
    for (limit, burst, steps) in table {
        let (limiter, clock) = per_second(limit, burst);
        for (at, &(wait, cost, allowed, remaining, retry_after, reset)) in steps.iter().enumerate()
        {
            clock.advance(Duration::from_millis(wait));
            // A cost of 0 in the table is a peek.
            let decision = match cost {
                0 => peek(&limiter, b"key"),
                cost => consume(&limiter, b"key", cost),
            };
            let expected = Decision {
                allowed,
                remaining,
                retry_after_ns: retry_after * 1_000_000,
                reset_ns: reset * 1_000_000,
            };
            assert_eq!(decision, expected, "limit {limit}, burst {burst:?}, step {at}");
        }
    }
}

#[test]
fn waiting_for_retry_after_is_enough_and_a_nanosecond_less_is_not() {
    for (limit, window_ms, burst, cost) in
        [(3, 1000, None, 2), (7, 1000, Some(20), 13), (1, 86_400_000, None, 1)]
    {
        let (limiter, clock) = limiter(Quota::new(limit, window_ms, burst).unwrap());
        drain(&limiter, b"key");
        clock.advance(Duration::from_nanos(12345));
        let wait = consume(&limiter, b"key", cost).retry_after_ns;
        clock.advance(Duration::from_nanos(wait - 1));
        assert_eq!(consume(&limiter, b"key", cost).retry_after_ns, 1);
        clock.advance(Duration::from_nanos(1));
        assert!(limiter.check(b"key", cost).unwrap());
    }
}

#[test]
fn a_window_brings_back_the_limit() {
    for limit in [1, 3, 7, 999_983] {
        let (limiter, clock) = per_second(limit, None);
        assert!(limiter.check(b"key", limit).unwrap());
        clock.advance(Duration::from_secs(1));
        assert_eq!(peek(&limiter, b"key").remaining, limit);
    }
}

#[test]
fn denials_and_peeks_write_nothing() {
    let (limiter, clock) = per_second(10, None);
    assert!(limiter.check(b"key", 8).unwrap());
    let before = peek(&limiter, b"key");
    for _ in 0..100 {
        assert!(!limiter.check(b"key", 3).unwrap());
        assert_eq!(peek(&limiter, b"key"), before);
    }
    clock.advance(Duration::from_millis(100));
    assert!(limiter.check(b"key", 3).unwrap());
}

#[test]
fn peek_sees_what_consume_left_and_foresees_the_next() {
    let (limiter, clock) = per_second(5, Some(3));
    for step in 0..40 {
        let foreseen = peek(&limiter, b"key");
        let made = consume(&limiter, b"key", 1);
        assert_eq!(made.allowed, foreseen.allowed);
        assert_eq!(made.remaining, foreseen.remaining - u32::from(made.allowed));
        assert_eq!(made.retry_after_ns, foreseen.retry_after_ns);
        let after = peek(&limiter, b"key");
        assert_eq!((after.remaining, after.reset_ns), (made.remaining, made.reset_ns));
        clock.advance(Duration::from_millis(step * 7));
    }
}

#[test]
fn reset_forgets_the_debt_of_a_key() {
    let (limiter, clock) = per_second(2, None);
    assert!(!limiter.reset(b"key"));
    assert_eq!(drain(&limiter, b"key"), 2);
    assert!(limiter.reset(b"key"));
    assert!(!limiter.reset(b"key"));
    assert_eq!(drain(&limiter, b"key"), 2);
    clock.advance(Duration::from_secs(1));
    assert!(!limiter.reset(b"key"), "a key that has recovered is as good as new");
}

#[test]
fn a_refund_begins_no_fixed_window() {
    let (limiter, clock) = limiter(Quota::fixed_window(2, 1000).unwrap());
    assert!(limiter.check(b"key", 1).unwrap());
    clock.advance(Duration::from_secs(2));
    limiter.refund(b"key", 1).unwrap();
    assert_eq!((peek(&limiter, b"key").reset_ns, limiter.stats().keys), (0, 0));
}

#[test]
fn any_bytes_are_a_key_and_keys_do_not_share_a_quota() {
    let (limiter, _) = per_second(1, None);
    let long = vec![7; 1 << 20];
    for key in [&b""[..], b"a", b"\0", b"\0\0", b"\xff\xfe", &long, &long[1..]] {
        assert!(limiter.check(key, 1).unwrap());
        assert!(!limiter.check(key, 1).unwrap());
    }
    assert_eq!((limiter.stats().capacity, limiter.stats().evictions), (1024, 0));
}

#[test]
fn costs_that_cannot_be_met_are_errors_not_denials() {
    let (limiter, _) = per_second(10, Some(5));
    assert_eq!(limiter.check(b"key", 0).unwrap_err().code, Code::OutOfRange);
    assert_eq!(limiter.consume(b"key", 6).unwrap_err().code, Code::LimitCost);
    assert_eq!(limiter.check(b"key", u32::MAX).unwrap_err().code, Code::LimitCost);
    assert_eq!(peek(&limiter, b"key").remaining, 5);
}

#[test]
fn max_keys_outside_its_limits_is_refused() {
    for max_keys in [0, MIN_MAX_KEYS - 1, MAX_MAX_KEYS + 1, usize::MAX] {
        let clock = Arc::new(ManualClock::default());
        let limits = Limit::only(Quota::new(1, 1, None).unwrap()).unwrap();
        let made = Limiter::new(&limits, max_keys, OnFull::Evict, clock);
        assert_eq!(made.err().unwrap().code, Code::OutOfRange);
    }
}

#[test]
fn windows_beyond_the_range_of_timers_are_kept() {
    let (limiter, clock) = limiter(Quota::new(1, 60 * 24 * 60 * 60 * 1000, None).unwrap());
    assert!(limiter.check(b"key", 1).unwrap());
    clock.advance(59 * DAY);
    let denied = consume(&limiter, b"key", 1);
    assert!(!denied.allowed);
    assert_eq!(u128::from(denied.retry_after_ns), DAY.as_nanos());
    clock.advance(DAY);
    assert!(limiter.check(b"key", 1).unwrap());
}

#[test]
fn extreme_quotas_neither_overflow_nor_stick() {
    // The longest possible debt, a century late on the clock; and the shortest interval.
    let longest = Quota::new(1, MAX_WINDOW_MS, Some(145)).unwrap();
    let shortest = Quota::new(MAX_UNITS, 1, None).unwrap();
    for quota in [longest, shortest] {
        let (limiter, clock) = limiter(quota);
        for _ in 0..2 {
            let all = consume(&limiter, b"key", quota.burst());
            assert!(all.allowed);
            assert_eq!((all.remaining, all.reset_ns), (0, quota.capacity()));
            let denied = consume(&limiter, b"key", quota.burst());
            assert_eq!(denied.retry_after_ns, quota.capacity());
            clock.advance(Duration::from_nanos(denied.retry_after_ns));
        }
    }
}

#[test]
fn threads_together_get_the_burst_and_no_more() {
    let (limiter, _clock) = per_second(1000, Some(10_000));
    let admitted = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for thread in 0..8_u32 {
            let (limiter, admitted) = (&limiter, &admitted);
            scope.spawn(move || {
                for step in 0..5000 {
                    let cost = (thread + step) % 3 + 1;
                    if limiter.check(b"key", cost).unwrap() {
                        admitted.fetch_add(u64::from(cost), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(admitted.into_inner() + u64::from(peek(&limiter, b"key").remaining), 10_000);
}

#[test]
fn a_limiter_works_on_the_system_clock() {
    let quota = Quota::new(1, 3_600_000, Some(2)).unwrap();
    let limits = Limit::only(quota).unwrap();
    let clock = Arc::new(SystemClock);
    let limiter = Limiter::new(&limits, MIN_MAX_KEYS, OnFull::Evict, clock).unwrap();
    assert_eq!(drain(&limiter, b"key"), 2);
    assert!(peek(&limiter, b"key").retry_after_ns <= quota.interval());
}

#[test]
fn newcomers_that_are_allowed_in_a_full_table_are_neither_counted_nor_blocked_by_others() {
    let limits = Limit::only(Quota::new(1, 60_000, None).unwrap()).unwrap();
    let (limiter, clock) = with(&limits, 8, OnFull::Allow);
    for key in 0..1000_u32 {
        let key = key.to_le_bytes();
        limiter.check(&key, 1).unwrap();
        limiter.block(&key, 3_600_000).unwrap();
        limiter.penalize(&key, 1).unwrap();
    }
    // A key has no slot if it is not refused after its unit is used.
    let is_counted =
        |key: &[u8]| !limiter.check(key, 1).unwrap() || !limiter.check(key, 1).unwrap();
    let blocked = (0..1000_u32).filter(|key| is_counted(&key.to_le_bytes())).count();
    assert!((8..100).contains(&blocked), "{blocked}");
    assert!((1000..2000_u32).all(|key| !is_counted(&key.to_le_bytes())));
    clock.advance(Duration::from_secs(3601));
    assert!(is_counted(b"later"));
}
