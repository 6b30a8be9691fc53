//! `JwtIssuer` and `JwtVerifier`.

use std::mem::MaybeUninit;
use std::ops::RangeInclusive;
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Buffer, Either, Unknown};
use napi_derive::napi;

use super::args::handle::Handle;
use super::args::out::{self, Made};
use super::args::{Arg, Options, Result, scalars};
use super::keys::{algorithms, keys_of, signing_keys_of};
use super::offload::{Offloaded, offload};
use super::revocation::TOKEN_TTL;
use super::{CLOCK, fast, guard};
use crate::jwt::{
    Expected, Issuer, IssuerOptions, KeySource, MAX_CLOCK_TOLERANCE, MAX_REQUIRED, MAX_TOKEN_LEN,
    Overrides, Profile, Reason, Rejection, Unsigned, Verifier, VerifierOptions, verify_jws,
};
use crate::revocation::RevocationList;

const NAME_LEN: RangeInclusive<usize> = 1..=2048;
const MAX_NAMES: u32 = 100;
const CLAIM_LEN: RangeInclusive<usize> = 1..=256;
/// The bounds of `cache.maxEntries`.
const CACHED: RangeInclusive<u64> = 1..=100_000;
/// `maxEntries` of `cache: true`.
const DEFAULT_CACHED: usize = 1000;

impl Handle for Issuer {
    const TAG: u128 = 0x2f7e_9f31_aa3c_4e7c_b1f2_98cf_5b8e_2a0a;
    const CLASS: &'static str = "JwtIssuer";
}

impl Handle for Verifier {
    const TAG: u128 = 0xe1c4_51a7_0d94_4b0b_a6d3_05be_27c9_3b0b;
    const CLASS: &'static str = "JwtVerifier";
}

/// What a rejection's status stands for.
#[napi(object, object_from_js = false)]
pub struct NativeRejection {
    /// The stable code.
    pub code: &'static str,
    /// A sentence.
    pub message: String,
    /// The claim, where one is the cause.
    pub claim: Option<String>,
    /// What is wrong with it.
    pub reason: Option<&'static str>,
}

/// `issuer` becomes an issuer.
#[napi(catch_unwind)]
pub fn issuer_attach(env: &Env, issuer: Unknown<'_>, options: Unknown<'_>) -> napi::Result<()> {
    guard(env, || {
        let options = Arg::new(env, &options, "options").options(&[
            "keys",
            "issuer",
            "audience",
            "expiresIn",
            "typ",
            "jti",
        ])?;
        let name = options.get("issuer")?.map(|name| name.string(NAME_LEN)).transpose()?;
        let audience = options.get("audience")?.map(|names| names.strings(MAX_NAMES, NAME_LEN));
        let typ = options.get("typ")?.map(|typ| typ.string(1..=256)).transpose()?;
        let core = IssuerOptions {
            keys: signing_keys_of(&options.require("keys")?)?,
            issuer: name,
            audience: audience.transpose()?.unwrap_or_default(),
            expires_in: options.require("expiresIn")?.duration(TOKEN_TTL)?,
            typ: typ.unwrap_or_else(|| "JWT".into()),
            jti: options.get("jti")?.map_or(Ok(true), |jti| jti.boolean())?,
        };
        let core = Issuer::new(core, CLOCK.clone())?;
        Arg::new(env, &issuer, "this").attach(Arc::new(core))
    })
}

/// `sign`, bound to an issuer.
#[napi(catch_unwind)]
pub fn issuer_bind<'env>(env: &'env Env, issuer: Unknown<'_>) -> napi::Result<Unknown<'env>> {
    guard(env, || fast::bind(env, Arg::new(env, &issuer, "this").handle::<Issuer>()?))
}

/// Signs claims, JSON text, with overrides.
#[napi(catch_unwind)]
pub fn issuer_sign(
    env: &Env,
    issuer: Unknown<'_>,
    claims: Unknown<'_>,
    overrides: Unknown<'_>,
) -> napi::Result<String> {
    guard(env, || text(unsigned(env, &issuer, &claims, &overrides)?.sign()?))
}

