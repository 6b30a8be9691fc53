//! Random calls, for which the limiter and an exact model with another algorithm must agree.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::clock::ManualClock;

#[test]
fn decisions_equal_those_of_an_exact_token_bucket() {
    let mut random = Xorshift(0x9e37_79b9_7f4a_7c15);
    for _ in 0..60 {
        let limit = random.below(1000) + 1;
        let burst = random.below(50) + 1;
        let window = 1 << random.below(30);
        let quota = Quota::new(limit, window, Some(burst)).unwrap();
        let clock = Arc::new(ManualClock::default());
        let limiter = Limiter::new(quota, 1024, Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
        let mut models = HashMap::new();
        let mut now = 0;
        for _ in 0..2000 {
            let step = u64::from(random.below(burst * 2)) * quota.interval_ns() / 8
                + u64::from(random.below(3));
            clock.advance(Duration::from_nanos(step));
            now += u128::from(step);
            let key = random.below(9).to_le_bytes();
            let cost = random.below(burst) + 1;
            let model = models.entry(key).or_insert_with(|| TokenBucket::full(quota));
            match random.below(16) {
                0 => {
                    assert_eq!(limiter.reset(&key), model.look(now, 1).reset_ns > 0);
                    *model = TokenBucket::full(quota);
                }
                1 | 2 => assert_eq!(limiter.peek(&key), model.look(now, 1)),
                _ => assert_eq!(limiter.consume(&key, cost).unwrap(), model.consume(now, cost)),
            }
        }
        assert_eq!(limiter.stats().evictions, 0);
    }
}

/// The other textbook algorithm, in 128 bits: a bucket of tokens that refills, T fractions per
/// token.
struct TokenBucket {
    quota: Quota,
    fractions: u128,
    at: u128,
}

impl TokenBucket {
    fn full(quota: Quota) -> Self {
        Self { quota, fractions: u128::from(quota.capacity_ns()), at: 0 }
    }

    fn look(&mut self, now: u128, cost: u32) -> Decision {
        let full = u128::from(self.quota.capacity_ns());
        let token = u128::from(self.quota.interval_ns());
        self.fractions = full.min(self.fractions + (now - self.at));
        self.at = now;
        let short = (u128::from(cost) * token).saturating_sub(self.fractions);
        Decision {
            allowed: short == 0,
            remaining: u32::try_from(self.fractions / token).unwrap(),
            retry_after_ns: u64::try_from(short).unwrap(),
            reset_ns: u64::try_from(full - self.fractions).unwrap(),
        }
    }

    fn consume(&mut self, now: u128, cost: u32) -> Decision {
        let decision = self.look(now, cost);
        if decision.allowed {
            self.fractions -= u128::from(cost) * u128::from(self.quota.interval_ns());
            return Decision { allowed: true, retry_after_ns: 0, ..self.look(now, 1) };
        }
        decision
    }
}

struct Xorshift(u64);

impl Xorshift {
    fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from(((self.0 >> 32) * u64::from(end)) >> 32).unwrap()
    }
}
