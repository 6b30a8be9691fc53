//! `SecretBuffer`.

mod handover;
mod harden;
mod heap;
mod live;
mod sealed;
mod sources;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;
use secrecy::ExposeSecret;

pub use self::sealed::with_seal_key;
use super::args::handle::Handle;
use super::args::{Arg, Fault, Result};
use super::{fast, guard};
use crate::error::Code;
use crate::mem::{self, Kept, MAX_SECRET_LEN, Secret};

/// A secret as JavaScript holds it: until it is disposed of.
pub struct SecretBuffer {
    secret: Mutex<Option<Kept>>,
    len: u32,
}

impl Handle for SecretBuffer {
    const TAG: u128 = 0xd5b7_43a8_0f9e_4d7b_8e57_0a4b_61e1_5507;
    const CLASS: &'static str = "SecretBuffer";

    fn external_len(&self) -> u32 {
        // Many times what it is: the secure heap is small, and should not be full of garbage
        // before the collector sees a reason to run.
        self.len.saturating_add(64).saturating_mul(16)
    }
}

impl SecretBuffer {
    /// What `make` makes: in the secure heap, or sealed where that is full and is to be so.
    pub fn make(make: impl FnOnce() -> Result<Secret>) -> Result<Arc<Self>> {
        mem::storing(|| make().and_then(|secret| Ok(Self::keeping(Kept::new(secret)?))))
    }

    fn keeping(secret: Kept) -> Arc<Self> {
        // At most `MAX_SECRET_LEN`.
        let len = u32::try_from(secret.len()).unwrap_or(u32::MAX);
        let buffer = Arc::new(Self { secret: Mutex::new(Some(secret)), len });
        live::enter(&buffer);
        buffer
    }

    /// Lends the secret for the time of a call, during which it stays, whoever disposes of it.
    pub fn with<T>(&self, call: impl FnOnce(&Secret) -> Result<T>) -> Result<T> {
        self.get()?.with(call)?
    }

    /// The secret, shared: it stays until the caller is done with it, too.
    pub fn get(&self) -> Result<Kept> {
        self.held().clone().ok_or_else(disposed)
    }

    /// Whether the secret is these bytes, in a time that depends on the lengths only. They may be
    /// the secret's own.
    pub fn ct_eq(&self, other: &[u8]) -> Result<bool> {
        let held = self.held();
        Ok(held.as_ref().ok_or_else(disposed)?.with(|secret| secret.ct_eq(other))?)
    }

    fn held(&self) -> MutexGuard<'_, Option<Kept>> {
        self.secret.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there was a secret to let go of.
    fn dispose(&self) -> bool {
        let secret = self.held().take();
        if secret.is_some() {
            live::leave(self);
        }
        secret.is_some()
    }
}

fn disposed() -> Fault {
    Fault::new(Code::SecretDisposed, "the secret has been disposed of; make a new one")
}

/// The collector clears up what was never disposed of, and says so.
impl Drop for SecretBuffer {
    fn drop(&mut self) {
        if self.dispose() {
            mem::count_leaked();
        }
    }
}

/// `target` becomes random bytes.
#[napi(catch_unwind)]
pub fn secret_random(env: &Env, target: Unknown<'_>, bytes: Unknown<'_>) -> napi::Result<()> {
    guard(env, || {
        let length = Arg::new(env, &bytes, "bytes").integer(1..=MAX_SECRET_LEN as u64)?;
        let length = usize::try_from(length).unwrap_or(MAX_SECRET_LEN);
        let secret = SecretBuffer::make(|| Ok(Secret::random(length)?))?;
        Arg::new(env, &target, "this").attach(secret)
    })
}

