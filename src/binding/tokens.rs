//! `JwtIssuer` and `JwtVerifier`.

use std::ops::RangeInclusive;
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Buffer, Either, Unknown};
use napi_derive::napi;

use super::args::handle::Handle;
use super::args::out::{self, Made};
use super::args::{Arg, Options, Result, scalars};
use super::keys::{algorithms, keys_of, signing_keys_of};
use super::revocation::TOKEN_TTL;
use super::{CLOCK, fast, guard};
use crate::jwt::{
    Expected, Issuer, IssuerOptions, KeySource, MAX_CLOCK_TOLERANCE, MAX_TOKEN_LEN, Overrides,
    Rejection, Verifier, VerifierOptions, verify_jws,
};
use crate::revocation::RevocationList;

const NAME_LEN: RangeInclusive<usize> = 1..=2048;
const MAX_NAMES: u32 = 100;

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
    pub claim: Option<&'static str>,
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
    guard(env, || {
        let issuer = Arg::new(env, &issuer, "this").handle::<Issuer>()?;
        let claims = Arg::new(env, &claims, "claims").string(0..=MAX_TOKEN_LEN)?;
        let overrides = Arg::new(env, &overrides, "overrides").options(&[
            "audience",
            "expiresIn",
            "notBefore",
        ])?;
        let audience = overrides.get("audience")?.map(|names| names.strings(MAX_NAMES, NAME_LEN));
        let seconds = |name, range| -> Result<Option<u64>> {
            overrides.get(name)?.map(|value: Arg<'_>| value.duration(range)).transpose()
        };
        let overrides = Overrides {
            audience: audience.transpose()?,
            expires_in: seconds("expiresIn", TOKEN_TTL)?,
            not_before: seconds("notBefore", 0..=scalars::MAX_DURATION)?,
        };
        let (mut payload, mut token) = (Vec::new(), Vec::new());
        issuer.sign_into(&claims, &overrides, &mut payload, &mut token)?;
        Ok(token.into_iter().map(char::from).collect())
    })
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
            "revocations",
        ])?;
        let algorithms = options.get("algorithms")?.map(|names| algorithms(&names));
        let tolerance = options.get("clockTolerance")?;
        let max_age = options.get("maxAge")?.map(|age| age.duration(1..=scalars::MAX_DURATION));
        let revocations = options.get("revocations")?;
        let keys = options.require("keys")?;
        let source = keys_of(&keys)?;
        let remote = matches!(source, KeySource::Set(_)).then(|| out::same(&keys));
        let core = VerifierOptions {
            keys: source,
            algorithms: algorithms.transpose()?,
            issuer: expected(&options, "issuer")?,
            audience: expected(&options, "audience")?,
            clock_tolerance: tolerance
                .map_or(Ok(0), |seconds| seconds.duration(0..=MAX_CLOCK_TOLERANCE))?,
            max_age: max_age.transpose()?,
            typ: options.get("typ")?.map(|typ| typ.string(1..=256)).transpose()?,
            revocations: revocations.map(|list| list.handle::<RevocationList>()).transpose()?,
        };
        let core = Verifier::new(core, CLOCK.clone())?;
        Arg::new(env, &verifier, "this").attach(Arc::new(core))?;
        Ok(remote)
    })
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
        // Beyond the limit it is no token, which is an answer.
        let token = Arg::new(env, &token, "token").string(0..=usize::MAX)?;
        let mut payload = Vec::new();
        Ok(match verify_jws(token.as_bytes(), &keys, &algorithms, &mut payload) {
            Ok(()) => Either::A(payload.into()),
            Err(rejection) => Either::B(rejection.to_status()),
        })
    })
}

/// What the status that `verify` gives stands for.
#[napi(catch_unwind)]
pub fn jwt_rejection(status: u32) -> Option<NativeRejection> {
    let rejection = Rejection::from_status(status)?;
    let detail = rejection.detail();
    Some(NativeRejection {
        code: rejection.code().as_str(),
        message: rejection.message(),
        claim: detail.map(|(claim, _)| claim.name()),
        reason: detail.map(|(_, reason)| reason.name()),
    })
}

/// A name, several, or `false`: a check is not waived by forgetting it.
fn expected(options: &Options<'_>, name: &'static str) -> Result<Expected> {
    let arg = options.require(name)?;
    if arg.is_false()? {
        return Ok(Expected::Anything);
    }
    Ok(Expected::OneOf(arg.strings(MAX_NAMES, NAME_LEN)?))
}
