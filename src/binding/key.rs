//! `JwtKey`, and the options that say which keys and algorithms.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Either, Unknown};
use napi_derive::napi;
use secrecy::ExposeSecret;

use super::args::handle::Handle;
use super::args::out::{self, Made};
use super::args::{Arg, Fault, Options, Result};
use super::guard;
use super::offload::{Offloaded, offload_into};
use crate::error::Code;
use crate::jwt::{
    Algorithm, ImportRules, Key, KeyRing, KeySet, KeySource, KeyUse, MAX_KEY_LEN, MAX_KID_LEN,
    Purpose, check_purpose, import,
};
use crate::mem::Secret;

/// The longest passphrase of a key file, in bytes.
const MAX_PASSPHRASE_LEN: usize = 1024;
/// The most keys of a ring's or a verifier's list.
pub const MAX_KEYS: u32 = 1000;
/// The most names of algorithms.
const MAX_ALGORITHMS: u32 = 100;

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

/// A carrier of a new key, or of an RSA key, which takes up to seconds, a promise of one.
#[napi(catch_unwind)]
pub fn key_generate(
    env: &Env,
    alg: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Either<Made, Offloaded<Key, Made>>> {
    guard(env, || {
        let algorithm = algorithm(&Arg::new(env, &alg, "alg"))?;
        let options = Arg::new(env, &options, "options").options(&["kid", "modulusLength"])?;
        let bits = options.get("modulusLength")?.map(|bits| match bits.integer32(2048..=4096)? {
            length @ (2048 | 3072 | 4096) => Ok(length),
            _ => Err(bits.out_of_range("2048, 3072 or 4096")),
        });
        let (bits, kid) = (bits.transpose()?, kid(&options)?);
        let generate = move || Ok(Key::generate(algorithm, bits, kid.as_deref())?);
        if algorithm.is_rsa() {
            return Ok(Either::B(offload_into(generate, carry)));
        }
        Ok(Either::A(carry(env, generate()?)?))
    })
}

fn carry(env: &Env, key: Key) -> Result<Made> {
    out::carrier(env, Arc::new(key))
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
            carry(env, Key::from_secret(secret, algorithm, kid.as_deref())?)
        })
    })
}

/// A carrier of a key from PEM.
#[napi(catch_unwind)]
pub fn key_from_pem(env: &Env, pem: Unknown<'_>, options: Unknown<'_>) -> napi::Result<Made> {
    guard(env, || {
        let (algorithm, kid, passphrase) = file_options(env, &options)?;
        let passphrase = passphrase.as_ref().map(ExposeSecret::expose_secret);
        Arg::new(env, &pem, "pem").with_long_secret(0..=MAX_KEY_LEN, |pem| {
            carry(env, Key::open_pem(pem, passphrase, algorithm, kid.as_deref())?)
        })
    })
}

/// A carrier of a key from DER.
#[napi(catch_unwind)]
pub fn key_from_der(env: &Env, der: Unknown<'_>, options: Unknown<'_>) -> napi::Result<Made> {
    guard(env, || {
        let (algorithm, kid, passphrase) = file_options(env, &options)?;
        let passphrase = passphrase.as_ref().map(ExposeSecret::expose_secret);
        Arg::new(env, &der, "der").with_key(0..=MAX_KEY_LEN, |der| {
            carry(env, Key::open_der(der, passphrase, algorithm, kid.as_deref())?)
        })
    })
}

/// Whether a JWK, of which `json` is what it says of itself, may be what it is imported as.
#[napi(catch_unwind)]
pub fn key_check_jwk(
    env: &Env,
    json: Unknown<'_>,
    symmetric: bool,
    options: Unknown<'_>,
) -> napi::Result<()> {
    guard(env, || {
        let (algorithm, _) = required_algorithm(env, &options)?;
        let json = Arg::new(env, &json, "jwk").string(0..=MAX_KEY_LEN)?;
        let purpose = if symmetric { Purpose::Both } else { Purpose::Sign };
        Ok(check_purpose(&json, algorithm, purpose)?)
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
        carry(env, Key::from_public_jwk(&json, algorithm, kid.as_deref())?)
    })
}

