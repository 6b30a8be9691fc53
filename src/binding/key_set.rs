//! `RemoteJwks`: its options, and the keys that the façade fetches for it.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use super::args::handle::Handle;
use super::args::out::{self, Made};
use super::args::{Arg, Options, Result, scalars};
use super::key::import_rules;
use super::{CLOCK, guard};
use crate::jwt::{KeySet, MAX_SET_LEN};

/// The longest URL, in bytes.
const MAX_URL_LEN: usize = 4096;
/// The most headers of a request, and the longest of their names and values, in bytes.
const MAX_HEADERS: usize = 64;
const MAX_HEADER_LEN: usize = 8192;
/// The longest that a set may be used, fresh or not, in seconds: seven days.
const MAX_AGE: u64 = 7 * 24 * 3600;

const OPTIONS: &[&str] = &[
    "algorithms",
    "use",
    "headers",
    "fetch",
    "timeoutMs",
    "maxBytes",
    "minAge",
    "maxAge",
    "cooldown",
    "staleIfError",
    "onEvent",
];

impl Handle for KeySet {
    const TAG: u128 = 0x7be2_3a4c_9d11_4e6f_8c35_b07d_41f6_5c0d;
    const CLASS: &'static str = "RemoteJwks";

    fn external_len(&self) -> u32 {
        // A handful of keys; more come with use.
        16 << 10
    }
}

/// How a set is fetched, and for how long it is used.
#[napi(object, object_from_js = false)]
pub struct NativeJwksPolicy {
    /// Milliseconds.
    pub timeout_ms: f64,
    /// The longest body.
    pub max_bytes: f64,
    /// Seconds.
    pub min_age: f64,
    /// Seconds.
    pub max_age: f64,
    /// Seconds.
    pub cooldown: f64,
    /// Seconds; 0 when keys are not used for longer than they are fresh.
    pub stale_if_error: f64,
    /// Name and value of each.
    pub headers: Vec<Vec<String>>,
    /// What fetches, if not the global function.
    pub fetch: Option<Made>,
    /// What is told of every request.
    pub on_event: Option<Made>,
}

/// `remote` becomes a set of keys of which nothing is known yet.
#[napi(catch_unwind)]
pub fn jwks_attach(
    env: &Env,
    remote: Unknown<'_>,
    url: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<NativeJwksPolicy> {
    guard(env, || {
        Arg::new(env, &url, "url").string(1..=MAX_URL_LEN)?;
        let options = Arg::new(env, &options, "options").options(OPTIONS)?;
        let policy = policy(&options)?;
        let set = KeySet::new(import_rules(&options)?, CLOCK.clone());
        Arg::new(env, &remote, "this").attach(Arc::new(set))?;
        Ok(policy)
    })
}

/// Loads a set's text, which is fresh for so many seconds; whether it has changed.
#[napi(catch_unwind)]
pub fn jwks_load(
    env: &Env,
    remote: Unknown<'_>,
    json: Unknown<'_>,
    seconds: Unknown<'_>,
) -> napi::Result<bool> {
    guard(env, || {
        let set = Arg::new(env, &remote, "this").handle::<KeySet>()?;
        let json = Arg::new(env, &json, "the JWK Set").string(0..=MAX_SET_LEN)?;
        Ok(set.load(&json, Arg::new(env, &seconds, "seconds").integer(0..=MAX_AGE)?)?)
    })
}

/// What is loaded is fresh for so many seconds from now on.
#[napi(catch_unwind)]
pub fn jwks_renew(env: &Env, remote: Unknown<'_>, seconds: Unknown<'_>) -> napi::Result<()> {
    guard(env, || {
        let set = Arg::new(env, &remote, "this").handle::<KeySet>()?;
        set.renew(Arg::new(env, &seconds, "seconds").integer(0..=MAX_AGE)?);
        Ok(())
    })
}

/// What is loaded may be used for so many seconds after it was fresh.
#[napi(catch_unwind)]
pub fn jwks_outlast(env: &Env, remote: Unknown<'_>, seconds: Unknown<'_>) -> napi::Result<()> {
    guard(env, || {
        let set = Arg::new(env, &remote, "this").handle::<KeySet>()?;
        set.outlast(Arg::new(env, &seconds, "seconds").integer(0..=MAX_AGE)?);
        Ok(())
    })
}

/// `[kid, alg]` of every key that can be used now; none when nothing can be verified at all.
#[napi(catch_unwind)]
pub fn jwks_list(env: &Env, remote: Unknown<'_>) -> napi::Result<Option<Vec<Vec<String>>>> {
    guard(env, || {
        let keys = Arg::new(env, &remote, "this").handle::<KeySet>()?.list();
        let names = |keys: Vec<Arc<crate::jwt::Key>>| {
            keys.iter().map(|key| vec![key.kid().into(), key.algorithm().name().into()]).collect()
        };
        Ok(keys.map(names))
    })
}

fn policy(options: &Options<'_>) -> Result<NativeJwksPolicy> {
    let integer = |name, range, default| -> Result<f64> {
        let given = options.get(name)?;
        Ok(given.map_or(Ok(default), |given: Arg<'_>| given.integer(range))? as f64)
    };
    let seconds = |name, range, default| -> Result<u64> {
        options.get(name)?.map_or(Ok(default), |given: Arg<'_>| given.duration(range))
    };
    let function = |name| options.get(name)?.map(|given| out::function(&given)).transpose();
    let max_age = seconds("maxAge", 1..=MAX_AGE, 600)?;
    Ok(NativeJwksPolicy {
        timeout_ms: integer("timeoutMs", 1..=60_000, 5000)?,
        max_bytes: integer("maxBytes", 1..=MAX_SET_LEN as u64, 512 * 1024)?,
        min_age: seconds("minAge", 1..=max_age, max_age.min(60))? as f64,
        max_age: max_age as f64,
        cooldown: seconds("cooldown", 1..=scalars::MAX_DURATION, 30)? as f64,
        stale_if_error: seconds("staleIfError", 0..=MAX_AGE, 0)? as f64,
        headers: headers(options)?,
        fetch: function("fetch")?,
        on_event: function("onEvent")?,
    })
}

fn headers(options: &Options<'_>) -> Result<Vec<Vec<String>>> {
    let Some(headers) = options.get("headers")? else { return Ok(Vec::new()) };
    let header =
        |(name, value): (String, Arg<'_>)| Ok(vec![name, value.string(0..=MAX_HEADER_LEN)?]);
    headers.entries(MAX_HEADERS)?.into_iter().map(header).collect()
}
