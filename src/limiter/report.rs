//! The results of calls.

use super::limit::{Limit, MAX_LIMITS};
use super::state::Moment;

/// The keys of a limiter and how often its table was full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// The number of keys that fit: `max_keys`.
    pub capacity: usize,
    /// Keys in debt.
    pub keys: usize,
    /// Keys that `block` holds.
    pub blocked: usize,
    /// Keys in debt that were forgotten to make room, since the limiter was created. If this
    /// number grows, `max_keys` is too small, or an attacker uses many keys.
    pub evictions: u64,
    /// Calls that shared the units of one key, or were refused, because all slots were taken by
    /// keys that may not be forgotten.
    pub overflows: u64,
    /// Times at which the table found no memory to grow.
    pub growth_failures: u64,
}

/// The result of one call for one limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// Whether the limit allows the call.
    pub allowed: bool,
    /// Units that could be used at once now. The maximum is the quota's burst, which may be above
    /// or below the quota's limit.
    pub remaining: u32,
    /// Nanoseconds until the same cost would be allowed if nothing else is used meanwhile; 0 if the
    /// limit allows the call.
    pub retry_after_ns: u64,
    /// Nanoseconds until the key has fully recovered.
    pub reset_ns: u64,
}

/// The numbers of a limit that has decided a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Units per window.
    pub limit: u32,
    /// Units at once.
    pub burst: u32,
    /// The window, in milliseconds.
    pub window_ms: u64,
}

/// The result of one call for all limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    decisions: [Decision; MAX_LIMITS],
    terms: [Terms; MAX_LIMITS],
    count: usize,
    /// Whether all limits allow the call, and nothing else refuses it.
    pub allowed: bool,
    /// The limits that refuse the call, as bits: the first limit is bit 0. None if the key is
    /// blocked, or if newcomers are refused because the table is full.
    pub violated: u32,
    /// The index of the tightest limit: the one with the longest wait, or the fewest remaining
    /// units if the call is allowed.
    pub tightest: usize,
    /// How often the limits were changed before this decision.
    pub generation: u32,
}

/// The findings about a call, before they are told.
pub(super) struct Verdict<'a> {
    /// The words of the key, one for each limit.
    pub words: &'a [u64],
    pub violated: u32,
    /// Nanoseconds until a block ends, or until there may be a slot.
    pub held_ns: u64,
    /// Whether the call was, or would be, allowed.
    pub allowed: bool,
}

impl Report {
    pub(super) fn new(
        limits: &[Limit],
        verdict: &Verdict<'_>,
        cost: u32,
        generation: u32,
        now: Moment,
    ) -> Self {
        let mut decisions = [Decision::default(); MAX_LIMITS];
        let mut terms = [Terms::default(); MAX_LIMITS];
        let held_ns = verdict.held_ns;
        for (column, (limit, decision)) in limits.iter().zip(&mut decisions).enumerate() {
            let (quota, word) = (limit.quota(), verdict.words[column]);
            terms[column] =
                Terms { limit: quota.limit(), burst: quota.burst(), window_ms: quota.window_ms() };
            let is_violated = verdict.violated & (1 << column) != 0;
            let left = quota.capacity().saturating_sub(quota.debt(word, now)) / quota.interval();
            let wait = if is_violated { quota.wait_ns(word, cost, now) } else { 0 };
            *decision = Decision {
                allowed: !is_violated && held_ns == 0,
                // At most the burst, since the capacity is burst intervals.
                remaining: if held_ns > 0 {
                    0
                } else {
                    u32::try_from(left).unwrap_or(quota.burst())
                },
                retry_after_ns: wait.max(held_ns),
                reset_ns: quota.reset_ns(word, now).max(held_ns),
            };
        }
        let mut tightest = 0;
        for (index, decision) in decisions.iter().enumerate().take(limits.len()).skip(1) {
            let best: &Decision = &decisions[tightest];
            let is_tighter = if verdict.allowed {
                decision.remaining < best.remaining
            } else {
                decision.retry_after_ns > best.retry_after_ns
            };
            if is_tighter {
                tightest = index;
            }
        }
        let (allowed, violated) = (verdict.allowed, verdict.violated);
        Self { decisions, terms, count: limits.len(), allowed, violated, tightest, generation }
    }

    /// The numbers of each limit. Another thread or process may have changed the limits meanwhile.
    pub fn terms(&self) -> &[Terms] {
        &self.terms[..self.count]
    }

    /// The decision of each limit.
    pub fn decisions(&self) -> &[Decision] {
        &self.decisions[..self.count]
    }

    /// The decision of the tightest limit.
    pub fn decision(&self) -> Decision {
        self.decisions[self.tightest]
    }
}
