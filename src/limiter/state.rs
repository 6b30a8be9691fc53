//! The state of a key under one limit: a word of 64 bits.
//!
//! | algorithm | word |
//! |---|---|
//! | GCRA | the theoretical arrival time (TAT): nanoseconds of the monotonic clock |
//! | fixed window | the end of the window in milliseconds of that clock (42 bits), the count (22) |
//!
//! Either way a word that is not above that of the present time ([`Moment::word`]) is as good as
//! none, and the smallest word of several is the one that expires first. So the table compares
//! words and does not know the algorithm. 0 is the word of a key that has used nothing.

use super::quota::{Algorithm, MAX_FIXED_UNITS, Quota};

const COUNT_BITS: u32 = 22;
const COUNT: u64 = MAX_FIXED_UNITS as u64;
const NANOS: u64 = 1_000_000;
/// The last end of a window, in milliseconds: after 139 years.
const LAST_END: u64 = (1 << (64 - COUNT_BITS)) - 1;

/// A reading of the monotonic clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Nanoseconds.
    pub ns: u64,
    /// The largest word that has expired.
    pub word: u64,
}

impl Algorithm {
    /// The moment of a reading of the monotonic clock.
    pub(super) fn at(self, ns: u64) -> Moment {
        let word = match self {
            Self::Gcra => ns,
            Self::FixedWindow => window(ns / NANOS, COUNT),
        };
        Moment { ns, word }
    }

    /// The word that expires at this reading.
    pub(super) fn word_until(self, ns: u64) -> u64 {
        match self {
            Self::Gcra => ns,
            Self::FixedWindow => window(ns.div_ceil(NANOS), 0),
        }
    }

    /// The nanoseconds until a word expires.
    pub(super) fn left_ns(self, word: u64, now: Moment) -> u64 {
        let end = match self {
            Self::Gcra => word,
            Self::FixedWindow => (word >> COUNT_BITS).saturating_mul(NANOS),
        };
        end.saturating_sub(now.ns)
    }
}

impl Quota {
    /// The debt in a word.
    pub(super) fn debt(&self, word: u64, now: Moment) -> u64 {
        match self.algorithm() {
            Algorithm::Gcra => word.saturating_sub(now.ns),
            Algorithm::FixedWindow if word > now.word => word & COUNT,
            Algorithm::FixedWindow => 0,
        }
    }

    /// The word of a debt, in place of the word `before`.
    pub(super) fn word(&self, debt: u64, before: u64, now: Moment) -> u64 {
        match self.algorithm() {
            Algorithm::Gcra => now.ns.saturating_add(debt),
            Algorithm::FixedWindow if word_is_live(before, now) => {
                window(before >> COUNT_BITS, debt)
            }
            Algorithm::FixedWindow => window(now.ns.div_ceil(NANOS) + self.window_ms(), debt),
        }
    }

    /// The word in place of `word` if this quota takes the place of `before`.
    pub(super) fn carry_over(&self, word: u64, before: &Self, now: Moment) -> u64 {
        if !word_is_live(word, now) {
            return 0;
        }
        let debt = before.carried_over(before.debt(word, now), self);
        match self.algorithm() {
            Algorithm::Gcra => self.word(debt, word, now),
            Algorithm::FixedWindow => {
                let end = (word >> COUNT_BITS).min(now.ns.div_ceil(NANOS) + self.window_ms());
                window(end, debt)
            }
        }
    }

    /// Nanoseconds until a key with this word has fully recovered. A fixed window may end up to a
    /// millisecond late, with the next one of the clock; that is not told, because a client that
    /// rounds up to seconds would wait a second more.
    pub(super) fn reset_ns(&self, word: u64, now: Moment) -> u64 {
        let left = self.algorithm().left_ns(word, now);
        match self.algorithm() {
            Algorithm::Gcra => left,
            Algorithm::FixedWindow => left.min(self.window_ms() * NANOS),
        }
    }

    /// Nanoseconds until a cost is allowed to a key with this word.
    pub(super) fn wait_ns(&self, word: u64, cost: u32, now: Moment) -> u64 {
        let sum = self.debt(word, now).saturating_add(self.weight(cost));
        match (sum.saturating_sub(self.capacity()), self.algorithm()) {
            (0, _) => 0,
            (wait, Algorithm::Gcra) => wait,
            (_, Algorithm::FixedWindow) => self.reset_ns(word, now),
        }
    }
}

fn word_is_live(word: u64, now: Moment) -> bool {
    word > now.word
}

fn window(end: u64, count: u64) -> u64 {
    end.min(LAST_END) << COUNT_BITS | count.min(COUNT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_window_ends_no_earlier_than_its_length_after_the_first_unit() {
        let quota = Quota::fixed_window(10, 5).unwrap();
        let at = |ns| Algorithm::FixedWindow.at(ns);
        for first in [0, 1, 999_999, 1_000_000, 1_000_001] {
            let word = quota.word(1, 0, at(first));
            assert_eq!(quota.debt(word, at(first + 5_000_000 - 1)), 1, "{first}");
            assert_eq!(quota.debt(word, at(first + 6_000_000)), 0, "{first}");
            let second = quota.word(2, word, at(first + 3_000_000));
            assert_eq!(quota.reset_ns(second, at(first)), quota.reset_ns(word, at(first)));
            assert_eq!(quota.debt(second, at(first + 5_000_000 - 1)), 2, "{first}");
            assert_eq!(quota.debt(second, at(first + 6_000_000)), 0, "{first}");
            assert_eq!(quota.reset_ns(word, at(first)), 5_000_000, "{first}");
            assert_eq!(quota.wait_ns(second, 9, at(first)), 5_000_000, "{first}");
        }
    }

    #[test]
    fn a_window_of_which_every_unit_is_used_is_over_at_its_end() {
        let quota = Quota::fixed_window(MAX_FIXED_UNITS, 5).unwrap();
        let at = |ns| Algorithm::FixedWindow.at(ns);
        let used = quota.word(COUNT, 0, at(0));
        assert_eq!(quota.debt(used, at(5_000_000 - 1)), COUNT);
        assert_eq!(quota.debt(used, at(5_000_000)), 0);
        let next = quota.word(1, used, at(5_000_000));
        assert_eq!(quota.debt(next, at(10_000_000 - 1)), 1);
    }

    #[test]
    fn words_of_a_clock_at_its_end_do_not_overflow() {
        for quota in [Quota::new(1, 1000, None).unwrap(), Quota::fixed_window(9, 1000).unwrap()] {
            let now = quota.algorithm().at(u64::MAX);
            let word = quota.word(quota.capacity(), 0, now);
            assert!(quota.reset_ns(word, now) <= 1_000_000_000);
        }
    }
}
