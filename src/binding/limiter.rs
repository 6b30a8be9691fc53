//! `RateLimiter`.

use std::mem::MaybeUninit;
use std::ops::RangeInclusive;
use std::sync::Arc;

use napi::bindgen_prelude::Unknown;
use napi::{Env, sys};
use napi_derive::napi;

use super::args::handle::Handle;
use super::args::{Arg, Outcome, Result, options};
use super::clock::ClockOptions;
use super::fast::{self, Hot, RawCall};
use super::guard;
use crate::limiter::{
    DEFAULT_MAX_KEYS, Decision, Limiter, MAX_MAX_KEYS, MAX_UNITS, MAX_WINDOW_MS, MIN_MAX_KEYS,
    Quota,
};

/// The longest key, in bytes.
const MAX_KEY_LEN: usize = 8192;
/// The bounds of `maxKeys`.
const MAX_KEYS: RangeInclusive<usize> = MIN_MAX_KEYS..=MAX_MAX_KEYS;

/// A limiter as JavaScript holds it.
struct RateLimiter {
    limiter: Limiter,
}

impl Handle for RateLimiter {
    const TAG: u128 = 0x54d2_76fd_59a5_4c06_8a2a_2a6a_8f1d_3104;
    const CLASS: &'static str = "RateLimiter";

    fn external_len(&self) -> u32 {
        // The initial size of the table. Growth with use is not reported.
        128 << 10
    }
}

/// `(key, cost?) => boolean`
struct Check(Arc<RateLimiter>);

impl Handle for Check {
    const TAG: u128 = 0x7c2f_3c0e_0f5c_4d0c_9a39_2ab0_56d6_8f01;
    const CLASS: &'static str = RateLimiter::CLASS;
}

impl Hot for Check {
    const NAME: &'static str = "check";
    const ARGUMENTS: usize = 2;

    fn call(&self, call: &RawCall) -> Result<sys::napi_value> {
        let cost = cost(call, 1)?;
        let allowed = with_key(call, 0, |key| Ok(self.0.limiter.check(key, cost)?))?;
        call.boolean(allowed)
    }
}

/// `(key, cost, out: Float64Array) => boolean`: out is remaining, retryAfterMs, resetMs.
struct Consume(Arc<RateLimiter>);

impl Handle for Consume {
    const TAG: u128 = 0x3ba1_4e83_96a8_4b5b_8b1f_7c5c_8ff2_4c02;
    const CLASS: &'static str = RateLimiter::CLASS;
}

impl Hot for Consume {
    const NAME: &'static str = "consume";
    const ARGUMENTS: usize = 3;

    fn call(&self, call: &RawCall) -> Result<sys::napi_value> {
        let cost = cost(call, 1)?;
        let decision = with_key(call, 0, |key| Ok(self.0.limiter.consume(key, cost)?))?;
        answer(call, 2, &decision)
    }
}

/// `(key, out: Float64Array) => boolean`
struct Peek(Arc<RateLimiter>);

impl Handle for Peek {
    const TAG: u128 = 0x90d8_5b52_4d3c_4a86_a1be_6c53_4e0f_7703;
    const CLASS: &'static str = RateLimiter::CLASS;
}

impl Hot for Peek {
    const NAME: &'static str = "peek";
    const ARGUMENTS: usize = 2;

    fn call(&self, call: &RawCall) -> Result<sys::napi_value> {
        let decision = with_key(call, 0, |key| Ok(self.0.limiter.peek(key)))?;
        answer(call, 1, &decision)
    }
}

options! {
    /// The options of `RateLimiter`.
    pub(super) struct LimiterOptions for "RateLimiter" {
        /// How many units a window allows.
        limit("limit"): u32 = required(|limit| limit.integer32(1..=MAX_UNITS)),
        /// The length of a window, in milliseconds.
        window_ms("windowMs"): u64 = required(|window| window.integer(1..=MAX_WINDOW_MS)),
        /// How many units may be taken at once, `limit` unless given.
        burst("burst"): Option<u32> = optional(|burst| burst.integer32(1..=MAX_UNITS)),
        /// How many keys are tracked.
        max_keys("maxKeys"): usize = default(DEFAULT_MAX_KEYS, |max| max.length(MAX_KEYS)),
        /// The clock.
        clock: ClockOptions = flatten(ClockOptions),
    }
}

