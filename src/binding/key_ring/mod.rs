//! `KeyRing`.

pub(super) mod options;
mod watch;

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Either, Function, Unknown};
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;

use self::options::{
    AddOptions, NewRingOptions, RotateOptions, SealedRingOptions, SharedRingOptions, with_defaults,
};
use super::args::handle::Handle;
use super::args::internal;
use super::args::out::{self, LocalValue};
use super::args::{Arg, Fault, Outcome, Result};
use super::offload::{Offloaded, offload};
use super::{CLOCK, guard};
use crate::error::Code;
use crate::jwt::{Key, KeyChange, KeyRing, KeyState, MAX_KID_LEN, RingOverrides};
use crate::registry::{Registry, Shared};
use crate::secret::{self, MAX_SEALED_LEN};

/// The most names of `KeyRing.shared`: a process has few rings, and shared rings are never freed.
const MAX_SHARED: usize = 1000;

/// The rings of `KeyRing.shared`.
static SHARED: Registry<KeyRing> = Registry::new(MAX_SHARED);

impl Handle for KeyRing {
    const TAG: u128 = 0xc85b_0f9d_6b52_4a11_88e4_64f2_33ad_1909;
    const CLASS: &'static str = "KeyRing";
}

/// A key of a ring.
#[napi(object, object_from_js = false)]
pub(super) struct NativeKeyInfo {
    /// Its id.
    pub kid: String,
    /// Its algorithm.
    pub alg: &'static str,
    /// `next`, `active`, `retired` or `revoked`.
    pub state: &'static str,
    /// When it entered that state, in seconds since 1970.
    pub since: f64,
}

/// A JWK Set and how to serve it.
#[napi(object, object_from_js = false)]
pub(super) struct NativeJwks {
    /// JSON.
    pub body: String,
    /// Entity tag, with quotes.
    pub etag: String,
    /// Seconds.
    pub max_age: f64,
}

/// A change of a key's state.
#[napi(object, object_from_js = false)]
pub(super) struct NativeKeyChange {
    /// Its id.
    pub kid: String,
    /// Its algorithm.
    pub alg: &'static str,
    /// The state it has left; absent for a new key.
    pub from: Option<&'static str>,
    /// The state it is in; absent if the ring has dropped the key.
    pub to: Option<&'static str>,
    /// The time of the change, in seconds since 1970.
    pub at: f64,
}

impl From<&KeyChange> for NativeKeyChange {
    fn from(change: &KeyChange) -> Self {
        Self {
            kid: change.kid.clone(),
            alg: change.algorithm.name(),
            from: change.from.map(KeyState::name),
            to: change.to.map(KeyState::name),
            at: change.at as f64,
        }
    }
}

/// Attaches a new key ring to the façade object `ring`.
#[napi(catch_unwind)]
pub(super) fn keyring_attach(
    env: &Env,
    ring: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let options: NewRingOptions = Arg::new(env, &options, "options").read()?;
        let given = options.times.with(options.alg);
        let core = KeyRing::new(with_defaults(&given), CLOCK.clone())?;
        let mut state = KeyState::Active;
        for key in options.keys.unwrap_or_default() {
            core.add(key, Some(state))?;
            state = KeyState::Retired;
        }
        Arg::new(env, &ring, "this").attach(core)
    })
}

/// Attaches the process's shared ring of a name to the façade object `ring`. The first call with a
/// name makes the ring.
#[napi(catch_unwind)]
pub(super) fn keyring_share(
    env: &Env,
    ring: Unknown<'_>,
    name: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let options: SharedRingOptions = Arg::new(env, &options, "options").read()?;
        let given = options.times.with(options.alg);
        let core = shared(&Arg::new(env, &name, "name"), &given, || {
            Ok(KeyRing::new(with_defaults(&given), CLOCK.clone())?)
        })?;
        Arg::new(env, &ring, "this").attach(core)
    })
}

