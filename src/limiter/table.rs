//! The bounded table: its shards, each with its own lock.
//!
//! Nothing runs in the background. A shard without a free slot for a new key doubles, up to its
//! share of `max_keys`. So a limiter of few keys stays within the processor's caches, and no call
//! moves more than one shard.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::layout::{Layout, MIN_BUCKETS};
use super::limit::Limits;
use super::on_full::OnFull;
use super::slots::{Counters, Slots};
use super::state::Moment;
use crate::error::{Code, Error, Result};

/// The default number of keys in a table: 2^20, in at most 24 MiB.
pub const DEFAULT_MAX_KEYS: usize = 1 << 20;

/// The smallest number of keys in a table.
pub const MIN_MAX_KEYS: usize = 8;

/// The largest number of keys in a table: 2^26, in at most 1.5 GiB.
pub const MAX_MAX_KEYS: usize = 1 << 26;

/// A table has this many shards if they get [`SHARD_BUCKETS`], for the sake of threads.
const SHARDS: usize = 64;
/// Shards of this size fill evenly enough for `max_keys` keys to fit.
const SHARD_BUCKETS: usize = 256;
/// A shard has at most about this many buckets, so that doubling it takes well under a
/// millisecond.
const MAX_SHARD_BUCKETS: usize = 4096;
/// The words of all shards take at first about this many buckets, and 2 to 16 each.
const FIRST_BUCKETS: usize = 1024;

/// A table of keys.
pub(super) struct Table {
    shards: Box<[Shard]>,
    first_buckets: usize,
    max_keys: usize,
}

/// A part of the table with its own lock, alone on its cache lines.
#[repr(align(128))]
struct Shard(Mutex<Slots>);

impl Table {
    /// A table for `max_keys` keys (8 to 2^26, otherwise `ERR_OUT_OF_RANGE`). It takes at most 24
    /// bytes per key, 8 more for each further limit, and at first 128 to 512 KiB, or less if all
    /// keys need less. Fails with `ERR_LIMIT_FULL` if there is no memory.
    pub(super) fn new(max_keys: usize, on_full: OnFull, limits: &Limits) -> Result<Self> {
        check_max_keys(max_keys)?;
        let buckets = Layout::buckets_for(max_keys, limits.len());
        // Powers of two: a shard is then picked by a mask.
        let even = 1 << (buckets / SHARD_BUCKETS).clamp(1, SHARDS).ilog2();
        let count: usize = buckets.div_ceil(MAX_SHARD_BUCKETS).next_power_of_two().max(even);
        let max_buckets = buckets.div_ceil(count).max(MIN_BUCKETS);
        let first_buckets = (FIRST_BUCKETS / count).clamp(MIN_BUCKETS, 16).min(max_buckets);
        let mut shards = Vec::new();
        shards.try_reserve_exact(count).map_err(|_| no_memory())?;
        for _ in 0..count {
            let slots = Slots::new(first_buckets, max_buckets, on_full, limits.clone());
            shards.push(Shard(Mutex::new(slots.ok_or_else(no_memory)?)));
        }
        Ok(Self { shards: shards.into_boxed_slice(), first_buckets, max_keys })
    }

    /// The number of keys that fit.
    pub(super) fn max_keys(&self) -> usize {
        self.max_keys
    }

    /// The shard of a fingerprint, locked. The bits above the lowest select it; the high bits
    /// select the bucket.
    #[inline]
    pub(super) fn shard(&self, fingerprint: u64) -> MutexGuard<'_, Slots> {
        self.shards[self.number(fingerprint)].lock()
    }

    /// The number of the shard of a fingerprint.
    #[inline]
    fn number(&self, fingerprint: u64) -> usize {
        shard_number(fingerprint, self.shards.len())
    }

    /// The number of shards, a power of two.
    pub(super) fn shard_count(&self) -> usize {
        self.shards.len()
    }

    /// The shard with this number, locked.
    pub(super) fn numbered(&self, number: usize) -> MutexGuard<'_, Slots> {
        self.shards[number].lock()
    }

    /// The limits.
    pub(super) fn limits(&self) -> Limits {
        self.shards[0].lock().limits().clone()
    }

    /// Puts other limits in place of the present ones, shard by shard.
    pub(super) fn set_limits(&self, limits: &Limits, generation: u32, now: Moment) {
        for shard in &self.shards {
            shard.lock().set_limits(limits.clone(), generation, now);
        }
    }

    /// Forgets all keys.
    pub(super) fn clear(&self) {
        for shard in &self.shards {
            shard.lock().clear(self.first_buckets);
        }
    }

    /// Calls `visit` with each shard, locked.
    pub(super) fn each(&self, mut visit: impl FnMut(&Slots)) {
        for shard in &self.shards {
            visit(&shard.lock());
        }
    }

    /// The size of the shards and their words, in bytes.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        let mut bytes = size_of_val(&*self.shards);
        self.each(|slots| bytes += slots.buckets().bytes());
        bytes
    }

    /// The sums of all counters.
    pub(super) fn counters(&self) -> Counters {
        let mut sum = Counters::default();
        self.each(|slots| {
            sum.evictions += slots.counters.evictions;
            sum.overflows += slots.counters.overflows;
            sum.growth_failures += slots.counters.growth_failures;
        });
        sum
    }
}

impl Shard {
    #[inline]
    fn lock(&self) -> MutexGuard<'_, Slots> {
        // A panic between two writes can spoil at most one entry of one key, so limiting continues.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The number of a fingerprint's shard among `count` shards, a power of two.
#[inline]
pub(super) fn shard_number(fingerprint: u64, count: usize) -> usize {
    let mask = count - 1;
    usize::try_from((fingerprint >> 1) & mask as u64).unwrap_or(0)
}

/// Checks a number of keys: 8 to 2^26, otherwise `ERR_OUT_OF_RANGE`.
pub(super) fn check_max_keys(max_keys: usize) -> Result<()> {
    if (MIN_MAX_KEYS..=MAX_MAX_KEYS).contains(&max_keys) {
        return Ok(());
    }
    let message = format!("maxKeys must be from {MIN_MAX_KEYS} to {MAX_MAX_KEYS}");
    Err(Error::new(Code::OutOfRange, message))
}

/// The error `ERR_LIMIT_FULL`.
pub(super) fn no_memory() -> Error {
    Error::new(
        Code::LimitFull,
        "there is no memory for the keys of this limiter: give the process more, or lower maxKeys",
    )
}
