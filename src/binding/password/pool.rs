//! `passwordPool`.

use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use crate::binding::args::{Arg, Outcome, options};
use crate::binding::guard;
use crate::password::memory;
use crate::password::pool::{self, Bounds};

/// The most threads. More threads than cores make sense if hashes wait for memory and not for
/// cores.
const MAX_THREADS: u64 = 512;

/// The smallest budget, in bytes: that of the smallest hash.
const MIN_MEMORY: u64 = 8 * 1024;

/// The largest budget, in bytes: 1 PiB.
const MAX_MEMORY: u64 = 1 << 50;

/// The longest queue.
const MAX_QUEUE: u64 = 1 << 20;

/// The longest wait, in milliseconds: 24 hours.
const MAX_TIMEOUT_MS: u64 = 24 * 3600 * 1000;

options! {
    /// The options of `passwordPool.configure`.
    pub(crate) struct PoolOptions for "passwordPool.configure" {
        /// The most hashes at a time.
        threads("threads"): Option<u64> = optional(|threads| threads.integer(1..=MAX_THREADS)),
        /// The memory of all hashes that run, in bytes.
        max_memory("maxMemory"): Option<u64> =
            optional(|bytes| bytes.integer(MIN_MEMORY..=MAX_MEMORY)),
        /// The most hashes that wait.
        max_queue("maxQueue"): Option<u64> = optional(|count| count.integer(0..=MAX_QUEUE)),
        /// How long a hash waits at most, in milliseconds.
        queue_timeout_ms("queueTimeoutMs"): Option<u64> =
            optional(|millis| millis.integer(1..=MAX_TIMEOUT_MS)),
    }
}

/// The bounds, the state and the counts of the pool.
#[napi(object, object_from_js = false)]
pub(crate) struct PoolStats {
    /// The most hashes that run at a time.
    pub threads: u32,
    /// Hashes and keys that run.
    pub running: u32,
    /// Hashes and keys that wait.
    pub queued: u32,
    /// Bytes of Argon2 memory that running jobs use.
    pub bytes: f64,
    /// Bytes that are kept for the next hashes.
    pub kept_bytes: f64,
    /// Bytes that may be in use at a time.
    pub max_memory: f64,
    /// The most hashes that may wait.
    pub max_queue: u32,
    /// How long a hash waits at most, in milliseconds.
    pub queue_timeout_ms: f64,
    /// Jobs that ran to their end.
    pub completed: f64,
    /// Jobs that were rejected as busy.
    pub rejected: f64,
    /// Jobs that were cancelled.
    pub aborted: f64,
    /// Median running time of the last hashes, in milliseconds.
    pub p50_ms: Option<f64>,
    /// 99th percentile of that time, in milliseconds.
    pub p99_ms: Option<f64>,
}

/// Sets the pool's bounds. Bounds that are left out stay.
#[napi(catch_unwind)]
pub(crate) fn password_pool_configure(
    env: &Env,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let options: PoolOptions = Arg::new(env, &options, "options").read()?;
        // No JavaScript runs from here on, so no getter of the options can change the bounds after
        // they are read here.
        let bounds = pool::bounds();
        let count = |given: Option<u64>, now| given.and_then(|n| n.try_into().ok()).unwrap_or(now);
        pool::configure(Bounds {
            threads: count(options.threads, bounds.threads),
            max_memory: options.max_memory.unwrap_or(bounds.max_memory),
            max_queue: count(options.max_queue, bounds.max_queue),
            queue_timeout: options
                .queue_timeout_ms
                .map_or(bounds.queue_timeout, Duration::from_millis),
        });
        Ok(())
    })
}

/// The bounds, the state and the counts of the pool now.
#[napi(catch_unwind)]
pub(crate) fn password_pool_stats(env: &Env) -> napi::Result<Outcome<PoolStats>> {
    guard(env, || {
        let (bounds, counts) = (pool::bounds(), pool::counts());
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let millis = |nanos: u64| nanos as f64 / 1e6;
        Ok(PoolStats {
            threads: number(bounds.threads),
            running: number(counts.running),
            queued: number(counts.queued),
            bytes: counts.bytes as f64,
            kept_bytes: memory::kept_len() as f64,
            max_memory: bounds.max_memory as f64,
            max_queue: number(bounds.max_queue),
            queue_timeout_ms: bounds.queue_timeout.as_millis() as f64,
            completed: counts.completed as f64,
            rejected: counts.rejected as f64,
            aborted: counts.aborted as f64,
            p50_ms: counts.p50.map(millis),
            p99_ms: counts.p99.map(millis),
        })
    })
}
