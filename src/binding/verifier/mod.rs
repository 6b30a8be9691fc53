//! `JwtVerifier`.

mod many;
mod presets;

use std::ops::RangeInclusive;
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use super::args::handle::Handle;
use super::args::out::{self, Made};
use super::args::{Arg, Options, Result, scalars};
use super::issuer::{MAX_NAMES, NAME_LEN};
use super::key::{algorithms, keys_of};
use super::{CLOCK, fast, guard};
use crate::jwt::{
    Expected, KeySource, MAX_CLOCK_TOLERANCE, MAX_REQUIRED, Profile, Verifier, VerifierOptions,
};
use crate::revocation::RevocationList;

const CLAIM_LEN: RangeInclusive<usize> = 1..=256;
/// The bounds of `cache.maxEntries`.
const CACHED: RangeInclusive<u64> = 1..=100_000;
/// `maxEntries` of `cache: true`.
const DEFAULT_CACHED: usize = 1000;

impl Handle for Verifier {
    const TAG: u128 = 0xe1c4_51a7_0d94_4b0b_a6d3_05be_27c9_3b0b;
    const CLASS: &'static str = "JwtVerifier";
}

/// `verifier` becomes a verifier. Gives its keys when they are fetched, which the façade does.
#[napi(catch_unwind)]
pub fn verifier_attach(
    env: &Env,
    verifier: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Option<Made>> {
    guard(env, || {
        let options = Arg::new(env, &options, "options").options(&[
            "keys",
            "algorithms",
            "issuer",
            "audience",
            "clockTolerance",
            "maxAge",
            "typ",
            "requiredClaims",
            "requireExp",
            "revocations",
            "cache",
        ])?;
        let (keys, remote) = keys_and_remote(&options.require("keys")?)?;
        let issuer = expected(&options, "issuer")?;
        attach(env, &verifier, policy(&options, keys, issuer, Profile::Jwt)?)?;
        Ok(remote)
    })
}

/// What all kinds of verifiers are told alike; what a kind has no option for is left out.
pub fn policy(
    options: &Options<'_>,
    keys: KeySource,
    issuer: Expected,
    profile: Profile,
) -> Result<VerifierOptions> {
    let algorithms = options.get("algorithms")?.map(|names| algorithms(&names));
    let tolerance = options.get("clockTolerance")?;
    let max_age = options.get("maxAge")?.map(|age| age.duration(1..=scalars::MAX_DURATION));
    let revocations = options.get("revocations")?;
    Ok(VerifierOptions {
        profile,
        keys,
        algorithms: algorithms.transpose()?,
        issuer,
        audience: expected(options, "audience")?,
        clock_tolerance: tolerance
            .map_or(Ok(0), |seconds| seconds.duration(0..=MAX_CLOCK_TOLERANCE))?,
        max_age: max_age.transpose()?,
        typ: options.get("typ")?.map(|typ| typ.string(1..=256)).transpose()?,
        required_claims: options.get("requiredClaims")?.map_or(Ok(vec![]), required_claims)?,
        require_expiry: options.get("requireExp")?.map_or(Ok(true), |exp| exp.boolean())?,
        revocations: revocations.map(|list| list.handle::<RevocationList>()).transpose()?,
        cache_entries: options.get("cache")?.map_or(Ok(0), cache_entries)?,
    })
}

/// `verifier` becomes one with this policy.
pub fn attach(env: &Env, verifier: &Unknown<'_>, policy: VerifierOptions) -> Result<()> {
    let core = Verifier::new(policy, CLOCK.clone())?;
    Arg::new(env, verifier, "this").attach(Arc::new(core))
}

/// Keys, and the object that they were given as when they are fetched.
pub fn keys_and_remote(keys: &Arg<'_>) -> Result<(KeySource, Option<Made>)> {
    let source = keys_of(keys)?;
    let remote = matches!(source, KeySource::Set(_)).then(|| out::same(keys));
    Ok((source, remote))
}

/// Whether a verifier remembers tokens.
#[napi(catch_unwind)]
pub fn verifier_remembers(env: &Env, verifier: Unknown<'_>) -> napi::Result<bool> {
    guard(env, || Ok(Arg::new(env, &verifier, "this").handle::<Verifier>()?.remembers()))
}

/// `verify`, bound to a verifier.
#[napi(catch_unwind)]
pub fn verifier_bind<'env>(env: &'env Env, verifier: Unknown<'_>) -> napi::Result<Unknown<'env>> {
    guard(env, || fast::bind(env, Arg::new(env, &verifier, "this").handle::<Verifier>()?))
}

fn required_claims(names: Arg<'_>) -> Result<Vec<String>> {
    names.array(MAX_REQUIRED.into())?.iter().map(|name| name.string(CLAIM_LEN)).collect()
}

/// `true`, `false` or `{ maxEntries? }`
fn cache_entries(cache: Arg<'_>) -> Result<usize> {
    if cache.is_boolean()? {
        return Ok(if cache.boolean()? { DEFAULT_CACHED } else { 0 });
    }
    let entries = cache.options(&["maxEntries"])?.get("maxEntries")?;
    entries.map_or(Ok(DEFAULT_CACHED), |entries| {
        Ok(usize::try_from(entries.integer(CACHED)?).unwrap_or(DEFAULT_CACHED))
    })
}

/// A name, several, or `false`: a check is not waived by forgetting it.
pub fn expected(options: &Options<'_>, name: &'static str) -> Result<Expected> {
    let arg = options.require(name)?;
    if arg.is_false()? {
        return Ok(Expected::Anything);
    }
    Ok(Expected::OneOf(arg.strings(MAX_NAMES, NAME_LEN)?))
}