/// Attaches a new limiter to the façade object `limiter`. Returns its limit, window in
/// milliseconds, and burst.
#[napi(catch_unwind)]
pub(super) fn limiter_attach(
    env: &Env,
    limiter: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<Vec<f64>>> {
    guard(env, || {
        let options: LimiterOptions = Arg::new(env, &options, "options").read()?;
        let quota = Quota::new(options.limit, options.window_ms, options.burst)?;
        let core = Limiter::new(quota, options.max_keys, options.clock.clock)?;
        Arg::new(env, &limiter, "this").attach(Arc::new(RateLimiter { limiter: core }))?;
        Ok(vec![quota.limit().into(), options.window_ms as f64, quota.burst().into()])
    })
}

/// `[check, consume, peek]`, bound to a limiter.
#[napi(catch_unwind)]
pub(super) fn limiter_bind<'env>(
    env: &'env Env,
    limiter: Unknown<'_>,
) -> napi::Result<Outcome<Vec<Unknown<'env>>>> {
    guard(env, || {
        let limiter = Arg::new(env, &limiter, "this").handle::<RateLimiter>()?;
        Ok(vec![
            fast::bind(env, Arc::new(Check(limiter.clone())))?,
            fast::bind(env, Arc::new(Consume(limiter.clone())))?,
            fast::bind(env, Arc::new(Peek(limiter)))?,
        ])
    })
}

/// Forgets a key. Returns whether the key had any debt.
#[napi(catch_unwind)]
pub(super) fn limiter_reset(
    env: &Env,
    limiter: Unknown<'_>,
    key: Unknown<'_>,
) -> napi::Result<Outcome<bool>> {
    guard(env, || {
        let limiter = Arg::new(env, &limiter, "this").handle::<RateLimiter>()?;
        let key = Arg::new(env, &key, "key");
        if key.is_string()? {
            return Ok(limiter.limiter.reset(key.string(1..=MAX_KEY_LEN)?.as_bytes()));
        }
        key.with_bytes_or("a string or a Uint8Array", 1..=MAX_KEY_LEN, |key| {
            Ok(limiter.limiter.reset(key))
        })
    })
}

/// `[capacity, evictions]`
#[napi(catch_unwind)]
pub(super) fn limiter_stats(env: &Env, limiter: Unknown<'_>) -> napi::Result<Outcome<Vec<f64>>> {
    guard(env, || {
        let stats = Arg::new(env, &limiter, "this").handle::<RateLimiter>()?.limiter.stats();
        Ok(vec![stats.capacity as f64, stats.evictions as f64])
    })
}

/// Lends a limiter's key: a string or a `Uint8Array`. A string of up to 251 bytes is read on the
/// stack, without an allocation.
fn with_key<T>(call: &RawCall, index: usize, body: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
    let key = call.argument(index, "key");
    let mut buffer = [MaybeUninit::uninit(); 256];
    match key.utf8_in(&mut buffer) {
        Ok(Some(bytes)) if !bytes.is_empty() => {
            key.check_well_formed(bytes)?;
            body(bytes)
        }
        Ok(_) => body(key.string(1..=MAX_KEY_LEN)?.as_bytes()),
        Err(_) => key.with_bytes_or("a string or a Uint8Array", 1..=MAX_KEY_LEN, body),
    }
}

fn cost(call: &RawCall, index: usize) -> Result<u32> {
    if call.count <= index {
        return Ok(1);
    }
    match call.argument(index, "cost").present()? {
        Some(cost) => cost.integer32(1..=MAX_UNITS),
        None => Ok(1),
    }
}

fn answer(call: &RawCall, out: usize, decision: &Decision) -> Result<sys::napi_value> {
    let values = [
        f64::from(decision.remaining),
        decision.retry_after_ns as f64 / 1e6,
        decision.reset_ns as f64 / 1e6,
    ];
    call.argument(out, "out").fill(&values)?;
    call.boolean(decision.allowed)
}
