//! Tests of full tables: their content, the powers of an attacker who chooses the keys, the price
//! in requests. docs/limits.md has the table.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::clock::ManualClock;
use crate::error::Code;
use crate::limiter::slots::Found;
use crate::testing::allocations::{allocated_by, out_of_memory};

const MINUTE: u64 = 60_000;

struct Spray {
    limiter: Limiter,
    clock: Arc<ManualClock>,
    sent: u32,
}

impl Spray {
    fn new(quotas: &[Quota], max_keys: usize, on_full: OnFull) -> Self {
        let named = quotas.iter().enumerate();
        let limits = named.map(|(n, quota)| Limit::new(&n.to_string(), *quota).unwrap());
        let limits = checked(limits.collect()).unwrap();
        let clock = Arc::new(ManualClock::default());
        let limiter = Limiter::new(&limits, max_keys, on_full, clock.clone()).unwrap();
        Self { limiter, clock, sent: 0 }
    }

    /// `limit` a minute.
    fn a_minute(limit: u32, burst: Option<u32>, max_keys: usize) -> Self {
        let quota = Quota::new(limit, MINUTE, burst).unwrap();
        Self::new(&[quota], max_keys, OnFull::Evict)
    }

    /// `hits` requests of this cost from each of `keys` new keys. Returns how many were allowed.
    fn send(&mut self, keys: u32, hits: u32, cost: u32) -> u32 {
        let mut allowed = 0;
        for key in self.sent..self.sent + keys {
            for _ in 0..hits {
                allowed += u32::from(self.limiter.check(&key.to_be_bytes(), cost).unwrap());
            }
        }
        self.sent += keys;
        allowed
    }
}

/// Keys that have used all their units.
fn victims(limiter: &Limiter, count: u32) -> Vec<Vec<u8>> {
    let victims: Vec<_> = (0..count).map(|n| format!("victim {n}").into_bytes()).collect();
    for key in &victims {
        assert!((0..10_000).any(|_| !limiter.check(key, 1).unwrap()));
    }
    victims
}

fn freed(limiter: &Limiter, victims: &[Vec<u8>]) -> usize {
    victims.iter().filter(|key| limiter.peek(key, 1).unwrap().allowed).count()
}

#[test]
fn a_million_keys_of_cost_one_fit_a_table_for_a_million_keys() {
    for (limits, bytes_per_key) in [(1, 24), (2, 32), (3, 40), (4, 48)] {
        let quotas = vec![Quota::new(5, MINUTE, None).unwrap(); limits];
        let mut spray = Spray::new(&quotas, 1_000_000, OnFull::Evict);
        assert_eq!(spray.send(1_000_000, 1, 1), 1_000_000);
        let stats = spray.limiter.stats();
        assert_eq!((stats.keys, stats.evictions, stats.overflows), (1_000_000, 0, 0), "{limits}");
        let held = spray.limiter.table.bytes();
        assert!(held <= 1_000_000 * bytes_per_key, "{held} bytes for {limits} limits");
    }
}

#[test]
fn ten_million_expired_keys_pass_through_without_loss_or_growth() {
    let mut spray = Spray::a_minute(5, None, 1_000_000);
    spray.send(1_000_000, 1, 1);
    // A twelfth of a minute brings one unit back. In each step a tenth of the keys recovers, and as
    // many come.
    let tenth = Duration::from_millis(MINUTE / 5 / 10);
    spray.clock.advance(Duration::from_millis(MINUTE));
    for _ in 0..10 {
        spray.send(100_000, 1, 1);
        spray.clock.advance(tenth);
    }
    let ((), allocated) = allocated_by(|| {
        for _ in 0..100 {
            spray.send(100_000, 1, 1);
            spray.clock.advance(tenth);
        }
    });
    assert_eq!(allocated, 0);
    let stats = spray.limiter.stats();
    assert_eq!((stats.keys, stats.evictions, stats.overflows), (900_000, 0, 0));
}

