//! Changes key rings.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Either, Unknown};
use napi_derive::napi;

use super::NativeKeyChange;
use super::options::{AddOptions, ConfigureOptions, RotateOptions};
use super::reading::{read_key, read_kid, this};
use crate::binding::args::{Arg, Outcome, Result};
use crate::binding::offload::{Offloaded, offload};
use crate::binding::{CLOCK, guard};
use crate::jwt::{Key, KeyRing};

/// A promise where a change takes long.
type Later<T> = Either<T, Offloaded<T>>;

/// Adds a key. With `later` it does not block on a store, and returns a promise.
#[napi(catch_unwind)]
pub(crate) fn keyring_add(
    env: &Env,
    ring: Unknown<'_>,
    key: Unknown<'_>,
    options: Unknown<'_>,
    later: bool,
) -> napi::Result<Outcome<Later<()>>> {
    guard(env, || {
        let ring = this(env, &ring)?;
        let key = read_key(env, &key)?;
        let AddOptions { state } = Arg::new(env, &options, "options").read()?;
        done(env, &ring, later, move |ring| Ok(ring.add(&key, state)?))
    })
}

/// Revokes a key: the ring refuses it from now on. With `later` it does not block on a store, and
/// returns a promise.
#[napi(catch_unwind)]
pub(crate) fn keyring_revoke(
    env: &Env,
    ring: Unknown<'_>,
    kid: Unknown<'_>,
    later: bool,
) -> napi::Result<Outcome<Later<()>>> {
    guard(env, || {
        let ring = this(env, &ring)?;
        let kid = read_kid(env, &kid)?;
        done(env, &ring, later, move |ring| Ok(ring.revoke(&kid)?))
    })
}

/// Changes the time after which the next key takes over. On a store it returns a promise.
#[napi(catch_unwind)]
pub(crate) fn keyring_configure(
    env: &Env,
    ring: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<Later<()>>> {
    guard(env, || {
        let ring = this(env, &ring)?;
        let ConfigureOptions { rotate_every } = Arg::new(env, &options, "options").read()?;
        done(env, &ring, true, move |ring| Ok(ring.configure(rotate_every)?))
    })
}

/// Rotates the keys and returns the id of the key that now signs. With RSA keys, and on a
/// store, this returns a promise of the id, because it takes long.
#[napi(catch_unwind)]
pub(crate) fn keyring_rotate(
    env: &Env,
    ring: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<Either<String, Offloaded<String>>>> {
    guard(env, || {
        let ring = this(env, &ring)?;
        let RotateOptions { force } = Arg::new(env, &options, "options").read()?;
        let algorithm = ring.algorithm();
        let is_slow = algorithm.is_rsa() || ring.is_durable();
        let pending = ring.expect_key();
        let rotate = move || {
            let _pending = pending;
            Ok(ring.rotate(force, || Key::generate(algorithm, None, None))?)
        };
        Ok(if is_slow { Either::B(offload(env, rotate)) } else { Either::A(rotate()?) })
    })
}

/// Whether the ring can sign now. If its first key is due, it is made, or begun to be made.
#[napi(catch_unwind)]
pub(crate) fn keyring_signs(env: &Env, ring: Unknown<'_>) -> napi::Result<Outcome<bool>> {
    guard(env, || {
        let ring = this(env, &ring)?;
        ring.catch_up(CLOCK.unix_seconds())?;
        Ok(ring.can_sign())
    })
}

/// Returns a promise that is resolved when the ring can sign, and rejected with
/// `ERR_KEYRING_NO_ACTIVE_KEY` if no key is being made. It occupies a thread of libuv's pool, which
/// keeps the process running.
#[napi(catch_unwind)]
pub(crate) fn keyring_wait(env: &Env, ring: Unknown<'_>) -> napi::Result<Outcome<Offloaded<()>>> {
    guard(env, || {
        let ring = this(env, &ring)?;
        Ok(offload(env, move || Ok(ring.wait_until_it_signs()?)))
    })
}

/// Makes the changes that are due at a moment, by default now, and returns them.
#[napi(catch_unwind)]
pub(crate) fn keyring_tick(
    env: &Env,
    ring: Unknown<'_>,
    now: Unknown<'_>,
) -> napi::Result<Outcome<Vec<NativeKeyChange>>> {
    guard(env, || {
        let ring = this(env, &ring)?;
        let now = match Arg::new(env, &now, "now").present()? {
            Some(now) => now.moment()?,
            None => 0,
        };
        Ok(ring.tick(now)?.iter().map(NativeKeyChange::from).collect())
    })
}

/// Makes a change, on another thread if it is to be made `later` and the ring is on a store.
fn done(
    env: &Env,
    ring: &Arc<KeyRing>,
    later: bool,
    change: impl FnOnce(&KeyRing) -> Result<()> + Send + 'static,
) -> Result<Later<()>> {
    if later && ring.is_durable() {
        let ring = ring.clone();
        return Ok(Either::B(offload(env, move || change(&ring))));
    }
    change(ring).map(Either::A)
}
