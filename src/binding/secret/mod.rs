//! `SecretBuffer`.

mod argument;
mod buffer;
mod handover;
pub(super) mod harden;
pub(super) mod heap;
pub(super) mod sealed;
pub(super) mod sources;

use napi::bindgen_prelude::Unknown;
use napi::{Env, sys};
use napi_derive::napi;

pub(super) use self::buffer::SecretBuffer;
use super::args::{Arg, Outcome, Result, options};
use super::fast::{self, Hot, RawCall};
use super::guard;
use crate::secret::{self, Depth, MAX_SECRET_LEN, Secret, TraceGuard};

/// `(other) => boolean`
impl Hot for SecretBuffer {
    const NAME: &'static str = "equals";
    const ARGUMENTS: usize = 1;

    fn call(&self, call: &RawCall) -> Result<sys::napi_value> {
        let other = call.argument(0, "other");
        let is_equal = TraceGuard::run(Depth::Registers, |trace| {
            other.with_key(trace, 0..=usize::MAX, |other| self.ct_eq(other, trace))
        });
        call.boolean(is_equal?)
    }
}

options! {
    /// The options of `SecretBuffer.from`.
    pub(super) struct FromOptions for "SecretBuffer.from" {
        /// Whether the bytes are wiped once they are copied.
        wipe("wipe"): bool = default(false, |wipe| wipe.boolean()),
    }
}

/// Attaches a new secret of random bytes to the façade object `target`.
#[napi(catch_unwind)]
pub(super) fn secret_random(
    env: &Env,
    target: Unknown<'_>,
    bytes: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let length = Arg::new(env, &bytes, "bytes").integer(1..=MAX_SECRET_LEN as u64)?;
        let length = usize::try_from(length).unwrap_or(MAX_SECRET_LEN);
        let secret = SecretBuffer::make(|| Ok(Secret::random(length)?))?;
        Arg::new(env, &target, "this").attach(secret)
    })
}

/// Attaches a copy of bytes to the façade object `target`. With the option `wipe`, wipes the bytes.
#[napi(catch_unwind)]
pub(super) fn secret_from(
    env: &Env,
    target: Unknown<'_>,
    data: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let data = Arg::new(env, &data, "data");
        let FromOptions { wipe } = Arg::new(env, &options, "options").read()?;
        let secret = SecretBuffer::make(|| {
            data.with_bytes(0..=MAX_SECRET_LEN, |bytes| Ok(Secret::copy_from(bytes)?))
        })?;
        Arg::new(env, &target, "this").attach(secret)?;
        if wipe {
            data.with_bytes_mut(|bytes| {
                secret::wipe(bytes);
                Ok(())
            })?;
        }
        Ok(())
    })
}

/// Attaches the secret of a carrier to the façade object `target`.
#[napi(catch_unwind)]
pub(super) fn secret_from_carrier(
    env: &Env,
    target: Unknown<'_>,
    carrier: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let secret = Arg::new(env, &carrier, "carrier").handle::<SecretBuffer>()?;
        Arg::new(env, &target, "this").attach(secret)
    })
}

/// Attaches a copy of a secret, in memory of its own, to the façade object `target`.
#[napi(catch_unwind)]
pub(super) fn secret_clone(
    env: &Env,
    target: Unknown<'_>,
    secret: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let secret = Arg::new(env, &secret, "this").handle::<SecretBuffer>()?;
        let copy = SecretBuffer::make(|| secret.with(|secret| Ok(secret.copy()?)))?;
        Arg::new(env, &target, "this").attach(copy)
    })
}

/// `equals`, bound to a secret.
#[napi(catch_unwind)]
pub(super) fn secret_bind<'env>(
    env: &'env Env,
    secret: Unknown<'_>,
) -> napi::Result<Outcome<Unknown<'env>>> {
    guard(env, || fast::bind(env, Arg::new(env, &secret, "this").handle::<SecretBuffer>()?))
}

/// The secret's length in bytes.
#[napi(catch_unwind)]
pub(super) fn secret_len(env: &Env, secret: Unknown<'_>) -> napi::Result<Outcome<u32>> {
    guard(env, || Arg::new(env, &secret, "this").handle::<SecretBuffer>()?.len())
}

/// Copies the secret into `target`, which must be of its length.
#[napi(catch_unwind)]
pub(super) fn secret_copy_into(
    env: &Env,
    secret: Unknown<'_>,
    target: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let secret = Arg::new(env, &secret, "this").handle::<SecretBuffer>()?;
        let target = Arg::new(env, &target, "target");
        secret.with(|secret| {
            target.with_bytes_mut(|bytes| {
                if bytes.len() != secret.len() {
                    return Err(target.out_of_range("as long as the secret"));
                }
                TraceGuard::run(Depth::Registers, |trace| {
                    bytes.copy_from_slice(secret.expose(trace));
                });
                Ok(())
            })
        })
    })
}

/// Overwrites a `Uint8Array` with zeros.
#[napi(catch_unwind)]
pub(super) fn wipe(env: &Env, bytes: Unknown<'_>) -> napi::Result<Outcome<()>> {
    guard(env, || {
        Arg::new(env, &bytes, "bytes").with_bytes_mut(|bytes| {
            secret::wipe(bytes);
            Ok(())
        })
    })
}

/// Disposes of the secret. It is wiped when nothing else uses it any more.
#[napi(catch_unwind)]
pub(super) fn secret_dispose(env: &Env, secret: Unknown<'_>) -> napi::Result<Outcome<()>> {
    guard(env, || {
        Arg::new(env, &secret, "this").handle::<SecretBuffer>()?.dispose();
        Ok(())
    })
}

/// Whether the secret has been disposed of.
#[napi(catch_unwind)]
pub(super) fn secret_is_disposed(env: &Env, secret: Unknown<'_>) -> napi::Result<Outcome<bool>> {
    guard(env, || Ok(Arg::new(env, &secret, "this").handle::<SecretBuffer>()?.get().is_err()))
}

/// Whether two values hold the same bytes, in a time that depends on their lengths only.
#[napi(catch_unwind)]
pub(super) fn timing_safe_equal(
    env: &Env,
    a: Unknown<'_>,
    b: Unknown<'_>,
) -> napi::Result<Outcome<bool>> {
    guard(env, || {
        let (a, b) = (Arg::new(env, &a, "a"), Arg::new(env, &b, "b"));
        TraceGuard::run(Depth::Registers, |trace| {
            a.with_secret(trace, 0..=usize::MAX, |a| {
                b.with_secret(trace, 0..=usize::MAX, |b| Ok(secret::ct_eq(a, b)))
            })
        })
    })
}