/// Carriers of the public keys of a JWK Set's JSON.
#[napi(catch_unwind)]
pub fn key_import_set(
    env: &Env,
    json: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Vec<Made>> {
    guard(env, || {
        let options = Arg::new(env, &options, "options").options(&["algorithms", "use"])?;
        let rules = import_rules(&options)?;
        // A longer one is no set, which is an answer.
        let json = Arg::new(env, &json, "jwks").string(0..=usize::MAX)?;
        let keys = import(&json, &rules)?;
        keys.into_iter().map(|key| carry(env, key)).collect()
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

/// A ring, a key or several, or a set that is fetched.
pub fn keys_of(keys: &Arg<'_>) -> Result<KeySource> {
    if let Some(set) = keys.handle_if::<KeySet>()? {
        if set.purpose() != KeyUse::Sig {
            // Their tokens have rules of their own, which nobody else checks.
            return Err(keys.invalid("with the option use: 'jwt-svid' is for JwtVerifier.spiffe"));
        }
        return Ok(KeySource::Set(set));
    }
    own_keys_of(keys, "a KeyRing, a JwtKey, an array of JwtKeys or a RemoteJwks")
}

/// A ring, a key or several: of which one may sign.
pub fn signing_keys_of(keys: &Arg<'_>) -> Result<KeySource> {
    own_keys_of(keys, "a KeyRing or a JwtKey")
}

fn own_keys_of(keys: &Arg<'_>, expected: &str) -> Result<KeySource> {
    if let Some(ring) = keys.handle_if::<KeyRing>()? {
        return Ok(KeySource::Ring(ring));
    }
    if let Some(key) = keys.handle_if::<Key>()? {
        return Ok(KeySource::Keys(vec![key]));
    }
    if !keys.is_array()? {
        return Err(keys.wrong_type(expected));
    }
    Ok(KeySource::Keys(
        keys.array(MAX_KEYS)?.iter().map(Arg::handle::<Key>).collect::<Result<_>>()?,
    ))
}

/// The name of an algorithm.
pub fn algorithm(arg: &Arg<'_>) -> Result<Algorithm> {
    arg.one_of(&Algorithm::ALL.map(|algorithm| (algorithm.name(), algorithm)))
}

/// Several algorithms, by name.
pub fn algorithms(names: &Arg<'_>) -> Result<Vec<Algorithm>> {
    let names = names.array(MAX_ALGORITHMS)?;
    if names.is_empty() {
        return Err(Fault::new(Code::OutOfRange, "algorithms must name at least one"));
    }
    names.iter().map(algorithm).collect()
}

/// `algorithms` and `use`: which keys of a set are taken.
pub fn import_rules(options: &Options<'_>) -> Result<ImportRules> {
    let names = options.get("algorithms")?;
    let algorithms = names.as_ref().map(algorithms).transpose()?;
    if let (Some(names), Some(algorithms)) = (&names, &algorithms)
        && algorithms.iter().any(|algorithm| algorithm.is_symmetric())
    {
        return Err(names.invalid("must be of key pairs: a JWK Set has no HMAC keys"));
    }
    let words = [("sig", KeyUse::Sig), ("jwt-svid", KeyUse::JwtSvid)];
    let purpose = options.get("use")?.map_or(Ok(KeyUse::Sig), |word| word.one_of(&words))?;
    Ok(ImportRules::of(purpose, algorithms))
}

fn required_algorithm(env: &Env, options: &Unknown<'_>) -> Result<(Algorithm, Option<String>)> {
    let options = Arg::new(env, options, "options").options(&["alg", "kid"])?;
    Ok((algorithm(&options.require("alg")?)?, kid(&options)?))
}

/// `alg`, `kid` and the passphrase of a key file.
fn file_options(
    env: &Env,
    options: &Unknown<'_>,
) -> Result<(Algorithm, Option<String>, Option<Secret>)> {
    let options = Arg::new(env, options, "options").options(&["alg", "kid", "passphrase"])?;
    let (algorithm, kid) = (algorithm(&options.require("alg")?)?, kid(&options)?);
    let passphrase = options.get("passphrase")?.map(|passphrase| {
        passphrase.with_secret(0..=MAX_PASSPHRASE_LEN, |text| Ok(Secret::copy_from(text)?))
    });
    Ok((algorithm, kid, passphrase.transpose()?))
}

fn kid(options: &Options<'_>) -> Result<Option<String>> {
    options.get("kid")?.map(|kid| kid.string(1..=MAX_KID_LEN)).transpose()
}
