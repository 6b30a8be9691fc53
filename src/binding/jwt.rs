//! `JwtKey`, `KeyRing`, `JwtIssuer`, `JwtVerifier`.

use std::ops::RangeInclusive;
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Object, Unknown};
use napi_derive::napi;

use super::args::handle::Handle;
use super::args::out::{self, Made};
use super::args::{Arg, Fault, Options, Result, scalars};
use super::revocation::TOKEN_TTL;
use super::{CLOCK, fast, guard, promise};
use crate::error::Code;
use crate::jwt::{
    Algorithm, Expected, Issuer, IssuerOptions, Key, KeyRing, KeySource, KeyState,
    MAX_CLOCK_TOLERANCE, MAX_KEY_LEN, MAX_KID_LEN, MAX_TOKEN_LEN, Overrides, Rejection,
    RingOptions, Verifier, VerifierOptions,
};
use crate::revocation::RevocationList;

const NAME_LEN: RangeInclusive<usize> = 1..=2048;
const MAX_NAMES: u32 = 100;
const MAX_KEYS: u32 = 1000;

impl Handle for Key {
    const TAG: u128 = 0x6a0d_b7d1_5c8c_4a52_9f41_1c1f_7f4a_6808;
    const CLASS: &'static str = "JwtKey";
}

impl Handle for KeyRing {
    const TAG: u128 = 0xc85b_0f9d_6b52_4a11_88e4_64f2_33ad_1909;
    const CLASS: &'static str = "KeyRing";
}

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

/// A key of a ring.
#[napi(object, object_from_js = false)]
pub struct NativeKeyInfo {
    /// Its id.
    pub kid: String,
    /// Its algorithm.
    pub alg: &'static str,
    /// `next`, `active`, `retired` or `revoked`.
    pub state: &'static str,
    /// Since when, in seconds since 1970.
    pub since: f64,
}

/// A JWK Set and how to serve it.
#[napi(object, object_from_js = false)]
pub struct NativeJwks {
    /// JSON.
    pub body: String,
    /// Entity tag, with quotes.
    pub etag: String,
    /// Seconds.
    pub max_age: f64,
}

/// Makes a key on the worker pool; resolves to a carrier.
#[napi(catch_unwind)]
pub fn key_generate<'env>(
    env: &'env Env,
    alg: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Object<'env>> {
    let (algorithm, bits, kid) = guard(env, || {
        let algorithm = algorithm(&Arg::new(env, &alg, "alg"))?;
        let options = Arg::new(env, &options, "options").options(&["kid", "modulusLength"])?;
        let bits = options.get("modulusLength")?.map(|bits| bits.integer32(2048..=8192));
        Ok((algorithm, bits.transpose()?, kid(&options)?))
    })?;
    promise(
        env,
        move |delivery| delivery.send(Key::generate(algorithm, bits, kid.as_deref())),
        |env, key: Key| guard(&env, || out::carrier(&env, Arc::new(key))),
    )
}

/// A carrier of an HMAC key.
#[napi(catch_unwind)]
pub fn key_from_secret(env: &Env, secret: Unknown<'_>, options: Unknown<'_>) -> napi::Result<Made> {
    guard(env, || {
        let (algorithm, kid) = required_algorithm(env, &options)?;
        Arg::new(env, &secret, "secret").with_key(0..=MAX_KEY_LEN, |secret| {
            out::carrier(env, Arc::new(Key::from_secret(secret, algorithm, kid.as_deref())?))
        })
    })
}

/// A carrier of a key from PEM.
#[napi(catch_unwind)]
pub fn key_from_pem(env: &Env, pem: Unknown<'_>, options: Unknown<'_>) -> napi::Result<Made> {
    guard(env, || {
        let (algorithm, kid) = required_algorithm(env, &options)?;
        Arg::new(env, &pem, "pem").with_long_secret(0..=MAX_KEY_LEN, |pem| {
            out::carrier(env, Arc::new(Key::from_pem(pem, algorithm, kid.as_deref())?))
        })
    })
}

/// A carrier of a key from PKCS#8 or SPKI.
#[napi(catch_unwind)]
pub fn key_from_der(
    env: &Env,
    der: Unknown<'_>,
    private: bool,
    options: Unknown<'_>,
) -> napi::Result<Made> {
    guard(env, || {
        let (algorithm, kid) = required_algorithm(env, &options)?;
        Arg::new(env, &der, "key").with_bytes(0..=MAX_KEY_LEN, |der| {
            let make = if private { Key::from_pkcs8 } else { Key::from_spki };
            out::carrier(env, Arc::new(make(der, algorithm, kid.as_deref())?))
        })
    })
}

