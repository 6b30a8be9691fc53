//! `RateLimiter.machine`.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use super::handle::RateLimiter;
use super::options::MachineLimiterOptions;
use crate::binding::args::{Arg, Outcome};
use crate::binding::{guard, path};
use crate::limiter::{AnyLimiter, MachineLimiter, MachineOptions};

/// Attaches the limiter of a file to the façade object `limiter`.
#[napi(catch_unwind)]
pub(crate) fn limiter_machine(
    env: &Env,
    limiter: Unknown<'_>,
    path: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let MachineLimiterOptions { quotas, table } = Arg::new(env, &options, "options").read()?;
        let given = MachineOptions {
            limits: if quotas.is_empty() { None } else { Some(quotas.limits(table.algorithm())?) },
            algorithm: table.algorithm,
            max_keys: table.max_keys,
            on_full: table.on_full,
        };
        let path = path::read(Arg::new(env, &path, "path"))?;
        let core = AnyLimiter::Machine(MachineLimiter::open(&path, &given)?);
        let core = Arc::new(RateLimiter { limiter: core, made_with: None });
        Arg::new(env, &limiter, "this").attach(core)
    })
}
