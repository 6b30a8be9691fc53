//! Secrets at rest: `seal` and `unseal`.

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use super::SecretBuffer;
use crate::binding::args::out::{self, Made};
use crate::binding::args::{Arg, Result};
use crate::binding::guard;
use crate::secret::{self, MAX_CONTEXT_LEN, MAX_SEALED_LEN, MIN_SEAL_KEY_LEN, SealKind, Secret};

/// The secret as a `Buffer` that only the same key and context open.
#[napi(catch_unwind)]
pub fn secret_seal(
    env: &Env,
    secret: Unknown<'_>,
    key: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Made> {
    guard(env, || {
        let secret = Arg::new(env, &secret, "this").handle::<SecretBuffer>()?;
        let context = context(Arg::new(env, &options, "options"))?;
        let key = Arg::new(env, &key, "key");
        let sealed = secret::storing(|| {
            secret.with(|secret| {
                with_seal_key(&key, |key| {
                    Ok(secret.seal(key, SealKind::Secret, context.as_bytes())?)
                })
            })
        })?;
        out::buffer(env, &sealed)
    })
}

/// `target` becomes what was sealed.
#[napi(catch_unwind)]
pub fn secret_unseal(
    env: &Env,
    target: Unknown<'_>,
    sealed: Unknown<'_>,
    key: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<()> {
    guard(env, || {
        let context = context(Arg::new(env, &options, "options"))?;
        let (key, sealed) = (Arg::new(env, &key, "key"), Arg::new(env, &sealed, "sealed"));
        let secret = SecretBuffer::make(|| {
            with_seal_key(&key, |key| {
                sealed.with_bytes(0..=MAX_SEALED_LEN, |sealed| {
                    Ok(Secret::unseal(sealed, key, SealKind::Secret, context.as_bytes())?)
                })
            })
        })?;
        Arg::new(env, &target, "this").attach(secret)
    })
}

fn context(options: Arg<'_>) -> Result<String> {
    options.options(&["context"])?.require("context")?.string(1..=MAX_CONTEXT_LEN)
}

/// Lends a key that seals, which is a `SecretBuffer` of [`MIN_SEAL_KEY_LEN`] bytes or more.
pub fn with_seal_key<T>(key: &Arg<'_>, call: impl FnOnce(&Secret) -> Result<T>) -> Result<T> {
    key.handle::<SecretBuffer>()?.with(|secret| {
        if secret.len() < MIN_SEAL_KEY_LEN {
            return Err(key.out_of_range(format!("at least {MIN_SEAL_KEY_LEN} bytes long")));
        }
        call(secret)
    })
}
