//! `JwtKey` and `KeyRing`.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Object, Unknown};
use napi_derive::napi;

use super::args::handle::Handle;
use super::args::out::{self, Made};
use super::args::{Arg, Fault, Options, Result, scalars};
use super::promise::promise;
use super::revocation::TOKEN_TTL;
use super::{CLOCK, guard};
use crate::error::Code;
use crate::jwt::{
    Algorithm, Key, KeyRing, KeySource, KeyState, MAX_KEY_LEN, MAX_KID_LEN, RingOptions,
};
use crate::mem::Secret;

/// The most keys of a ring's or a verifier's list.
const MAX_KEYS: u32 = 1000;

impl Handle for Key {
    const TAG: u128 = 0x6a0d_b7d1_5c8c_4a52_9f41_1c1f_7f4a_6808;
    const CLASS: &'static str = "JwtKey";

    fn external_len(&self) -> u32 {
        // As for secrets: computed state takes some 256 bytes of the secure heap, and the original
        // its length.
        let original = self.original().map_or(0, Secret::len);
        u32::try_from(original + 256).unwrap_or(u32::MAX).saturating_mul(16)
    }
}

impl Handle for KeyRing {
    const TAG: u128 = 0xc85b_0f9d_6b52_4a11_88e4_64f2_33ad_1909;
    const CLASS: &'static str = "KeyRing";
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
        let bits = options.get("modulusLength")?.map(|bits| match bits.integer32(2048..=4096)? {
            length @ (2048 | 3072 | 4096) => Ok(length),
            _ => Err(bits.out_of_range("2048, 3072 or 4096")),
        });
        Ok((algorithm, bits.transpose()?, kid(&options)?))
    })?;
    promise(
        env,
        move |delivery| delivery.send(Key::generate(algorithm, bits, kid.as_deref())),
        |env, key: Key| guard(&env, || out::carrier(&env, Arc::new(key))),
    )
}

/// `[alg, kid]` of options, each where it is given.
#[napi(catch_unwind)]
pub fn key_options(env: &Env, options: Unknown<'_>) -> napi::Result<Vec<Option<String>>> {
    guard(env, || {
        let options = Arg::new(env, &options, "options").options(&["alg", "kid"])?;
        let alg = options.get("alg")?.map(|alg| algorithm(&alg)).transpose()?;
        Ok(vec![alg.map(|alg| alg.name().to_owned()), kid(&options)?])
    })
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

/// The option `keys` of an issuer or a verifier.
pub fn key_source(options: &Options<'_>) -> Result<KeySource> {
    let keys = options.require("keys")?;
    if let Some(ring) = keys.handle_if::<KeyRing>()? {
        return Ok(KeySource::Ring(ring));
    }
    if let Some(key) = keys.handle_if::<Key>()? {
        return Ok(KeySource::Keys(vec![key]));
    }
    if !keys.is_array()? {
        return Err(keys.wrong_type("a KeyRing, a JwtKey or an array of JwtKeys"));
    }
    Ok(KeySource::Keys(
        keys.array(MAX_KEYS)?.iter().map(Arg::handle::<Key>).collect::<Result<_>>()?,
    ))
}

/// The name of an algorithm.
pub fn algorithm(arg: &Arg<'_>) -> Result<Algorithm> {
    arg.one_of(&Algorithm::ALL.map(|algorithm| (algorithm.name(), algorithm)))
}

fn required_algorithm(env: &Env, options: &Unknown<'_>) -> Result<(Algorithm, Option<String>)> {
    let options = Arg::new(env, options, "options").options(&["alg", "kid"])?;
    Ok((algorithm(&options.require("alg")?)?, kid(&options)?))
}

fn kid(options: &Options<'_>) -> Result<Option<String>> {
    options.get("kid")?.map(|kid| kid.string(1..=MAX_KID_LEN)).transpose()
}