/// `target` becomes a copy of bytes, which are wiped if the options say so.
#[napi(catch_unwind)]
pub fn secret_from(
    env: &Env,
    target: Unknown<'_>,
    data: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<()> {
    guard(env, || {
        let data = Arg::new(env, &data, "data");
        let options = Arg::new(env, &options, "options").options(&["wipe"])?;
        let wipe = options.get("wipe")?.map_or(Ok(false), |wipe| wipe.boolean())?;
        let secret = SecretBuffer::make(|| {
            data.with_bytes(0..=MAX_SECRET_LEN, |bytes| Ok(Secret::copy_from(bytes)?))
        })?;
        Arg::new(env, &target, "this").attach(secret)?;
        if wipe {
            data.with_bytes_mut(|bytes| {
                mem::wipe(bytes);
                Ok(())
            })?;
        }
        Ok(())
    })
}

/// `target` becomes the secret of a carrier.
#[napi(catch_unwind)]
pub fn secret_attach(env: &Env, target: Unknown<'_>, carrier: Unknown<'_>) -> napi::Result<()> {
    guard(env, || {
        let secret = Arg::new(env, &carrier, "carrier").handle::<SecretBuffer>()?;
        Arg::new(env, &target, "this").attach(secret)
    })
}

/// `target` becomes a copy of a secret, in memory of its own.
#[napi(catch_unwind)]
pub fn secret_clone(env: &Env, target: Unknown<'_>, secret: Unknown<'_>) -> napi::Result<()> {
    guard(env, || {
        let secret = Arg::new(env, &secret, "this").handle::<SecretBuffer>()?;
        let copy = SecretBuffer::make(|| {
            secret.with(|secret| Ok(Secret::copy_from(secret.expose_secret())?))
        })?;
        Arg::new(env, &target, "this").attach(copy)
    })
}

/// `equals`, bound to a secret.
#[napi(catch_unwind)]
pub fn secret_bind<'env>(env: &'env Env, secret: Unknown<'_>) -> napi::Result<Unknown<'env>> {
    guard(env, || fast::bind(env, Arg::new(env, &secret, "this").handle::<SecretBuffer>()?))
}

/// The secret's length in bytes.
#[napi(catch_unwind)]
pub fn secret_len(env: &Env, secret: Unknown<'_>) -> napi::Result<u32> {
    guard(env, || {
        let secret = Arg::new(env, &secret, "this").handle::<SecretBuffer>()?;
        secret.get()?;
        Ok(secret.len)
    })
}

/// Copies the secret into `target`, which must be of its length.
#[napi(catch_unwind)]
pub fn secret_copy_into(env: &Env, secret: Unknown<'_>, target: Unknown<'_>) -> napi::Result<()> {
    guard(env, || {
        let secret = Arg::new(env, &secret, "this").handle::<SecretBuffer>()?;
        let target = Arg::new(env, &target, "target");
        secret.with(|secret| {
            target.with_bytes_mut(|bytes| {
                if bytes.len() != secret.len() {
                    return Err(target.out_of_range("as long as the secret"));
                }
                bytes.copy_from_slice(secret.expose_secret());
                mem::clear_vector_registers();
                Ok(())
            })
        })
    })
}

/// Overwrites a `Uint8Array` with zeros.
#[napi(catch_unwind)]
pub fn wipe(env: &Env, bytes: Unknown<'_>) -> napi::Result<()> {
    guard(env, || {
        Arg::new(env, &bytes, "bytes").with_bytes_mut(|bytes| {
            mem::wipe(bytes);
            Ok(())
        })
    })
}

/// Lets go of the secret; it is wiped when nothing else uses it.
#[napi(catch_unwind)]
pub fn secret_dispose(env: &Env, secret: Unknown<'_>) -> napi::Result<()> {
    guard(env, || {
        Arg::new(env, &secret, "this").handle::<SecretBuffer>()?.dispose();
        Ok(())
    })
}

/// Whether the secret has been disposed of.
#[napi(catch_unwind)]
pub fn secret_is_disposed(env: &Env, secret: Unknown<'_>) -> napi::Result<bool> {
    guard(env, || Ok(Arg::new(env, &secret, "this").handle::<SecretBuffer>()?.get().is_err()))
}

/// Whether two values hold the same bytes, in a time that depends on their lengths only.
#[napi(catch_unwind)]
pub fn timing_safe_equal(env: &Env, a: Unknown<'_>, b: Unknown<'_>) -> napi::Result<bool> {
    guard(env, || {
        let (a, b) = (Arg::new(env, &a, "a"), Arg::new(env, &b, "b"));
        a.with_secret(0..=usize::MAX, |a| b.with_secret(0..=usize::MAX, |b| Ok(mem::ct_eq(a, b))))
    })
}
