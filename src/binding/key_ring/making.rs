//! Makes key rings, and finds those that exist.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use super::options::{
    NewRingOptions, SealedRingOptions, SharedRingOptions, StoredRingOptions, with_defaults,
};
use crate::binding::args::out::{self, LocalValue};
use crate::binding::args::{Arg, Fault, Outcome, Result};
use crate::binding::offload::{Offloaded, offload_into};
use crate::binding::store::OpenStore;
use crate::binding::{CLOCK, guard};
use crate::error::Code;
use crate::jwt::{KeyRing, KeyState, RingOverrides};
use crate::registry::{Registry, Shared};
use crate::secret::MAX_SEALED_LEN;

/// The most names of `KeyRing.shared`: a process has few rings, and shared rings are never freed.
const MAX_SHARED: usize = 1000;

/// The rings of `KeyRing.shared`.
static SHARED: Registry<KeyRing> = Registry::new(MAX_SHARED);

/// Attaches a new key ring to the façade object `ring`.
#[napi(catch_unwind)]
pub(crate) fn keyring_attach(
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
            core.add(&key, Some(state))?;
            state = KeyState::Retired;
        }
        Arg::new(env, &ring, "this").attach(core)
    })
}

/// Attaches the process's shared ring of a name to the façade object `ring`. The first call with a
/// name makes the ring.
#[napi(catch_unwind)]
pub(crate) fn keyring_share(
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

/// Unseals a ring and attaches it to the façade object `ring`. With the option `shared`, attaches
/// the process's ring of that name instead if there is one, and otherwise shares the unsealed ring
/// under that name.
#[napi(catch_unwind)]
pub(crate) fn keyring_unseal(
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

/// Opens the ring of a store on another thread, or makes it. Returns a promise of its carrier.
#[napi(catch_unwind)]
pub(crate) fn keyring_open(
    env: &Env,
    store: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<Offloaded<Arc<KeyRing>, LocalValue>>> {
    guard(env, || {
        let store = Arg::new(env, &store, "store").handle::<OpenStore>()?;
        let options: StoredRingOptions = Arg::new(env, &options, "options").read()?;
        let given = options.times.with(options.alg);
        let open = move || store.ring(&given, CLOCK.clone());
        Ok(offload_into(env, open, out::carrier))
    })
}

/// Attaches the ring of a carrier to the façade object `ring`.
#[napi(catch_unwind)]
pub(crate) fn keyring_from_carrier(
    env: &Env,
    ring: Unknown<'_>,
    carrier: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let held = Arg::new(env, &carrier, "carrier").handle::<KeyRing>()?;
        Arg::new(env, &ring, "this").attach(held)
    })
}

/// The process's shared ring of a name. If there is none, `make` makes it.
fn shared(
    name: &Arg<'_>,
    given: &RingOverrides,
    make: impl FnOnce() -> Result<Arc<KeyRing>>,
) -> Result<Arc<KeyRing>> {
    let text = name.string(1..=256)?;
    match SHARED.share(&text, |known| given.conflict_with(&known.options()).is_none(), make)? {
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