/// As `issuer_sign`; what takes long is done on another thread, and a promise is given.
#[napi(catch_unwind)]
pub fn issuer_sign_async(
    env: &Env,
    issuer: Unknown<'_>,
    claims: Unknown<'_>,
    overrides: Unknown<'_>,
) -> napi::Result<Either<String, Offloaded<String>>> {
    guard(env, || {
        let unsigned = unsigned(env, &issuer, &claims, &overrides)?;
        if unsigned.is_slow() {
            return Ok(Either::B(offload(move || text(unsigned.sign()?))));
        }
        Ok(Either::A(text(unsigned.sign()?)?))
    })
}

fn unsigned(
    env: &Env,
    issuer: &Unknown<'_>,
    claims: &Unknown<'_>,
    overrides: &Unknown<'_>,
) -> Result<Unsigned> {
    let issuer = Arg::new(env, issuer, "this").handle::<Issuer>()?;
    let claims = Arg::new(env, claims, "claims").string(0..=MAX_TOKEN_LEN)?;
    let overrides =
        Arg::new(env, overrides, "overrides").options(&["audience", "expiresIn", "notBefore"])?;
    let audience = overrides.get("audience")?.map(|names| names.strings(MAX_NAMES, NAME_LEN));
    let seconds = |name, range| -> Result<Option<u64>> {
        overrides.get(name)?.map(|value: Arg<'_>| value.duration(range)).transpose()
    };
    let overrides = Overrides {
        audience: audience.transpose()?,
        expires_in: seconds("expiresIn", TOKEN_TTL)?,
        not_before: seconds("notBefore", 0..=scalars::MAX_DURATION)?,
    };
    Ok(issuer.prepare(&claims, &overrides)?)
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

/// The payload of a JWS, or the status of its rejection.
#[napi(catch_unwind)]
pub fn jws_verify(
    env: &Env,
    token: Unknown<'_>,
    keys: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Either<Buffer, u32>> {
    guard(env, || {
        let options = Arg::new(env, &options, "options").options(&["algorithms"])?;
        let algorithms = algorithms(&options.require("algorithms")?)?;
        let keys = keys_of(&Arg::new(env, &keys, "keys"))?;
        // Room for the longest token and for `utf8_in` to see that one is longer: then it is none,
        // which is an answer.
        let mut buffer = vec![MaybeUninit::uninit(); MAX_TOKEN_LEN + 8];
        let token = Arg::new(env, &token, "token").utf8_in(&mut buffer)?;
        let mut payload = Vec::new();
        let verified = token
            .ok_or(Rejection::Malformed)
            .and_then(|token| verify_jws(token, &keys, &algorithms, &mut payload));
        Ok(match verified {
            Ok(()) => Either::A(payload.into()),
            Err(rejection) => Either::B(rejection.to_status()),
        })
    })
}

/// What the status of a rejection by `verifier` stands for.
#[napi(catch_unwind)]
pub fn verifier_rejection(
    env: &Env,
    verifier: Unknown<'_>,
    status: u32,
) -> napi::Result<Option<NativeRejection>> {
    guard(env, || {
        let verifier = Arg::new(env, &verifier, "this").handle::<Verifier>()?;
        let Some(rejection) = Rejection::from_status(status) else { return Ok(None) };
        let required = match rejection {
            Rejection::Required(index) => verifier.required_claim(index),
            _ => None,
        };
        Ok(Some(match required {
            Some(claim) => NativeRejection {
                code: rejection.code().as_str(),
                message: Reason::Missing.message(claim),
                claim: Some(claim.to_owned()),
                reason: Some(Reason::Missing.name()),
            },
            None => rejection.into(),
        }))
    })
}

/// What the status of a rejection by `jws_verify` stands for.
#[napi(catch_unwind)]
pub fn jwt_rejection(status: u32) -> Option<NativeRejection> {
    Rejection::from_status(status).map(Into::into)
}

impl From<Rejection> for NativeRejection {
    fn from(rejection: Rejection) -> Self {
        let detail = rejection.detail();
        Self {
            code: rejection.code().as_str(),
            message: rejection.message(),
            claim: detail.map(|(claim, _)| claim.name().to_owned()),
            reason: detail.map(|(_, reason)| reason.name()),
        }
    }
}

/// What is ASCII, as tokens are.
fn text(token: Vec<u8>) -> Result<String> {
    String::from_utf8(token).map_err(|_| super::internal().into())
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
