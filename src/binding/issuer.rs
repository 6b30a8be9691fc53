//! `JwtIssuer`.

use std::ops::RangeInclusive;
use std::sync::Arc;

use napi::bindgen_prelude::{Either, Unknown};
use napi::{Env, sys};
use napi_derive::napi;

use super::args::handle::Handle;
use super::args::{Arg, Outcome, Result, options, scalars};
use super::clock::ClockOptions;
use super::fast::{self, Buffers, Hot, RawCall};
use super::guard;
use super::jws::{header_members, text};
use super::key::source::signing_keys;
use super::offload::{Offloaded, offload};
use super::revocation::options::TOKEN_TTL;
use crate::jwt::{
    Issuer, IssuerOptions, KeySource, MAX_BACKDATING, MAX_TOKEN_LEN, Overrides, Unsigned,
};

/// The bounds of the name of an issuer or of a recipient, in bytes.
pub(super) const NAME_LEN: RangeInclusive<usize> = 1..=2048;
/// How many recipients or issuers may be named.
pub(super) const MAX_NAMES: u32 = 100;

impl Handle for Issuer {
    const TAG: u128 = 0x2f7e_9f31_aa3c_4e7c_b1f2_98cf_5b8e_2a0a;
    const CLASS: &'static str = "JwtIssuer";
}

options! {
    /// The options of `JwtIssuer`.
    pub(super) struct SigningOptions for "JwtIssuer" {
        /// The key that signs, or a key ring that holds it.
        keys("keys"): KeySource = required(signing_keys),
        /// The claim `iss`.
        issuer("issuer"): Option<String> = optional(|name| name.string(NAME_LEN)),
        /// The claim `aud`.
        audience("audience"): Option<Vec<String>> =
            optional(|names| names.strings(MAX_NAMES, NAME_LEN)),
        /// The life of a token, in seconds.
        expires_in("expiresIn"): u64 = required(|ttl| ttl.duration(TOKEN_TTL)),
        /// The type in the header.
        typ("typ"): Option<String> = optional(|typ| typ.string(1..=256)),
        /// Whether tokens get a claim `jti`.
        jti("jti"): bool = default(true, |jti| jti.boolean()),
        /// The clock.
        clock: ClockOptions = flatten(ClockOptions),
    }
}

options! {
    /// The overrides of `sign` and `signAsync`.
    pub(super) struct SignOptions for "JwtIssuer.prototype.sign" {
        /// The claim `aud`.
        audience("audience"): Option<Vec<String>> =
            optional(|names| names.strings(MAX_NAMES, NAME_LEN)),
        /// The life of the token, in seconds.
        expires_in("expiresIn"): Option<u64> = optional(|ttl| ttl.duration(TOKEN_TTL)),
        /// How long it takes until the token is valid, in seconds.
        not_before("notBefore"): Option<u64> =
            optional(|wait| wait.duration(0..=scalars::MAX_DURATION)),
        /// How long ago the token was issued, in seconds.
        issued_at("issuedAt"): u64 = default(0, |seconds| seconds.seconds_ago(MAX_BACKDATING)),
        // More header parameters, which the façade passes as JSON text.
        facade("header"),
    }
}

/// `(claims: JSON text) => token`
impl Hot for Issuer {
    const NAME: &'static str = "sign";
    const ARGUMENTS: usize = 1;

    fn call(&self, call: &RawCall) -> Result<sys::napi_value> {
        fast::with_buffers(|buffers| {
            let claims = call.argument(0, "claims");
            let text = claims.utf8_in(&mut buffers.text)?;
            let text = text.and_then(|text| std::str::from_utf8(text).ok()).ok_or_else(|| {
                claims.out_of_range(format!("less than {MAX_TOKEN_LEN} bytes as JSON"))
            })?;
            let Buffers { payload, token, .. } = buffers;
            self.sign_into(text, &Overrides::default(), payload, token)?;
            call.string(token)
        })
    }
}

/// Attaches a new issuer to the façade object `issuer`.
#[napi(catch_unwind)]
pub(super) fn issuer_attach(
    env: &Env,
    issuer: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let options: SigningOptions = Arg::new(env, &options, "options").read()?;
        let core = IssuerOptions {
            keys: options.keys,
            issuer: options.issuer,
            audience: options.audience.unwrap_or_default(),
            expires_in: options.expires_in,
            typ: options.typ.unwrap_or_else(|| "JWT".into()),
            jti: options.jti,
        };
        let core = Issuer::new(core, options.clock.clock)?;
        Arg::new(env, &issuer, "this").attach(Arc::new(core))
    })
}

/// `sign`, bound to an issuer.
#[napi(catch_unwind)]
pub(super) fn issuer_bind<'env>(
    env: &'env Env,
    issuer: Unknown<'_>,
) -> napi::Result<Outcome<Unknown<'env>>> {
    guard(env, || fast::bind(env, Arg::new(env, &issuer, "this").handle::<Issuer>()?))
}

/// Signs claims, JSON text, with overrides. `header` is a JSON object as text, or `undefined`.
#[napi(catch_unwind)]
pub(super) fn issuer_sign(
    env: &Env,
    issuer: Unknown<'_>,
    claims: Unknown<'_>,
    overrides: Unknown<'_>,
    header: Unknown<'_>,
) -> napi::Result<Outcome<String>> {
    guard(env, || text(unsigned(env, &issuer, &claims, &overrides, &header)?.sign()?))
}

/// As `issuer_sign`, except with an RSA key: then signs on another thread and returns a promise.
#[napi(catch_unwind)]
pub(super) fn issuer_sign_async(
    env: &Env,
    issuer: Unknown<'_>,
    claims: Unknown<'_>,
    overrides: Unknown<'_>,
    header: Unknown<'_>,
) -> napi::Result<Outcome<Either<String, Offloaded<String>>>> {
    guard(env, || {
        let unsigned = unsigned(env, &issuer, &claims, &overrides, &header)?;
        if unsigned.is_slow() {
            return Ok(Either::B(offload(env, move || text(unsigned.sign()?))));
        }
        Ok(Either::A(text(unsigned.sign()?)?))
    })
}

fn unsigned(
    env: &Env,
    issuer: &Unknown<'_>,
    claims: &Unknown<'_>,
    overrides: &Unknown<'_>,
    header: &Unknown<'_>,
) -> Result<Unsigned> {
    let issuer = Arg::new(env, issuer, "this").handle::<Issuer>()?;
    let claims = Arg::new(env, claims, "claims").string(0..=MAX_TOKEN_LEN)?;
    let overrides: SignOptions = Arg::new(env, overrides, "overrides").read()?;
    let header = header_members(&Arg::new(env, header, "header"))?;
    let overrides = Overrides {
        audience: overrides.audience,
        expires_in: overrides.expires_in,
        not_before: overrides.not_before,
        backdated: overrides.issued_at,
        header: header.as_deref(),
        ..Overrides::default()
    };
    Ok(issuer.prepare(&claims, &overrides)?)
}