#[test]
fn keys_that_recover_and_come_back_keep_their_slots() {
    let mut spray = Spray::a_minute(60, None, 5000);
    // So many keys in debt that the table has its full size.
    spray.send(5000, 1, 1);
    spray.clock.advance(Duration::from_millis(MINUTE));
    let limiter = &spray.limiter;
    // All keys are new in the first round. Before the second, other keys have taken the slots of
    // some: of 38 with a standard deviation of 9, over 150 secrets. Then each key has its own.
    for (round, most) in [5000, 100, 0, 0].into_iter().enumerate() {
        let mut displaced = 0;
        for key in 0..5000_u16 {
            let key = key.to_be_bytes();
            let fingerprint = limiter.fingerprinter.of(&key);
            let found: Found = limiter.table.shard(fingerprint).find(fingerprint, limiter.now());
            displaced += u32::from(found.place.is_none());
            assert!(limiter.check(&key, 1).unwrap());
            // It recovers before the next one comes.
            spray.clock.advance(Duration::from_secs(1));
        }
        assert!(displaced <= most, "{displaced} in round {round}");
    }
}

#[test]
fn growing_takes_little_more_memory_than_the_grown_table() {
    let ((), allocated) = allocated_by(|| {
        let mut spray = Spray::a_minute(5, None, 1_000_000);
        spray.send(1_000_000, 1, 1);
    });
    // All sizes that the shards had, of which one is held while it is copied.
    assert!(allocated <= 2 * 24_000_000 + (8 << 20), "{allocated}");
}

#[test]
fn no_small_table_loses_a_key_below_max_keys() {
    for max_keys in [8, 9, 15, 16, 17, 30, 64, 100, 400, 1000, 2500, 5000, 20_000] {
        for limits in [1, 4] {
            let quotas = vec![Quota::new(5, MINUTE, None).unwrap(); limits];
            for _ in 0..20 {
                let mut spray = Spray::new(&quotas, max_keys, OnFull::Deny);
                let keys = u32::try_from(max_keys).unwrap();
                assert_eq!(spray.send(keys, 1, 1), keys, "{max_keys} keys, {limits} limits");
                assert_eq!(spray.limiter.stats().keys, max_keys);
            }
        }
    }
}

#[test]
fn no_spray_frees_a_blocked_key() {
    for max_keys in [100_000, 1 << 20] {
        // Hits and cost of each key of the spray, limit and burst.
        for (hits, cost, limit, burst) in
            [(1, 1, 5, None), (5, 1, 5, None), (1, 5, 5, None), (1, 1, 1, None), (1, 1, 5, Some(1))]
        {
            let mut spray = Spray::a_minute(limit, burst, max_keys);
            let victims = victims(&spray.limiter, 1000);
            spray.send(u32::try_from(2 * max_keys).unwrap(), hits, cost);
            assert_eq!(freed(&spray.limiter, &victims), 0, "{max_keys} {hits} {cost} {limit}");
        }
    }
}

#[test]
fn no_spray_frees_a_key_that_one_of_several_limits_blocks() {
    let quotas =
        [Quota::new(3, MINUTE, None).unwrap(), Quota::new(100, 60 * MINUTE, None).unwrap()];
    let mut spray = Spray::new(&quotas, 10_000, OnFull::Evict);
    let victims = victims(&spray.limiter, 100);
    spray.send(100_000, 3, 1);
    spray.send(100_000, 1, 1);
    assert_eq!(freed(&spray.limiter, &victims), 0);
}

#[test]
fn a_key_of_a_table_full_of_blocked_keys_shares_the_units_of_one_key() {
    let mut spray = Spray::a_minute(5, None, 1000);
    spray.send(10_000, 1, 5);
    let evicted = spray.limiter.stats().evictions;
    assert_eq!(evicted, 0);
    // The cells have nothing left either.
    let allowed = spray.send(1000, 1, 1);
    assert_eq!(allowed, 0);
    assert!(spray.limiter.stats().overflows >= 8000);
    let report = spray.limiter.peek(b"new", 1).unwrap();
    assert_eq!((report.allowed, report.violated), (false, 1));
    spray.clock.advance(Duration::from_millis(MINUTE));
    assert!(spray.limiter.check(b"new", 5).unwrap(), "everybody has recovered");
}

