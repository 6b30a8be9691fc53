//! `RateLimiter`.

mod handle;
mod hot;
mod machine;
pub(super) mod options;

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use self::handle::{MAX_KEY_LEN, MadeWith, RateLimiter};
use self::hot::{Check, Consume, Peek};
use self::options::{ChangedLimits, LimiterOptions, SharedLimiterOptions};
use super::args::out::{self, LocalValue};
use super::args::{Arg, Fault, Outcome, Result};
use super::{CLOCK, fast, guard};
use crate::clock::Clock;
use crate::error::Code;
use crate::limiter::{
    AnyLimiter, Limiter, Limits, MAX_SNAPSHOT_LEN, MAX_UNITS, MAX_WINDOW_MS, OnFull, quotas,
};
use crate::registry::{Registry, Shared};

/// The most names of `RateLimiter.shared`, because shared limiters are never freed.
const MAX_SHARED: usize = 1000;

/// The limiters of `RateLimiter.shared`.
static SHARED: Registry<RateLimiter> = Registry::new(MAX_SHARED);

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

/// Attaches a new limiter to the façade object `limiter`.
#[napi(catch_unwind)]
pub(super) fn limiter_attach(
    env: &Env,
    limiter: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let options: LimiterOptions<'_> = Arg::new(env, &options, "options").read()?;
        let limits = options.quotas.limits(options.table.algorithm())?;
        let core = made(&limits, options.table.size(), options.clock.clock)?;
        Arg::new(env, &limiter, "this").attach(core)
    })
}

/// Attaches the process's shared limiter of a name to the façade object `limiter`. The first call
/// with a name makes the limiter.
#[napi(catch_unwind)]
pub(super) fn limiter_share(
    env: &Env,
    limiter: Unknown<'_>,
    name: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let options: SharedLimiterOptions<'_> = Arg::new(env, &options, "options").read()?;
        let table = options.table;
        // Every thread checks its options, not only the first one.
        let given = if options.quotas.is_empty() {
            None
        } else {
            Some(options.quotas.limits(table.algorithm())?)
        };
        let agrees = |known: &RateLimiter| {
            let Some((limits, max_keys, on_full)) = &known.made_with else { return false };
            given.as_ref().is_none_or(|given| quotas(given) == *limits)
                && table.max_keys.is_none_or(|given| given == *max_keys)
                && table.on_full.is_none_or(|given| given == *on_full)
                && table.algorithm.is_none_or(|given| given == limits[0].1.algorithm())
        };
        let make = || match &given {
            Some(limits) => made(limits, table.size(), CLOCK.clone()),
            // There is none of that name, so the options are needed.
            None => made(&options.quotas.limits(table.algorithm())?, table.size(), CLOCK.clone()),
        };
        let name = Arg::new(env, &name, "name");
        let core = match SHARED.share(&name.string(1..=256)?, agrees, make)? {
            Shared::Object(limiter) => limiter,
            Shared::Conflict => {
                return Err(name.invalid(
                    "names a shared limiter with other options: pass the same options everywhere, \
                     or none if the limiter exists",
                ));
            }
            Shared::NoMemory => {
                return Err(Fault::new(
                    Code::LimitFull,
                    "there is no memory for another shared limiter; give the process more",
                ));
            }
            Shared::Full => {
                return Err(name.out_of_range(format!("one of at most {MAX_SHARED} names")));
            }
        };
        Arg::new(env, &limiter, "this").attach(core)
    })
}

/// Attaches a limiter with the keys of a snapshot to the façade object `limiter`.
#[napi(catch_unwind)]
pub(super) fn limiter_restore(
    env: &Env,
    limiter: Unknown<'_>,
    snapshot: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let options: LimiterOptions<'_> = Arg::new(env, &options, "options").read()?;
        let limits = options.quotas.limits(options.table.algorithm())?;
        let (max_keys, on_full) = options.table.size();
        let clock = options.clock.clock;
        let snapshot = Arg::new(env, &snapshot, "snapshot");
        let core = snapshot.with_bytes(0..=MAX_SNAPSHOT_LEN, |bytes| {
            Ok(Limiter::restore(bytes, &limits, max_keys, on_full, clock)?)
        })?;
        let core = handle(core, (quotas(&limits), max_keys, on_full));
        Arg::new(env, &limiter, "this").attach(core)
    })
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

/// Forgets a key. Returns whether the key had any debt.
#[napi(catch_unwind)]
pub(super) fn limiter_reset(
    env: &Env,
    limiter: Unknown<'_>,
    key: Unknown<'_>,
) -> napi::Result<Outcome<bool>> {
    guard(env, || {
        let limiter = this(env, &limiter)?;
        with_key(env, &key, |key| Ok(limiter.limiter.reset(key)))
    })
}

/// Gives units back to a key.
#[napi(catch_unwind)]
pub(super) fn limiter_refund(
    env: &Env,
    limiter: Unknown<'_>,
    key: Unknown<'_>,
    cost: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let limiter = this(env, &limiter)?;
        let cost = match Arg::new(env, &cost, "cost").present()? {
            Some(cost) => cost.integer32(1..=MAX_UNITS)?,
            None => 1,
        };
        with_key(env, &key, |key| Ok(limiter.limiter.refund(key, cost)?))
    })
}

/// Takes units of a key, also those that it does not have.
#[napi(catch_unwind)]
pub(super) fn limiter_penalize(
    env: &Env,
    limiter: Unknown<'_>,
    key: Unknown<'_>,
    cost: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let limiter = this(env, &limiter)?;
        let cost = Arg::new(env, &cost, "cost").integer32(1..=MAX_UNITS)?;
        with_key(env, &key, |key| Ok(limiter.limiter.penalize(key, cost)?))
    })
}

/// Refuses a key every call for a time.
#[napi(catch_unwind)]
pub(super) fn limiter_block(
    env: &Env,
    limiter: Unknown<'_>,
    key: Unknown<'_>,
    ms: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let limiter = this(env, &limiter)?;
        let ms = Arg::new(env, &ms, "ms").integer(1..=MAX_WINDOW_MS)?;
        with_key(env, &key, |key| Ok(limiter.limiter.block(key, ms)?))
    })
}

/// Ends the block of a key.
#[napi(catch_unwind)]
pub(super) fn limiter_unblock(
    env: &Env,
    limiter: Unknown<'_>,
    key: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let limiter = this(env, &limiter)?;
        with_key(env, &key, |key| {
            limiter.limiter.unblock(key);
            Ok(())
        })
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

fn this(env: &Env, limiter: &Unknown<'_>) -> Result<Arc<RateLimiter>> {
    Arg::new(env, limiter, "this").handle::<RateLimiter>()
}

fn made(
    limits: &Limits,
    (max_keys, on_full): (usize, OnFull),
    clock: Arc<dyn Clock>,
) -> Result<Arc<RateLimiter>> {
    let limiter = Limiter::new(limits, max_keys, on_full, clock)?;
    Ok(handle(limiter, (quotas(limits), max_keys, on_full)))
}

fn handle(limiter: Limiter, made_with: MadeWith) -> Arc<RateLimiter> {
    let limiter = AnyLimiter::Process(limiter);
    Arc::new(RateLimiter { limiter, made_with: Some(made_with) })
}

/// Lends a key: a string or a `Uint8Array`.
fn with_key<T>(env: &Env, key: &Unknown<'_>, body: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
    let key = Arg::new(env, key, "key");
    if key.is_string()? {
        return body(key.string(1..=MAX_KEY_LEN)?.as_bytes());
    }
    key.with_bytes_or("a string or a Uint8Array", 1..=MAX_KEY_LEN, body)
}