/// Seals the ring with its private keys. Only the same key opens the returned `Buffer`.
#[napi(catch_unwind)]
pub(super) fn keyring_seal(
    env: &Env,
    ring: Unknown<'_>,
    key: Unknown<'_>,
) -> napi::Result<Outcome<LocalValue>> {
    guard(env, || {
        let ring = Arg::new(env, &ring, "this").handle::<KeyRing>()?;
        let key = Arg::new(env, &key, "key");
        let sealed = secret::storing(|| key.with_seal_key(|key| Ok(ring.seal(key)?)))?;
        out::buffer(env, &sealed)
    })
}

/// Unseals a ring and attaches it to the façade object `ring`. With the option `shared`, attaches
/// the process's ring of that name instead if there is one, and otherwise shares the unsealed ring
/// under that name.
#[napi(catch_unwind)]
pub(super) fn keyring_unseal(
    env: &Env,
    ring: Unknown<'_>,
    sealed: Unknown<'_>,
    key: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let options: SealedRingOptions<'_> = Arg::new(env, &options, "options").read()?;
        let (given, name) = (options.times.with(options.alg), options.shared);
        let (key, sealed) = (Arg::new(env, &key, "key"), Arg::new(env, &sealed, "sealed"));
        let open = || {
            key.with_seal_key(|key| {
                sealed.with_bytes(0..=MAX_SEALED_LEN, |sealed| {
                    Ok(KeyRing::unseal(sealed, key, given, CLOCK.clone())?)
                })
            })
        };
        let core = match name {
            Some(name) => {
                // Every thread checks its arguments, not only the first one, which unseals the
                // ring.
                key.with_seal_key(|_| sealed.with_bytes(0..=MAX_SEALED_LEN, |_| Ok(())))?;
                shared(&name, &given, open)?
            }
            None => open()?,
        };
        Arg::new(env, &ring, "this").attach(core)
    })
}

/// Adds a key.
#[napi(catch_unwind)]
pub(super) fn keyring_add(
    env: &Env,
    ring: Unknown<'_>,
    key: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let ring = Arg::new(env, &ring, "this").handle::<KeyRing>()?;
        let key = Arg::new(env, &key, "key").handle::<Key>()?;
        let AddOptions { state } = Arg::new(env, &options, "options").read()?;
        Ok(ring.add(key, state)?)
    })
}

/// Revokes a key: the ring refuses it from now on.
#[napi(catch_unwind)]
pub(super) fn keyring_revoke(
    env: &Env,
    ring: Unknown<'_>,
    kid: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let ring = Arg::new(env, &ring, "this").handle::<KeyRing>()?;
        Ok(ring.revoke(&Arg::new(env, &kid, "kid").string(1..=MAX_KID_LEN)?)?)
    })
}