#[test]
fn a_newcomer_with_a_slot_starts_with_the_debt_it_may_have_had_without() {
    let mut spray = Spray::a_minute(5, None, 8);
    spray.send(1000, 1, 5);
    spray.clock.advance(Duration::from_millis(MINUTE / 5));
    // The keys in the table are no longer blocked, and the newcomer takes the slot of one of them.
    assert!(spray.limiter.check(b"new", 1).unwrap());
    assert!(!spray.limiter.check(b"new", 1).unwrap());
}

#[test]
fn a_full_table_that_denies_refuses_newcomers_and_forgets_nobody() {
    let quota = Quota::new(5, MINUTE, None).unwrap();
    let mut spray = Spray::new(&[quota], 1000, OnFull::Deny);
    let allowed = spray.send(5000, 1, 1);
    assert!((1000..1400).contains(&allowed), "{allowed}");
    let report = spray.limiter.consume(b"new", 1).unwrap();
    let peeked = spray.limiter.peek(b"new", 1).unwrap();
    assert_eq!((report.allowed, report.violated), (false, 0));
    assert_eq!(report, peeked);
    assert_eq!(report.decision().retry_after_ns, quota.interval());
    assert_eq!(spray.limiter.stats().evictions, 0);
    spray.clock.advance(Duration::from_nanos(quota.interval()));
    assert!(spray.limiter.check(b"new", 1).unwrap());
}

#[test]
fn a_full_table_forgets_only_keys_that_do_not_have_to_wait() {
    for (cost, forgets) in [(5, false), (4, true)] {
        let mut spray = Spray::a_minute(5, None, 8);
        spray.send(200, 1, cost);
        assert_eq!(spray.limiter.stats().evictions > 0, forgets, "{cost}");
    }
}

#[test]
fn a_table_without_memory_to_grow_goes_on_at_its_size() {
    let mut spray = Spray::a_minute(5, None, 100_000);
    let victims = victims(&spray.limiter, 100);
    out_of_memory(4096, 0, || spray.send(100_000, 1, 5));
    let stats = spray.limiter.stats();
    assert!(stats.growth_failures > 0 && stats.keys < 20_000, "{stats:?}");
    assert_eq!((freed(&spray.limiter, &victims), stats.evictions), (0, 0));
    // With memory again, it grows after a second at the latest.
    spray.clock.advance(Duration::from_millis(MINUTE));
    spray.send(100_000, 1, 5);
    assert_eq!(spray.limiter.stats().keys, 100_000);
}

#[test]
fn a_limiter_without_memory_is_an_error() {
    let limits = Limit::only(Quota::new(5, MINUTE, None).unwrap()).unwrap();
    let mut refused = 0;
    for spared in 0..70 {
        let clock = Arc::new(ManualClock::default());
        let made =
            out_of_memory(1024, spared, || Limiter::new(&limits, 1 << 20, OnFull::Evict, clock));
        if let Err(error) = made {
            assert_eq!(error.code, Code::LimitFull);
            refused += 1;
        }
    }
    assert!((60..70).contains(&refused), "{refused}");
}

#[test]
fn a_block_outlasts_every_spray_and_needs_no_free_slot() {
    let mut spray = Spray::a_minute(5, None, 1000);
    for key in [&b"first"[..], b"second"] {
        spray.limiter.block(key, 2 * MINUTE).unwrap();
    }
    spray.send(10_000, 1, 5);
    spray.limiter.block(b"late", 2 * MINUTE).unwrap();
    spray.clock.advance(Duration::from_millis(MINUTE));
    spray.send(10_000, 1, 1);
    for key in [&b"first"[..], b"second", b"late"] {
        let report = spray.limiter.peek(key, 1).unwrap();
        assert_eq!((report.allowed, report.violated), (false, 0));
        assert_eq!(report.decision().retry_after_ns, MINUTE * 1_000_000);
    }
    spray.clock.advance(Duration::from_millis(MINUTE));
    assert_eq!(freed(&spray.limiter, &[b"first".to_vec(), b"late".to_vec()]), 2);
}
