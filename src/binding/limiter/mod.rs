//! `RateLimiter`.

mod handle;
mod hot;
mod key;
mod machine;
mod make;
pub(super) mod options;

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use self::handle::this;
use self::hot::{Check, Consume, Peek};
use self::options::ChangedLimits;
use super::args::out::{self, LocalValue};
use super::args::{Arg, Outcome};
use super::{fast, guard};

/// The limits of a limiter.
#[napi(object, object_from_js = false)]
pub(super) struct NativeLimits {
    /// How often they were changed.
    pub generation: f64,
    /// The limits, in their order.
    pub limits: Vec<NativeLimit>,
}

/// A limit.
#[napi(object, object_from_js = false)]
pub(super) struct NativeLimit {
    /// Its name.
    pub name: String,
    /// Units per window.
    pub limit: f64,
    /// Milliseconds.
    pub window_ms: f64,
    /// Units at once.
    pub burst: f64,
}

/// The state of a limiter.
#[napi(object, object_from_js = false)]
pub(super) struct NativeStats {
    /// The number of keys that fit.
    pub capacity: f64,
    /// Keys in debt.
    pub keys: f64,
    /// Blocked keys.
    pub blocked: f64,
    /// Keys in debt that were forgotten.
    pub evictions: f64,
    /// Calls decided without a slot.
    pub overflows: f64,
    /// Times without memory to grow.
    pub growth_failures: f64,
}

/// `[check, consume, peek]`, bound to a limiter.
#[napi(catch_unwind)]
pub(super) fn limiter_bind<'env>(
    env: &'env Env,
    limiter: Unknown<'_>,
) -> napi::Result<Outcome<Vec<Unknown<'env>>>> {
    guard(env, || {
        let limiter = this(env, &limiter)?;
        Ok(vec![
            fast::bind(env, Arc::new(Check(limiter.clone())))?,
            fast::bind(env, Arc::new(Consume(limiter.clone())))?,
            fast::bind(env, Arc::new(Peek(limiter)))?,
        ])
    })
}

/// The limits.
#[napi(catch_unwind)]
pub(super) fn limiter_limits(
    env: &Env,
    limiter: Unknown<'_>,
) -> napi::Result<Outcome<NativeLimits>> {
    guard(env, || {
        let (limits, generation) = this(env, &limiter)?.limiter.limits();
        let limits = limits.iter().map(|limit| NativeLimit {
            name: limit.name().to_owned(),
            limit: limit.quota().limit().into(),
            window_ms: limit.quota().window_ms() as f64,
            burst: limit.quota().burst().into(),
        });
        Ok(NativeLimits { generation: generation.into(), limits: limits.collect() })
    })
}

/// Changes the limits.
#[napi(catch_unwind)]
pub(super) fn limiter_set_limits(
    env: &Env,
    limiter: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let limiter = this(env, &limiter)?;
        let options: ChangedLimits<'_> = Arg::new(env, &options, "options").read()?;
        let (present, _) = limiter.limiter.limits();
        let limits = options.quotas.limits(present[0].quota().algorithm())?;
        Ok(limiter.limiter.set_limits(&limits)?)
    })
}

/// Forgets all keys.
#[napi(catch_unwind)]
pub(super) fn limiter_clear(env: &Env, limiter: Unknown<'_>) -> napi::Result<Outcome<()>> {
    guard(env, || {
        this(env, &limiter)?.limiter.clear();
        Ok(())
    })
}

/// The keys as a `Buffer`.
#[napi(catch_unwind)]
pub(super) fn limiter_snapshot(
    env: &Env,
    limiter: Unknown<'_>,
) -> napi::Result<Outcome<LocalValue>> {
    guard(env, || out::buffer(env, &this(env, &limiter)?.limiter.snapshot()?))
}

/// The state of the table.
#[napi(catch_unwind)]
pub(super) fn limiter_stats(env: &Env, limiter: Unknown<'_>) -> napi::Result<Outcome<NativeStats>> {
    guard(env, || {
        let stats = this(env, &limiter)?.limiter.stats();
        Ok(NativeStats {
            capacity: stats.capacity as f64,
            keys: stats.keys as f64,
            blocked: stats.blocked as f64,
            evictions: stats.evictions as f64,
            overflows: stats.overflows as f64,
            growth_failures: stats.growth_failures as f64,
        })
    })
}
