//! `JwtKey`.

mod algorithm;
pub(super) mod source;

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Either, Unknown};
use napi_derive::napi;

pub(super) use self::algorithm::{ImportOptions, algorithm, algorithms};
use super::args::handle::Handle;
use super::args::out::{self, LocalValue};
use super::args::{Arg, Fault, Outcome, Result, options};
use super::guard;
use super::offload::{Offloaded, offload_into};
use crate::error::Code;
use crate::jwt::{
    Algorithm, Ignored, Imported, Key, MAX_KEY_LEN, MAX_KID_LEN, Purpose, import, names_of,
};
use crate::secret::{Depth, Secret, TraceGuard};

/// The longest passphrase of a key file, in bytes.
const MAX_PASSPHRASE_LEN: usize = 1024;

/// The purposes for which a JWK is read.
const PURPOSES: [(&str, Purpose); 3] =
    [("sign", Purpose::Sign), ("verify", Purpose::Verify), ("both", Purpose::Both)];

impl Handle for Key {
    const TAG: u128 = 0x6a0d_b7d1_5c8c_4a52_9f41_1c1f_7f4a_6808;
    const CLASS: &'static str = "JwtKey";

    fn external_len(&self) -> u32 {
        // Counted like secrets, with a factor of 16: the computed state takes some 256 bytes of the
        // secure heap, and the original takes its length.
        let original = self.original().map_or(0, Secret::len);
        u32::try_from(original + 256).unwrap_or(u32::MAX).saturating_mul(16)
    }
}

options! {
    /// The options of `JwtKey.generate`.
    pub(super) struct GenerateOptions for "JwtKey.generate" {
        /// The key's id; made from the key unless given.
        kid("kid"): Option<String> = optional(kid),
        /// The length of an RSA key, in bits.
        modulus_length("modulusLength"): Option<u32> = optional(modulus_length),
    }
}

options! {
    /// The options of `JwtKey.fromSecret`, and of a JWK whose algorithm is known.
    pub(super) struct KeyOptions for "JwtKey.fromSecret" {
        /// The algorithm.
        alg("alg"): Algorithm = required(algorithm),
        /// The key's id; made from the key unless given.
        kid("kid"): Option<String> = optional(kid),
    }
}

options! {
    /// The options of `JwtKey.fromJwk`.
    pub(super) struct JwkOptions for "JwtKey.fromJwk" {
        /// The algorithm; that of the JWK unless given.
        alg("alg"): Option<Algorithm> = optional(algorithm),
        /// The key's id; that of the JWK unless given.
        kid("kid"): Option<String> = optional(kid),
    }
}

options! {
    /// The options of `JwtKey.fromPem` and `JwtKey.fromDer`.
    pub(super) struct FileOptions for "JwtKey.fromPem" {
        /// The algorithm.
        alg("alg"): Algorithm = required(algorithm),
        /// The key's id; made from the key unless given.
        kid("kid"): Option<String> = optional(kid),
        /// The passphrase of an encrypted key file.
        passphrase("passphrase"): Option<Secret> = optional(passphrase),
    }
}

