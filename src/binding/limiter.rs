//! `RateLimiter`.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use super::args::Arg;
use super::args::handle::Handle;
use super::{CLOCK, fast, guard};
use crate::limiter::{
    DEFAULT_MAX_KEYS, Limiter, MAX_MAX_KEYS, MAX_UNITS, MAX_WINDOW_MS, MIN_MAX_KEYS, Quota,
};

/// The longest key, in bytes.
pub const MAX_KEY_LEN: usize = 8192;

/// A limiter as JavaScript holds it.
pub struct RateLimiter {
    /// The core's.
    pub limiter: Limiter,
}

impl Handle for RateLimiter {
    const TAG: u128 = 0x54d2_76fd_59a5_4c06_8a2a_2a6a_8f1d_3104;
    const CLASS: &'static str = "RateLimiter";

    fn external_len(&self) -> u32 {
        // What the table takes at first; what it grows by comes with use.
        128 << 10
    }
}

/// `limiter` becomes a limiter; gives its limit, window in milliseconds, and burst.
#[napi(catch_unwind)]
pub fn limiter_attach(
    env: &Env,
    limiter: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Vec<f64>> {
    guard(env, || {
        let options = Arg::new(env, &options, "options")
            .options(&["limit", "windowMs", "burst", "maxKeys"])?;
        let limit = options.require("limit")?.integer32(1..=MAX_UNITS)?;
        let window_ms = options.require("windowMs")?.integer(1..=MAX_WINDOW_MS)?;
        let burst = options.get("burst")?.map(|burst| burst.integer32(1..=MAX_UNITS));
        let keys = MIN_MAX_KEYS as u64..=MAX_MAX_KEYS as u64;
        let max_keys = match options.get("maxKeys")? {
            Some(max) => usize::try_from(max.integer(keys)?).unwrap_or(MAX_MAX_KEYS),
            None => DEFAULT_MAX_KEYS,
        };
        let quota = Quota::new(limit, window_ms, burst.transpose()?)?;
        let core = Limiter::new(quota, max_keys, CLOCK.clone())?;
        Arg::new(env, &limiter, "this").attach(Arc::new(RateLimiter { limiter: core }))?;
        Ok(vec![quota.limit().into(), window_ms as f64, quota.burst().into()])
    })
}

/// `[check, consume, peek]`, bound to a limiter.
#[napi(catch_unwind)]
pub fn limiter_bind<'env>(
    env: &'env Env,
    limiter: Unknown<'_>,
) -> napi::Result<Vec<Unknown<'env>>> {
    guard(env, || {
        let limiter = Arg::new(env, &limiter, "this").handle::<RateLimiter>()?;
        Ok(vec![
            fast::bind(env, Arc::new(fast::Check(limiter.clone())))?,
            fast::bind(env, Arc::new(fast::Consume(limiter.clone())))?,
            fast::bind(env, Arc::new(fast::Peek(limiter)))?,
        ])
    })
}

/// Forgets a key; whether it had any debt.
#[napi(catch_unwind)]
pub fn limiter_reset(env: &Env, limiter: Unknown<'_>, key: Unknown<'_>) -> napi::Result<bool> {
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
pub fn limiter_stats(env: &Env, limiter: Unknown<'_>) -> napi::Result<Vec<f64>> {
    guard(env, || {
        let stats = Arg::new(env, &limiter, "this").handle::<RateLimiter>()?.limiter.stats();
        Ok(vec![stats.capacity as f64, stats.evictions as f64])
    })
}
