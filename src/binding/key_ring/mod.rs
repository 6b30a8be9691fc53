//! `KeyRing`.

mod changes;
mod making;
pub(super) mod options;
mod reading;
pub(super) mod server;
mod watch;

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use self::reading::this;
use super::args::handle::Handle;
use super::args::out::{self, LocalValue};
use super::args::{Arg, Outcome};
use super::guard;
use crate::jwt::{KeyChange, KeyRing, KeyState};
use crate::secret;

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

/// The keys.
#[napi(catch_unwind)]
pub(super) fn keyring_list(
    env: &Env,
    ring: Unknown<'_>,
) -> napi::Result<Outcome<Vec<NativeKeyInfo>>> {
    guard(env, || {
        let keys = this(env, &ring)?.list()?;
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
        let jwks = this(env, &ring)?.jwks()?;
        Ok(NativeJwks { body: jwks.body, etag: jwks.etag, max_age: jwks.max_age as f64 })
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
        let ring = this(env, &ring)?;
        let key = Arg::new(env, &key, "key");
        let sealed = secret::storing(|| key.with_seal_key(|key| Ok(ring.seal(key)?)))?;
        out::buffer(env, &sealed)
    })
}
