//! Random calls, for which the limiter and exact models with other algorithms must agree.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::clock::ManualClock;

/// A call on one of a few keys, after some time in eighths of T and nanoseconds.
#[derive(Clone, Debug)]
struct Step {
    eighths: u64,
    nanos: u64,
    key: u8,
    cost: u32,
    call: Call,
}

#[derive(Clone, Copy, Debug)]
enum Call {
    Consume,
    Peek,
    Refund,
    Penalize,
    Reset,
    Block,
    Unblock,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    use Call::{Block, Consume, Peek, Penalize, Refund, Reset, Unblock};
    let call = prop_oneof![
        12 => Just(Consume), 3 => Just(Peek), 1 => Just(Refund), 1 => Just(Penalize),
        1 => Just(Reset), 1 => Just(Block), 1 => Just(Unblock),
    ];
    let step = (0..40_u64, 0..3_u64, 0..9_u8, 1..50_u32, call)
        .prop_map(|(eighths, nanos, key, cost, call)| Step { eighths, nanos, key, cost, call });
    prop::collection::vec(step, 1..300)
}

fn quotas() -> impl Strategy<Value = Vec<Quota>> {
    let quota = (1..1000_u32, 0..30_u32, 1..50_u32)
        .prop_map(|(limit, window, burst)| Quota::new(limit, 1 << window, Some(burst)).unwrap());
    let strict = (1..100_u32, 0..30_u32)
        .prop_map(|(limit, window)| Quota::strict(limit, 1 << window, None).unwrap());
    prop::collection::vec(prop_oneof![3 => quota, 1 => strict], 1..=MAX_LIMITS)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn decisions_equal_those_of_exact_token_buckets(quotas in quotas(), steps in steps()) {
        let smallest = quotas.iter().map(Quota::burst).min().unwrap();
        let named = quotas.iter().enumerate().map(|(n, quota)| Limit::new(&n.to_string(), *quota).unwrap());
        let limits = checked(named.collect()).unwrap();
        let clock = Arc::new(ManualClock::default());
        let limiter = Limiter::new(&limits, 1024, OnFull::Evict, clock.clone()).unwrap();
        let mut models = HashMap::new();
        let mut now = 0;
        for Step { eighths, nanos, key, cost, call } in steps {
            let passed = eighths * quotas[0].interval() / 8 + nanos;
            clock.advance(Duration::from_nanos(passed));
            now += u128::from(passed);
            let model = models.entry(key).or_insert_with(|| Model::new(&quotas));
            let (key, units) = ([key], cost.min(smallest));
            match call {
                Call::Consume => {
                    let report = limiter.consume(&key, units).unwrap();
                    let expected = model.consume(now, units);
                    prop_assert_eq!(report.decisions(), &expected[..]);
                }
                Call::Peek => {
                    let report = limiter.peek(&key, units).unwrap();
                    let expected = model.look(now, units);
                    prop_assert_eq!(report.decisions(), &expected[..]);
                    prop_assert_eq!(report.allowed, expected.iter().all(|each| each.allowed));
                }
                Call::Refund => {
                    limiter.refund(&key, cost).unwrap();
                    model.each(now, |bucket| bucket.add(i128::from(cost)));
                }
                Call::Penalize => {
                    limiter.penalize(&key, cost).unwrap();
                    model.each(now, |bucket| bucket.add(-i128::from(cost)));
                }
                Call::Reset => {
                    let in_debt = model.buckets.iter_mut().any(|bucket| bucket.look(now, 1).reset_ns > 0);
                    prop_assert_eq!(limiter.reset(&key), in_debt);
                    model.buckets = Model::new(&quotas).buckets;
                }
                Call::Block => {
                    limiter.block(&key, u64::from(cost)).unwrap();
                    model.blocked_until = now + u128::from(cost) * 1_000_000;
                }
                Call::Unblock => {
                    limiter.unblock(&key);
                    model.blocked_until = 0;
                }
            }
        }
        prop_assert_eq!(limiter.stats().evictions, 0);
    }

    #[test]
    fn fixed_windows_equal_a_counter_with_an_end(
        limit in 1..60_u32, window_ms in 1..50_u64, steps in steps(),
    ) {
        let limits = Limit::only(Quota::fixed_window(limit, window_ms).unwrap()).unwrap();
        let clock = Arc::new(ManualClock::default());
        let limiter = Limiter::new(&limits, 1024, OnFull::Evict, clock.clone()).unwrap();
        let mut windows: HashMap<u8, (u64, u32)> = HashMap::new();
        let mut now_ms = 0;
        for Step { eighths, key, cost, call, .. } in steps {
            clock.advance(Duration::from_millis(eighths / 4));
            now_ms += eighths / 4;
            let (end, count) = windows.entry(key).or_default();
            if *end <= now_ms {
                (*end, *count) = (now_ms + window_ms, 0);
            }
            let cost = cost.min(limit);
            let made = match call {
                Call::Peek => limiter.peek(&[key], cost).unwrap().decision(),
                _ => limiter.consume(&[key], cost).unwrap().decision(),
            };
            let allowed = *count + cost <= limit;
            if allowed && !matches!(call, Call::Peek) {
                *count += cost;
            }
            let left = (*end - now_ms) * 1_000_000;
            let expected = Decision {
                allowed,
                remaining: limit - *count,
                retry_after_ns: if allowed { 0 } else { left },
                reset_ns: if *count > 0 { left } else { 0 },
            };
            prop_assert_eq!(made, expected);
            if *count == 0 {
                *end = 0;
            }
        }
    }
}