/// A carrier of a public key from a JWK's JSON.
#[napi(catch_unwind)]
pub fn key_from_public_jwk(
    env: &Env,
    json: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Made> {
    guard(env, || {
        let (algorithm, kid) = required_algorithm(env, &options)?;
        let json = Arg::new(env, &json, "jwk").string(0..=MAX_KEY_LEN)?;
        out::carrier(env, Arc::new(Key::from_public_jwk(&json, algorithm, kid.as_deref())?))
    })
}

/// `key` becomes what `carrier` carries.
#[napi(catch_unwind)]
pub fn key_attach(env: &Env, key: Unknown<'_>, carrier: Unknown<'_>) -> napi::Result<()> {
    guard(env, || {
        let held = Arg::new(env, &carrier, "carrier").handle::<Key>()?;
        Arg::new(env, &key, "this").attach(held)
    })
}

/// `[kid, alg]`
#[napi(catch_unwind)]
pub fn key_names(env: &Env, key: Unknown<'_>) -> napi::Result<Vec<String>> {
    guard(env, || {
        let key = Arg::new(env, &key, "this").handle::<Key>()?;
        Ok(vec![key.kid().into(), key.algorithm().name().into()])
    })
}

/// Whether the key can sign.
#[napi(catch_unwind)]
pub fn key_is_private(env: &Env, key: Unknown<'_>) -> napi::Result<bool> {
    guard(env, || Ok(Arg::new(env, &key, "this").handle::<Key>()?.is_private()))
}

/// The JSON of the public half.
#[napi(catch_unwind)]
pub fn key_public_jwk(env: &Env, key: Unknown<'_>) -> napi::Result<String> {
    guard(env, || {
        Arg::new(env, &key, "this").handle::<Key>()?.public_jwk().ok_or_else(|| {
            Fault::new(Code::JwtKey, "an HMAC key has no public half: it must stay secret")
        })
    })
}

/// `ring` becomes a key ring.
#[napi(catch_unwind)]
pub fn keyring_attach(env: &Env, ring: Unknown<'_>, options: Unknown<'_>) -> napi::Result<()> {
    guard(env, || {
        let options = Arg::new(env, &options, "options").options(&[
            "alg",
            "keys",
            "maxTokenTtl",
            "jwksMaxAge",
        ])?;
        let mut own = RingOptions::default();
        if let Some(alg) = options.get("alg")? {
            own.algorithm = algorithm(&alg)?;
        }
        if let Some(ttl) = options.get("maxTokenTtl")? {
            own.max_token_ttl = ttl.duration(TOKEN_TTL)?;
        }
        if let Some(age) = options.get("jwksMaxAge")? {
            own.jwks_max_age = age.duration(0..=scalars::MAX_DURATION)?;
        }
        let core = KeyRing::new(own, CLOCK.clone());
        if let Some(keys) = options.get("keys")? {
            let mut state = KeyState::Active;
            for key in keys.array(MAX_KEYS)? {
                core.add(key.handle::<Key>()?, Some(state))?;
                state = KeyState::Retired;
            }
        }
        Arg::new(env, &ring, "this").attach(Arc::new(core))
    })
}

/// Adds a key.
#[napi(catch_unwind)]
pub fn keyring_add(
    env: &Env,
    ring: Unknown<'_>,
    key: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<()> {
    guard(env, || {
        let ring = Arg::new(env, &ring, "this").handle::<KeyRing>()?;
        let key = Arg::new(env, &key, "key").handle::<Key>()?;
        let options = Arg::new(env, &options, "options").options(&["state"])?;
        let states = [KeyState::Next, KeyState::Active, KeyState::Retired];
        let state = options.get("state")?;
        let state = state.map(|text| text.one_of(&states.map(|state| (state.name(), state))));
        Ok(ring.add(key, state.transpose()?)?)
    })
}

/// Refuses a key from now on.
#[napi(catch_unwind)]
pub fn keyring_revoke(env: &Env, ring: Unknown<'_>, kid: Unknown<'_>) -> napi::Result<()> {
    guard(env, || {
        let ring = Arg::new(env, &ring, "this").handle::<KeyRing>()?;
        Ok(ring.revoke(&Arg::new(env, &kid, "kid").string(1..=MAX_KID_LEN)?)?)
    })
}

/// Rotates; resolves to the id of the key that now signs.
#[napi(catch_unwind)]
pub fn keyring_rotate<'env>(
    env: &'env Env,
    ring: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Object<'env>> {
    let (ring, force) = guard(env, || {
        let ring = Arg::new(env, &ring, "this").handle::<KeyRing>()?;
        let options = Arg::new(env, &options, "options").options(&["force"])?;
        Ok((ring, options.get("force")?.map_or(Ok(false), |force| force.boolean())?))
    })?;
    let work = move |delivery: &mut crate::password::pool::Delivery<String>| {
        let algorithm = ring.options().algorithm;
        delivery.send(ring.rotate(force, || Key::generate(algorithm, None, None)));
    };
    promise(env, work, |_, kid: String| Ok(kid))
}

/// The keys.
#[napi(catch_unwind)]
pub fn keyring_list(env: &Env, ring: Unknown<'_>) -> napi::Result<Vec<NativeKeyInfo>> {
    guard(env, || {
        let keys = Arg::new(env, &ring, "this").handle::<KeyRing>()?.list();
        let info = keys.into_iter().map(|key| NativeKeyInfo {
            kid: key.kid,
            alg: key.algorithm.name(),
            state: key.state.name(),
            since: key.since as f64,
        });
        Ok(info.collect())
    })
}

/// The JWK Set.
#[napi(catch_unwind)]
pub fn keyring_jwks(env: &Env, ring: Unknown<'_>) -> napi::Result<NativeJwks> {
    guard(env, || {
        let jwks = Arg::new(env, &ring, "this").handle::<KeyRing>()?.jwks();
        Ok(NativeJwks { body: jwks.body, etag: jwks.etag, max_age: jwks.max_age as f64 })
    })
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
            keys: key_source(&options)?,
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

/// `verifier` becomes a verifier.
#[napi(catch_unwind)]
pub fn verifier_attach(env: &Env, verifier: Unknown<'_>, options: Unknown<'_>) -> napi::Result<()> {
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
        let algorithms = options.get("algorithms")?.map(|names| {
            let names = names.array(MAX_NAMES)?;
            if names.is_empty() {
                return Err(Fault::new(Code::OutOfRange, "algorithms must name at least one"));
            }
            names.iter().map(algorithm).collect::<Result<Vec<_>>>()
        });
        let tolerance = options.get("clockTolerance")?;
        let max_age = options.get("maxAge")?.map(|age| age.duration(1..=scalars::MAX_DURATION));
        let revocations = options.get("revocations")?;
        let core = VerifierOptions {
            keys: key_source(&options)?,
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
        Arg::new(env, &verifier, "this").attach(Arc::new(core))
    })
}

/// `verify`, bound to a verifier.
#[napi(catch_unwind)]
pub fn verifier_bind<'env>(env: &'env Env, verifier: Unknown<'_>) -> napi::Result<Unknown<'env>> {
    guard(env, || fast::bind(env, Arg::new(env, &verifier, "this").handle::<Verifier>()?))
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

fn required_algorithm(env: &Env, options: &Unknown<'_>) -> Result<(Algorithm, Option<String>)> {
    let options = Arg::new(env, options, "options").options(&["alg", "kid"])?;
    Ok((algorithm(&options.require("alg")?)?, kid(&options)?))
}

fn algorithm(arg: &Arg<'_>) -> Result<Algorithm> {
    arg.one_of(&Algorithm::ALL.map(|algorithm| (algorithm.name(), algorithm)))
}

fn kid(options: &Options<'_>) -> Result<Option<String>> {
    options.get("kid")?.map(|kid| kid.string(1..=MAX_KID_LEN)).transpose()
}

fn key_source(options: &Options<'_>) -> Result<KeySource> {
    let keys = options.require("keys")?;
    if let Some(ring) = keys.handle_if::<KeyRing>()? {
        return Ok(KeySource::Ring(ring));
    }
    if let Some(key) = keys.handle_if::<Key>()? {
        return Ok(KeySource::Keys(vec![key]));
    }
    let Ok(list) = keys.array(MAX_KEYS) else {
        return Err(keys.wrong_type("a KeyRing, a JwtKey or an array of JwtKeys"));
    };
    Ok(KeySource::Keys(list.iter().map(Arg::handle::<Key>).collect::<Result<_>>()?))
}

/// A name, several, or `false`: a check is not waived by forgetting it.
fn expected(options: &Options<'_>, name: &'static str) -> Result<Expected> {
    let arg = options.require(name)?;
    if arg.is_false()? {
        return Ok(Expected::Anything);
    }
    let names = arg.strings(MAX_NAMES, NAME_LEN)?;
    if names.is_empty() {
        return Err(arg.out_of_range("at least one name, or false to accept any"));
    }
    Ok(Expected::OneOf(names))
}
