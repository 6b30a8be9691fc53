//! Changes of a key's state, one word after another.

use super::table::{Table, Target};
use crate::limiter::buckets::Words;
use crate::limiter::limit::Limit;
use crate::limiter::quota::{Algorithm, Quota};
use crate::limiter::state::Moment;

/// A change of each word of a key: the word after it, or none if it is refused.
pub(super) trait Step: Fn(usize, u64) -> Option<u64> {}
impl<F: Fn(usize, u64) -> Option<u64>> Step for F {}

/// The result of a change.
pub(super) enum Changed {
    /// It was made. The words after it.
    Done(Words),
    /// These limits, as bits, refuse it. The words without it.
    Refused(u32, Words),
    /// The slot was taken away meanwhile.
    Lost,
}

/// How a change is taken back.
pub(super) struct Undo<'a> {
    pub limits: &'a [Limit],
    pub cost: u32,
    /// When it was made.
    pub then: Moment,
    /// The present time.
    pub now: &'a dyn Fn() -> Moment,
}

/// Changes all words, or none.
#[inline]
pub(super) fn change(
    table: &Table,
    target: Target,
    first: u64,
    step: &impl Step,
    undo: &Undo<'_>,
) -> Changed {
    let mut words = table.words(target, first);
    if undo.limits.len() > 1 {
        // A refusal is to write nothing, as long as no rival is at work.
        let (_, violated) = decided(&words, undo.limits.len(), step);
        if violated != 0 {
            return Changed::Refused(violated, words);
        }
    }
    let mut after = words;
    for column in (0..undo.limits.len()).rev() {
        loop {
            let Some(next) = step(column, words[column]) else {
                undo.columns(table, target, column + 1, &after);
                return Changed::Refused(1 << column, words);
            };
            if table.swap(target, column, words[column], next) {
                after[column] = next;
                break;
            }
            match table.reload(target, column) {
                Some(word) => words[column] = word,
                // The next owner overwrites the words.
                None => return Changed::Lost,
            }
        }
    }
    Changed::Done(after)
}

/// The words after a change, and the limits that refuse it, as bits.
pub(super) fn decided(words: &Words, limits: usize, step: &impl Step) -> (Words, u32) {
    let (mut after, mut violated) = (*words, 0);
    for column in 0..limits {
        match step(column, words[column]) {
            Some(word) => after[column] = word,
            None => violated |= 1 << column,
        }
    }
    (after, violated)
}

impl Undo<'_> {
    /// Gives back what was taken of the limits from this one on.
    #[cold]
    fn columns(&self, table: &Table, target: Target, from: usize, after: &Words) {
        for (column, (limit, taken)) in self.limits.iter().zip(after).enumerate().skip(from) {
            let now = (self.now)();
            table.update(target, column, |word| {
                given_back(limit.quota(), word, *taken, self.cost, self.then, now)
            });
        }
    }
}

/// The word without a cost that was taken, or as much of it as has not come back meanwhile: units
/// that are given back later than they returned could be used twice.
fn given_back(quota: &Quota, word: u64, taken: u64, cost: u32, then: Moment, now: Moment) -> u64 {
    let (debt, weight) = (quota.debt(word, now), quota.weight(cost));
    match quota.algorithm() {
        Algorithm::Gcra => {
            let left = weight.saturating_sub(now.ns.saturating_sub(then.ns));
            quota.word(debt.saturating_sub(left), word, now)
        }
        // Another window has begun.
        Algorithm::FixedWindow
            if quota.algorithm().left_ns(word, then) != quota.algorithm().left_ns(taken, then) =>
        {
            word
        }
        Algorithm::FixedWindow if word <= now.word => word,
        Algorithm::FixedWindow => quota.word(debt.saturating_sub(weight), word, now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_that_has_partly_come_back_is_given_back_in_part() {
        let quota = Quota::new(10, 1000, None).unwrap();
        let at = |ns| quota.algorithm().at(ns);
        let (then, later) = (at(5_000_000_000), at(5_050_000_000));
        let taken = quota.word(quota.weight(1), 0, then);
        assert_eq!(given_back(&quota, taken, taken, 1, then, then), then.ns);
        // A rival takes one meanwhile, which stays taken.
        let both = quota.word(quota.debt(taken, later) + quota.weight(1), taken, later);
        let left = given_back(&quota, both, taken, 1, then, later);
        assert_eq!(quota.debt(left, later), quota.weight(1));
    }

    #[test]
    fn a_unit_of_a_window_that_has_ended_is_not_given_back_to_the_next() {
        let quota = Quota::fixed_window(10, 1000).unwrap();
        let at = |ns| quota.algorithm().at(ns);
        let (then, later) = (at(5_000_000_000), at(7_000_000_000));
        let taken = quota.word(1, 0, then);
        let next = quota.word(3, 0, later);
        assert_eq!(given_back(&quota, next, taken, 1, then, later), next);
        assert_eq!(quota.debt(given_back(&quota, taken, taken, 1, then, then), then), 0);
    }
}
