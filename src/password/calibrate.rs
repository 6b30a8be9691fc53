//! Finds the costs that take a given time on this machine, by the procedure of RFC 9106 section 4.
//!
//! The search fixes the lanes. It starts with all the memory that a hash may have and the fewest
//! passes that are safe with that memory. If that takes too long, it reduces memory; otherwise it
//! adds passes. It never goes below the weakest costs that OWASP recommends, even if they take
//! longer than the target.

use std::time::Duration;

use secrecy::ExposeSecretMut;

use super::cancel::Cancel;
use super::job::HashJob;
use super::policy::{Policy, PolicyOptions};
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::id::random_bytes;
use crate::secret::WipedBytes;

/// The smallest memory limit that a calibration accepts, in KiB.
pub const MIN_MEMORY_COST: u32 = 7168;

/// The most passes that a calibration suggests: by default, `verify` accepts no more.
pub const MAX_SUGGESTED_PASSES: u32 = 64;

/// The fewest passes that are enough from each amount of memory (KiB) upwards: the equally strong
/// settings of the OWASP Password Storage Cheat Sheet.
const FEWEST_PASSES: [(u32, u32); 5] =
    [(47104, 1), (19456, 2), (12288, 3), (9216, 4), (MIN_MEMORY_COST, 5)];

/// The search reduces memory to this many KiB at least: with less, a hash needs more passes and is
/// no faster.
const FLOOR: u32 = 19456;

/// Hashes timed per measurement; the median counts.
const SAMPLES: usize = 3;

/// The costs of one measurement. The search varies memory and passes, never the lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Costs {
    /// KiB.
    pub memory_cost: u32,
    /// Passes.
    pub time_cost: u32,
    /// Lanes.
    pub parallelism: u32,
}

/// A search that is under way: measure [`Search::costs`] and pass the result to [`Search::record`]
/// until [`Search::is_done`].
#[derive(Debug)]
pub struct Search {
    target_nanos: u64,
    costs: Costs,
    /// The most passes measured to fit the target.
    fitting: Option<u32>,
    /// The fewest passes measured to exceed it.
    too_slow: u32,
    is_done: bool,
}

impl Search {
    /// Starts a search for hashes that take `target`, with at most `max_memory_cost` KiB and
    /// exactly `parallelism` lanes. Fails with `ERR_OUT_OF_RANGE` for less memory than
    /// [`MIN_MEMORY_COST`] or 8 KiB per lane, or for more memory or lanes than a policy may have.
    pub fn new(target: Duration, max_memory_cost: u32, parallelism: u32) -> Result<Self> {
        if max_memory_cost < MIN_MEMORY_COST {
            let message = format!("memoryCost must be at least {MIN_MEMORY_COST} KiB");
            return Err(Error::new(Code::OutOfRange, message));
        }
        let costs = with_fewest_passes(max_memory_cost, parallelism);
        policy(costs)?;
        Ok(Self {
            target_nanos: u64::try_from(target.as_nanos()).unwrap_or(u64::MAX),
            costs,
            fitting: None,
            too_slow: MAX_SUGGESTED_PASSES + 1,
            is_done: false,
        })
    }

    /// The costs to measure next; once the search is done, its result.
    pub fn costs(&self) -> Costs {
        self.costs
    }

    /// Whether the search is finished.
    pub fn is_done(&self) -> bool {
        self.is_done
    }

    /// Records how long a hash of [`Self::costs`] takes.
    pub fn record(&mut self, nanos: u64) {
        let Costs { memory_cost, time_cost, parallelism } = self.costs;
        let fits = nanos <= self.target_nanos;
        if self.is_done || (!fits && self.fitting.is_none() && memory_cost <= FLOOR) {
            self.is_done = true;
        } else if !fits && self.fitting.is_none() {
            // At least a sixteenth less, so that the search ends however the measurements scatter.
            let wanted = self.in_proportion(memory_cost, nanos).min(memory_cost / 16 * 15);
            self.costs = with_fewest_passes(wanted.max(FLOOR), parallelism);
        } else {
            if fits {
                self.fitting = Some(time_cost);
            } else {
                self.too_slow = time_cost;
            }
            let fitting = self.fitting.unwrap_or(time_cost);
            // Stays between the passes that fit and those that do not, until no number is left
            // between them. An additional pass need not take a proportional share of the time.
            let wanted = self.in_proportion(time_cost, nanos).max(fitting + 1);
            self.costs.time_cost = wanted.min(self.too_slow - 1);
            self.is_done = self.costs.time_cost == fitting;
        }
    }

    /// The cost that would take the target time if time is proportional to cost.
    fn in_proportion(&self, cost: u32, nanos: u64) -> u32 {
        let wanted = u128::from(cost) * u128::from(self.target_nanos) / u128::from(nanos.max(1));
        u32::try_from(wanted).unwrap_or(u32::MAX)
    }
}