/// Buckets that decide together, and a block.
struct Model {
    buckets: Vec<TokenBucket>,
    blocked_until: u128,
}

impl Model {
    fn new(quotas: &[Quota]) -> Self {
        Self {
            buckets: quotas.iter().map(|quota| TokenBucket::full(*quota)).collect(),
            blocked_until: 0,
        }
    }

    fn each(&mut self, now: u128, change: impl Fn(&mut TokenBucket)) {
        for bucket in &mut self.buckets {
            bucket.look(now, 1);
            change(bucket);
        }
    }

    fn look(&mut self, now: u128, cost: u32) -> Vec<Decision> {
        let held_ns = u64::try_from(self.blocked_until.saturating_sub(now)).unwrap();
        let decisions = self.buckets.iter_mut().map(|bucket| {
            let decision = bucket.look(now, cost);
            if held_ns == 0 {
                return decision;
            }
            Decision {
                allowed: false,
                remaining: 0,
                retry_after_ns: held_ns,
                reset_ns: decision.reset_ns.max(held_ns),
            }
        });
        decisions.collect()
    }

    fn consume(&mut self, now: u128, cost: u32) -> Vec<Decision> {
        let before = self.look(now, cost);
        if before.iter().any(|each| !each.allowed) {
            return before;
        }
        self.each(now, |bucket| bucket.add(-i128::from(cost)));
        let after = self.buckets.iter_mut().map(|bucket| bucket.look(now, 1));
        after.map(|each| Decision { allowed: true, retry_after_ns: 0, ..each }).collect()
    }
}

/// The other textbook algorithm, in 128 bits: a bucket of tokens that refills, T fractions per
/// token.
struct TokenBucket {
    quota: Quota,
    fractions: i128,
    at: u128,
}

impl TokenBucket {
    fn full(quota: Quota) -> Self {
        Self { quota, fractions: i128::from(quota.capacity()), at: 0 }
    }

    fn add(&mut self, tokens: i128) {
        let full = i128::from(self.quota.capacity());
        let least = -i128::from(self.quota.window_ms()) * 1_000_000;
        let sum = self.fractions + tokens * i128::from(self.quota.interval());
        self.fractions = sum.clamp(least, full);
    }

    fn look(&mut self, now: u128, cost: u32) -> Decision {
        let full = i128::from(self.quota.capacity());
        let token = i128::from(self.quota.interval());
        self.fractions = full.min(self.fractions + i128::try_from(now - self.at).unwrap());
        self.at = now;
        let short = (i128::from(cost) * token - self.fractions).max(0);
        Decision {
            allowed: short == 0,
            remaining: u32::try_from((self.fractions / token).max(0)).unwrap(),
            retry_after_ns: u64::try_from(short).unwrap(),
            reset_ns: u64::try_from(full - self.fractions).unwrap(),
        }
    }
}
