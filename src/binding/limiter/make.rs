//! `new RateLimiter`, `RateLimiter.shared` and `RateLimiter.restore`.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use super::handle::{MadeWith, RateLimiter};
use super::options::{LimiterOptions, SharedLimiterOptions};
use crate::binding::args::{Arg, Fault, Outcome, Result};
use crate::binding::{CLOCK, guard};
use crate::clock::Clock;
use crate::error::Code;
use crate::limiter::{AnyLimiter, Limiter, Limits, MAX_SNAPSHOT_LEN, OnFull, quotas};
use crate::registry::{Registry, Shared};

/// The most names of `RateLimiter.shared`, because shared limiters are never freed.
const MAX_SHARED: usize = 1000;

/// The limiters of `RateLimiter.shared`.
static SHARED: Registry<RateLimiter> = Registry::new(MAX_SHARED);

/// Attaches a new limiter to the façade object `limiter`.
#[napi(catch_unwind)]
pub(crate) fn limiter_attach(
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
pub(crate) fn limiter_share(
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
pub(crate) fn limiter_restore(
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