/// Rotates the keys and returns the id of the key that now signs. With RSA keys this returns a
/// promise of the id, since generating a key takes long.
#[napi(catch_unwind)]
pub(super) fn keyring_rotate(
    env: &Env,
    ring: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<Either<String, Offloaded<String>>>> {
    guard(env, || {
        let ring = Arg::new(env, &ring, "this").handle::<KeyRing>()?;
        let RotateOptions { force } = Arg::new(env, &options, "options").read()?;
        let algorithm = ring.options().algorithm;
        let pending = ring.expect_key();
        let rotate = move || {
            let _pending = pending;
            Ok(ring.rotate(force, || Key::generate(algorithm, None, None))?)
        };
        Ok(if algorithm.is_rsa() { Either::B(offload(rotate)) } else { Either::A(rotate()?) })
    })
}

/// Whether the ring can sign now. If its first key is due, it is made, or begun to be made.
#[napi(catch_unwind)]
pub(super) fn keyring_signs(env: &Env, ring: Unknown<'_>) -> napi::Result<Outcome<bool>> {
    guard(env, || {
        let ring = Arg::new(env, &ring, "this").handle::<KeyRing>()?;
        ring.catch_up(CLOCK.unix_seconds());
        Ok(ring.can_sign())
    })
}

/// Returns a promise that is resolved when the ring can sign, and rejected with
/// `ERR_KEYRING_NO_ACTIVE_KEY` if no key is being made. It occupies a thread of libuv's pool, which
/// keeps the process running.
#[napi(catch_unwind)]
pub(super) fn keyring_wait(env: &Env, ring: Unknown<'_>) -> napi::Result<Outcome<Offloaded<()>>> {
    guard(env, || {
        let ring = Arg::new(env, &ring, "this").handle::<KeyRing>()?;
        Ok(offload(move || Ok(ring.wait_until_it_signs()?)))
    })
}

/// The keys.
#[napi(catch_unwind)]
pub(super) fn keyring_list(
    env: &Env,
    ring: Unknown<'_>,
) -> napi::Result<Outcome<Vec<NativeKeyInfo>>> {
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
pub(super) fn keyring_jwks(env: &Env, ring: Unknown<'_>) -> napi::Result<Outcome<NativeJwks>> {
    guard(env, || {
        let jwks = Arg::new(env, &ring, "this").handle::<KeyRing>()?.jwks();
        Ok(NativeJwks { body: jwks.body, etag: jwks.etag, max_age: jwks.max_age as f64 })
    })
}

/// Makes the changes that are due at a moment, by default now, and returns them.
#[napi(catch_unwind)]
pub(super) fn keyring_tick(
    env: &Env,
    ring: Unknown<'_>,
    now: Unknown<'_>,
) -> napi::Result<Outcome<Vec<NativeKeyChange>>> {
    guard(env, || {
        let ring = Arg::new(env, &ring, "this").handle::<KeyRing>()?;
        let now = match Arg::new(env, &now, "now").present()? {
            Some(now) => now.moment()?,
            None => CLOCK.unix_seconds(),
        };
        Ok(ring.tick(now).iter().map(NativeKeyChange::from).collect())
    })
}

/// Calls `listener`, a function of the façade, with every change from now on. The calls happen on
/// the thread of the listener and do not keep its event loop alive. Returns the number to pass to
/// `keyringUnlisten`.
#[napi(catch_unwind)]
pub(super) fn keyring_listen(
    env: &Env,
    ring: Unknown<'_>,
    listener: Function<'_, Vec<NativeKeyChange>, ()>,
) -> napi::Result<Outcome<f64>> {
    guard(env, move || {
        let ring = Arg::new(env, &ring, "this").handle::<KeyRing>()?;
        let listener = listener.build_threadsafe_function().weak::<true>().build();
        let listener = listener.map_err(|_| internal())?;
        let id = ring.listen(Box::new(move |changes| {
            let changes = changes.iter().map(NativeKeyChange::from).collect();
            listener.call(changes, ThreadsafeFunctionCallMode::NonBlocking) == napi::Status::Ok
        }));
        Ok(id as f64)
    })
}

/// Removes a listener that `keyringListen` has added.
#[napi(catch_unwind)]
pub(super) fn keyring_unlisten(
    env: &Env,
    ring: Unknown<'_>,
    id: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let ring = Arg::new(env, &ring, "this").handle::<KeyRing>()?;
        ring.unlisten(Arg::new(env, &id, "id").integer(0..=u64::from(u32::MAX))?);
        Ok(())
    })
}

/// The process's shared ring of a name. If there is none, `make` makes it.
fn shared(
    name: &Arg<'_>,
    given: &RingOverrides,
    make: impl FnOnce() -> Result<Arc<KeyRing>>,
) -> Result<Arc<KeyRing>> {
    let text = name.string(1..=256)?;
    match SHARED.share(&text, |known| given.agree_with(known.options()), make)? {
        Shared::Object(ring) => Ok(ring),
        Shared::Conflict => Err(name.invalid(
            "names a shared ring with other options: pass the same options everywhere, or none if \
             the ring exists",
        )),
        Shared::NoMemory => Err(Fault::new(
            Code::KeyringFull,
            "there is no memory for another shared ring; give the process more",
        )),
        Shared::Full => Err(name.out_of_range(format!("one of at most {MAX_SHARED} names"))),
    }
}
