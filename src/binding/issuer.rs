//! `JwtIssuer`.

use std::ops::RangeInclusive;
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Either, Unknown};
use napi_derive::napi;

use super::args::handle::Handle;
use super::args::{Arg, Result, scalars};
use super::key::signing_keys_of;
use super::offload::{Offloaded, offload};
use super::revocation::TOKEN_TTL;
use super::{CLOCK, fast, guard};
use crate::jwt::{Issuer, IssuerOptions, MAX_TOKEN_LEN, Overrides, Unsigned};

/// The bounds of the name of an issuer or of a recipient, in bytes.
pub const NAME_LEN: RangeInclusive<usize> = 1..=2048;
/// How many recipients or issuers may be named.
pub const MAX_NAMES: u32 = 100;

impl Handle for Issuer {
    const TAG: u128 = 0x2f7e_9f31_aa3c_4e7c_b1f2_98cf_5b8e_2a0a;
    const CLASS: &'static str = "JwtIssuer";
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

/// What is ASCII, as tokens are.
fn text(token: Vec<u8>) -> Result<String> {
    String::from_utf8(token).map_err(|_| super::internal().into())
}