/// How long a hash of these costs takes from start to result, in nanoseconds.
pub fn measure(costs: Costs, clock: &dyn Clock, cancel: &Cancel) -> Result<u64> {
    let policy = policy(costs)?;
    let mut nanos = [0; SAMPLES];
    for sample in &mut nanos {
        let mut password = WipedBytes::new(Box::new(vec![0; 16]));
        random_bytes(password.expose_secret_mut())?;
        let job = HashJob::new(policy, password.into(), None, None, Vec::new())?;
        let start = clock.monotonic_nanos();
        *sample = job.run_raw(cancel, |tag| tag.map(|_| clock.monotonic_nanos() - start))?;
    }
    nanos.sort_unstable();
    Ok(nanos[SAMPLES / 2])
}

fn with_fewest_passes(memory_cost: u32, parallelism: u32) -> Costs {
    let row = FEWEST_PASSES.iter().find(|(least, _)| memory_cost >= *least);
    let time_cost = row.map_or(MAX_SUGGESTED_PASSES, |(_, passes)| *passes);
    Costs { memory_cost, time_cost, parallelism }
}

fn policy(costs: Costs) -> Result<Policy> {
    let options = PolicyOptions {
        memory_cost: Some(costs.memory_cost),
        time_cost: Some(costs.time_cost),
        parallelism: Some(costs.parallelism),
        ..PolicyOptions::default()
    };
    Policy::new(&options, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    /// Searches on a simulated machine that takes `per_kib` nanoseconds per KiB and pass, plus
    /// `fixed` nanoseconds. Returns memory, passes and the number of measurements.
    fn search(target_ms: u64, max_kib: u32, per_kib: u64, fixed: u64) -> (u32, u32, usize) {
        let mut search = Search::new(Duration::from_millis(target_ms), max_kib, 4).unwrap();
        let mut steps = 0;
        while !search.is_done() {
            let Costs { memory_cost, time_cost, .. } = search.costs();
            search.record(fixed + per_kib * u64::from(memory_cost) * u64::from(time_cost));
            steps += 1;
            assert!(steps < 100);
        }
        let Costs { memory_cost, time_cost, .. } = search.costs();
        (memory_cost, time_cost, steps)
    }

    #[test]
    fn passes_are_added_while_time_is_left() {
        // 65.536 ms a pass.
        assert_eq!(search(200, 65536, 1000, 0), (65536, 3, 3));
        assert_eq!(search(66, 65536, 1000, 0), (65536, 1, 2));
        assert_eq!(search(60_000, 65536, 1000, 0), (65536, 64, 2));
    }

    #[test]
    fn memory_is_taken_away_when_a_hash_takes_too_long() {
        let (memory_cost, time_cost, _) = search(100, 1 << 20, 1000, 0);
        assert!((90_000..=100_000).contains(&memory_cost), "{memory_cost}");
        assert_eq!(time_cost, 1);
    }

    #[test]
    fn the_costs_are_never_below_those_that_owasp_recommends() {
        assert_eq!(search(1, 1 << 20, 1000, 0).0, FLOOR);
        assert_eq!(search(1, 1 << 20, 1000, 0).1, 2);
        assert_eq!(search(1, 9216, 1000, 0), (9216, 4, 1));
    }

    #[test]
    fn wrong_estimates_are_corrected() {
        // The fixed time does not depend on the passes: the proportion suggests too few passes,
        // then more.
        let (_, time_cost, _) = search(200, 65536, 1000, 60_000_000);
        assert_eq!(time_cost, 2);
        let mut search = Search::new(Duration::from_millis(100), 65536, 4).unwrap();
        for (passes, millis) in [(1, 10), (10, 130), (7, 101), (6, 99)] {
            assert_eq!((search.costs().time_cost, search.is_done()), (passes, false));
            search.record(millis * 1_000_000);
        }
        assert_eq!((search.costs().time_cost, search.is_done()), (6, true));
    }

    #[test]
    fn memory_and_lanes_outside_their_bounds_are_refused() {
        let new = |max, lanes| Search::new(Duration::from_millis(1), max, lanes).map(drop);
        for (max, lanes) in [(7167, 1), ((4 << 20) + 1, 1), (7168, 0), (1 << 20, 256)] {
            assert_eq!(new(max, lanes).unwrap_err().code, Code::OutOfRange, "{max} {lanes}");
        }
        new(7168, 255).unwrap();
    }

    #[test]
    fn a_measurement_runs_a_real_hash_and_can_be_cancelled() {
        let costs = Costs { memory_cost: 64, time_cost: 1, parallelism: 1 };
        assert!(measure(costs, &SystemClock, &Cancel::default()).unwrap() > 0);
        let cancel = Cancel::default();
        cancel.cancel();
        assert_eq!(measure(costs, &SystemClock, &cancel).unwrap_err().code, Code::Aborted);
    }
}
