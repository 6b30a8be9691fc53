//! Encrypts secrets for storage: `seal` and `unseal`.

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use super::buffer::SecretBuffer;
use crate::binding::args::out::{self, LocalValue};
use crate::binding::args::{Arg, Outcome, options};
use crate::binding::guard;
use crate::secret::{self, MAX_CONTEXT_LEN, MAX_SEALED_LEN, SealKind, Secret};

options! {
    /// The options of `SecretBuffer.prototype.seal` and `SecretBuffer.unseal`.
    pub(crate) struct SealOptions for "SecretBuffer.prototype.seal" {
        /// The text that binds a sealed secret to its purpose.
        context("context"): String = required(|context| context.string(1..=MAX_CONTEXT_LEN)),
    }
}

/// Seals the secret. Only the same key and context open the returned `Buffer`.
#[napi(catch_unwind)]
pub(crate) fn secret_seal(
    env: &Env,
    secret: Unknown<'_>,
    key: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<LocalValue>> {
    guard(env, || {
        let secret = Arg::new(env, &secret, "this").handle::<SecretBuffer>()?;
        let SealOptions { context } = Arg::new(env, &options, "options").read()?;
        let key = Arg::new(env, &key, "key");
        let sealed = secret::storing(|| {
            secret.with(|secret| {
                key.with_seal_key(|key| {
                    Ok(secret.seal(key, SealKind::Secret, context.as_bytes())?)
                })
            })
        })?;
        out::buffer(env, &sealed)
    })
}

/// Unseals a secret and attaches it to the façade object `target`.
#[napi(catch_unwind)]
pub(crate) fn secret_unseal(
    env: &Env,
    target: Unknown<'_>,
    sealed: Unknown<'_>,
    key: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let SealOptions { context } = Arg::new(env, &options, "options").read()?;
        let (key, sealed) = (Arg::new(env, &key, "key"), Arg::new(env, &sealed, "sealed"));
        let secret = SecretBuffer::make(|| {
            key.with_seal_key(|key| {
                sealed.with_bytes(0..=MAX_SEALED_LEN, |sealed| {
                    Ok(Secret::unseal(sealed, key, SealKind::Secret, context.as_bytes())?)
                })
            })
        })?;
        Arg::new(env, &target, "this").attach(secret)
    })
}