/// Generates a key and returns its carrier. An RSA key takes up to seconds, so for RSA this returns
/// a promise of the carrier.
#[napi(catch_unwind)]
pub(super) fn key_generate(
    env: &Env,
    alg: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<Either<LocalValue, Offloaded<Key, LocalValue>>>> {
    guard(env, || {
        let algorithm = algorithm(Arg::new(env, &alg, "alg"))?;
        let GenerateOptions { kid, modulus_length } = Arg::new(env, &options, "options").read()?;
        let generate = move || Ok(Key::generate(algorithm, modulus_length, kid.as_deref())?);
        if algorithm.is_rsa() {
            return Ok(Either::B(offload_into(env, generate, carry)));
        }
        Ok(Either::A(carry(env, generate()?)?))
    })
}

/// `[alg, kid]` of the options of a `CryptoKey`.
#[napi(catch_unwind)]
pub(super) fn key_options(
    env: &Env,
    options: Unknown<'_>,
) -> napi::Result<Outcome<Vec<Option<String>>>> {
    guard(env, || {
        let KeyOptions { alg, kid, .. } = Arg::new(env, &options, "options").read()?;
        Ok(vec![Some(alg.name().to_owned()), kid])
    })
}

/// `[alg, kid]` for a JWK: from the options, or from the JWK itself. Checks that the JWK may be
/// used for `purpose`. `json` holds at least its `use`, `key_ops`, `alg` and `kid`.
#[napi(catch_unwind)]
pub(super) fn key_jwk_names(
    env: &Env,
    json: Unknown<'_>,
    purpose: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<Vec<Option<String>>>> {
    guard(env, || {
        let JwkOptions { alg, kid } = Arg::new(env, &options, "options").read()?;
        let purpose = Arg::new(env, &purpose, "purpose").one_of(&PURPOSES)?;
        // The core refuses a text that is too long to be a JWK.
        let json = Arg::new(env, &json, "jwk").string(0..=usize::MAX)?;
        let (alg, kid) = names_of(&json, purpose, alg, kid)?.ok_or_else(|| {
            Fault::new(
                Code::MissingOption,
                "the option \"alg\" is required for a JWK that has no \"alg\"",
            )
        })?;
        Ok(vec![Some(alg.name().to_owned()), kid])
    })
}

/// Attaches a new HMAC key to the façade object `key`.
#[napi(catch_unwind)]
pub(super) fn key_from_secret(
    env: &Env,
    key: Unknown<'_>,
    secret: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let KeyOptions { alg, kid } = Arg::new(env, &options, "options").read()?;
        let core = TraceGuard::run(Depth::Registers, |trace| {
            Arg::new(env, &secret, "secret").with_key(trace, 0..=MAX_KEY_LEN, |secret| {
                Ok(Key::from_secret(secret, alg, kid.as_deref())?)
            })
        })?;
        Arg::new(env, &key, "this").attach(Arc::new(core))
    })
}

/// Attaches the key in a PEM to the façade object `key`.
#[napi(catch_unwind)]
pub(super) fn key_from_pem(
    env: &Env,
    key: Unknown<'_>,
    pem: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let FileOptions { alg, kid, passphrase } = Arg::new(env, &options, "options").read()?;
        let core = TraceGuard::run(Depth::Registers, |trace| {
            let passphrase = passphrase.as_ref().map(|passphrase| passphrase.expose(trace));
            Arg::new(env, &pem, "pem").with_long_secret(trace, 0..=MAX_KEY_LEN, |pem| {
                Ok(Key::open_pem(pem, passphrase, alg, kid.as_deref())?)
            })
        })?;
        Arg::new(env, &key, "this").attach(Arc::new(core))
    })
}

/// Attaches the key in DER to the façade object `key`.
#[napi(catch_unwind)]
pub(super) fn key_from_der(
    env: &Env,
    key: Unknown<'_>,
    der: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let FileOptions { alg, kid, passphrase } = Arg::new(env, &options, "options").read()?;
        let core = TraceGuard::run(Depth::Registers, |trace| {
            let passphrase = passphrase.as_ref().map(|passphrase| passphrase.expose(trace));
            Arg::new(env, &der, "der").with_key(trace, 0..=MAX_KEY_LEN, |der| {
                Ok(Key::open_der(der, passphrase, alg, kid.as_deref())?)
            })
        })?;
        Arg::new(env, &key, "this").attach(Arc::new(core))
    })
}

/// Attaches the public key of a certificate to the façade object `key`.
#[napi(catch_unwind)]
pub(super) fn key_from_certificate(
    env: &Env,
    key: Unknown<'_>,
    certificate: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let KeyOptions { alg, kid } = Arg::new(env, &options, "options").read()?;
        let core = TraceGuard::run(Depth::Registers, |trace| {
            let certificate = Arg::new(env, &certificate, "certificate");
            certificate.with_long_secret(trace, 0..=MAX_KEY_LEN, |certificate| {
                Ok(Key::from_certificate(certificate, alg, kid.as_deref())?)
            })
        })?;
        Arg::new(env, &key, "this").attach(Arc::new(core))
    })
}

/// Checks that `json`, the public members of a private JWK, are the public half of `key`.
#[napi(catch_unwind)]
pub(super) fn key_check_halves(
    env: &Env,
    key: Unknown<'_>,
    json: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let key = Arg::new(env, &key, "this").handle::<Key>()?;
        Ok(key.check_public_members(&Arg::new(env, &json, "jwk").string(0..=usize::MAX)?)?)
    })
}

