//! Calls on all keys.

use std::sync::PoisonError;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use super::fault::SUBJECT;
use super::header::word;
use super::limiter::{MachineLimiter, short};
use super::limits::FileLimits;
use crate::error::Result;
use crate::limiter::arguments::check_same_names;
use crate::limiter::limit::{Limits, quotas};
use crate::limiter::report::Stats;
use crate::os::{Native, Storage, lock_within};

/// How long a change of the limits waits for one of another process.
const LOCK_WAIT: Duration = Duration::from_secs(1);

impl MachineLimiter {
    /// Forgets all keys and blocks. Calls of other processes meanwhile may keep their effect.
    pub fn clear(&self) {
        let now = self.now();
        self.table.each(now, |target, _| {
            for column in (0..self.table.layout.limits).rev() {
                self.table.update(target, column, |word| word.min(now.word));
            }
        });
        self.table.each_cell(|target, block| {
            for column in 0..self.table.layout.limits {
                self.table.update(target, column, |_| 0);
            }
            block.store(0, SeqCst);
        });
    }

    /// As [`super::super::Limiter::set_limits`], for all processes: they use the new limits from
    /// their next call on. Also fails with `ERR_LIMIT_FILE` if another process is changing them and
    /// does not finish within a second.
    pub fn set_limits(&self, limits: &Limits) -> Result<()> {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        match lock_within(&file, LOCK_WAIT) {
            Ok(true) => {}
            Ok(false) => return Err(SUBJECT.busy()),
            Err(error) => return Err(SUBJECT.system("lock the file of the limiter", &error)),
        }
        let before = self.known().limits.clone();
        let set = check_same_names(limits, &before);
        let differs = quotas(limits) != quotas(&before);
        if set.is_ok() && differs {
            FileLimits::publish(&self.table, &self.fingerprinter, limits);
        }
        let unlocked = Native::unlock(&file);
        unlocked.map_err(|error| SUBJECT.system("unlock the file of the limiter", &error))?;
        set?;
        if !differs {
            return Ok(());
        }
        // Every call keeps to the new limits from here. Without this, a debt of the former ones
        // could last a window longer.
        let now = self.now();
        let carry = |column: usize, word| {
            let [before, after] = [&before, limits].map(|limits| limits[column].quota());
            if word > now.word { after.carry_over(word, before, now) } else { word }
        };
        let carry_all = |target| {
            for column in 0..self.table.layout.limits {
                self.table.update(target, column, |word| carry(column, word));
            }
        };
        self.table.each(now, |target, is_block| {
            if !is_block {
                carry_all(target);
            }
        });
        self.table.each_cell(|target, _| carry_all(target));
        Ok(())
    }

    /// The limits, and how often they were changed.
    pub fn limits(&self) -> (Limits, u32) {
        let known = self.known();
        (known.limits.clone(), short(known.generation))
    }

    /// The keys and counters of all processes. Reads the whole file.
    pub fn stats(&self) -> Stats {
        let now = self.now();
        let (mut keys, mut blocked) = (0, 0);
        self.table.each(now, |_, is_block| {
            keys += usize::from(!is_block);
            blocked += usize::from(is_block);
        });
        let counter = |index: usize| self.table.header()[index].load(SeqCst);
        Stats {
            capacity: self.max_keys,
            keys,
            blocked,
            evictions: counter(word::EVICTIONS),
            overflows: counter(word::OVERFLOWS),
            growth_failures: 0,
        }
    }
}