/// Attaches the public key in a JWK's JSON to the façade object `key`.
#[napi(catch_unwind)]
pub(super) fn key_from_public_jwk(
    env: &Env,
    key: Unknown<'_>,
    json: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let KeyOptions { alg, kid } = Arg::new(env, &options, "options").read()?;
        let json = Arg::new(env, &json, "jwk").string(0..=usize::MAX)?;
        let core = Key::from_public_jwk(&json, alg, kid.as_deref())?;
        Arg::new(env, &key, "this").attach(Arc::new(core))
    })
}

/// The keys that a JWK Set makes.
#[napi(object, object_from_js = false)]
pub(super) struct NativeImported {
    /// Carriers of the keys.
    pub keys: Vec<LocalValue>,
    /// The entries that are left out.
    pub ignored: Vec<NativeIgnored>,
}

/// An entry of a JWK Set that is left out.
#[napi(object, object_from_js = false)]
pub(super) struct NativeIgnored {
    /// Its `kid`, if it has a usable one.
    pub kid: Option<String>,
    /// Why it is left out, one sentence.
    pub reason: String,
}

/// Imports the public keys of a JWK Set's JSON.
#[napi(catch_unwind)]
pub(super) fn key_import_set(
    env: &Env,
    json: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<NativeImported>> {
    guard(env, || {
        let options: ImportOptions = Arg::new(env, &options, "options").read()?;
        // The core refuses a text that is too long to be a JWK Set.
        let json = Arg::new(env, &json, "jwks").string(0..=usize::MAX)?;
        let Imported { keys, ignored } = import(&json, &options.rules())?;
        let keys = keys.into_iter().map(|key| carry(env, key)).collect::<Result<_>>()?;
        Ok(NativeImported { keys, ignored: ignored.into_iter().map(Into::into).collect() })
    })
}

/// Attaches the key of a carrier to the façade object `key`.
#[napi(catch_unwind)]
pub(super) fn key_from_carrier(
    env: &Env,
    key: Unknown<'_>,
    carrier: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let held = Arg::new(env, &carrier, "carrier").handle::<Key>()?;
        Arg::new(env, &key, "this").attach(held)
    })
}

/// `[kid, alg]`
#[napi(catch_unwind)]
pub(super) fn key_names(env: &Env, key: Unknown<'_>) -> napi::Result<Outcome<Vec<String>>> {
    guard(env, || {
        let key = Arg::new(env, &key, "this").handle::<Key>()?;
        Ok(vec![key.kid().into(), key.algorithm().name().into()])
    })
}

/// Whether the key can sign.
#[napi(catch_unwind)]
pub(super) fn key_is_private(env: &Env, key: Unknown<'_>) -> napi::Result<Outcome<bool>> {
    guard(env, || Ok(Arg::new(env, &key, "this").handle::<Key>()?.is_private()))
}

/// The JSON of the public half.
#[napi(catch_unwind)]
pub(super) fn key_public_jwk(env: &Env, key: Unknown<'_>) -> napi::Result<Outcome<String>> {
    guard(env, || {
        Arg::new(env, &key, "this").handle::<Key>()?.public_jwk().ok_or_else(|| {
            Fault::new(Code::JwtKey, "an HMAC key has no public JWK: it must stay secret")
        })
    })
}

impl From<Ignored> for NativeIgnored {
    fn from(Ignored { kid, reason }: Ignored) -> Self {
        Self { kid, reason: reason.into_owned() }
    }
}

fn carry(env: &Env, key: Key) -> Result<LocalValue> {
    out::carrier(env, Arc::new(key))
}

fn kid(kid: Arg<'_>) -> Result<String> {
    kid.string(1..=MAX_KID_LEN)
}

fn modulus_length(bits: Arg<'_>) -> Result<u32> {
    match bits.integer32(2048..=4096)? {
        length @ (2048 | 3072 | 4096) => Ok(length),
        _ => Err(bits.out_of_range("2048, 3072 or 4096")),
    }
}

fn passphrase(passphrase: Arg<'_>) -> Result<Secret> {
    TraceGuard::run(Depth::Registers, |trace| {
        passphrase.with_secret(trace, 0..=MAX_PASSPHRASE_LEN, |text| Ok(Secret::copy_from(text)?))
    })
}
