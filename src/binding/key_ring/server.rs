//! The native part of `RedisKeyRing`.

use std::ops::RangeInclusive;
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Buffer, Unknown};
use napi_derive::napi;

use super::options::{AddOptions, ConfigureOptions, RingTimes, RotateOptions};
use super::reading::{read_head, read_key, read_kid, this};
use crate::binding::args::handle::Handle;
use crate::binding::args::out::{self, LocalValue};
use crate::binding::args::{Arg, Outcome, Result, internal, options};
use crate::binding::key::algorithm;
use crate::binding::offload::{Offloaded, offload, offload_into};
use crate::binding::server_prefix::read_prefix;
use crate::binding::{CLOCK, guard};
use crate::jwt::{
    Algorithm, KeyRing, MAX_KID_LEN, Proposal, RingOpening, ServerChange, ServerVersion,
};
use crate::secret::{MAX_SEALED_LEN, Secret};

/// The lengths of a version on a server, in bytes.
const VALUE: RangeInclusive<usize> = 0..=MAX_SEALED_LEN + 2048;

options! {
    /// The options of `RedisKeyRing.open`.
    pub(crate) struct ServerRingOptions for "RedisKeyRing.open" {
        facade("client"),
        /// The key of all machines.
        key("key"): Secret = required(|key| key.seal_key()),
        /// The name on the server.
        prefix("prefix"): String = default("nodesec:keyring".into(), |prefix| read_prefix(&prefix)),
        /// The algorithm of the ring's own keys.
        alg("alg"): Option<Algorithm> = optional(algorithm),
        /// The times.
        times: RingTimes = flatten(RingTimes),
    }
}

impl Handle for RingOpening {
    const TAG: u128 = 0x5d0b_42f9_8e17_4c6a_b35e_90d2_7f1c_a864;
    const CLASS: &'static str = "RingOpening";
}

/// A ring that is to be opened.
#[napi(object, object_from_js = false)]
pub(super) struct NativeRingOpening {
    /// The name on the server.
    pub prefix: String,
}

/// The bytes of a change.
#[napi(object, object_from_js = false)]
pub(super) struct NativeProposal {
    /// The bytes for the server; absent if there is nothing to change.
    pub value: Option<Buffer>,
    /// The key that signs after a rotation.
    pub kid: Option<String>,
}

impl From<Proposal> for NativeProposal {
    fn from(Proposal { value, kid }: Proposal) -> Self {
        Self { value: value.map(Buffer::from), kid }
    }
}

/// Attaches the options of `RedisKeyRing.open` to the object `opening`.
#[napi(catch_unwind)]
pub(super) fn keyring_server_opening(
    env: &Env,
    opening: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<NativeRingOpening>> {
    guard(env, || {
        let given: ServerRingOptions = Arg::new(env, &options, "options").read()?;
        let name = given.prefix.clone().into_bytes();
        let core = RingOpening::new(given.times.with(given.alg), given.key, name);
        Arg::new(env, &opening, "opening").attach(Arc::new(core))?;
        Ok(NativeRingOpening { prefix: given.prefix })
    })
}

/// Makes a ring on another thread. Returns a promise of its bytes.
#[napi(catch_unwind)]
pub(super) fn keyring_server_create(
    env: &Env,
    opening: Unknown<'_>,
) -> napi::Result<Outcome<Offloaded<Vec<u8>, LocalValue>>> {
    guard(env, || {
        let opening = Arg::new(env, &opening, "opening").handle::<RingOpening>()?;
        let create = move || Ok(opening.create(&**CLOCK)?);
        Ok(offload_into(env, create, |env, bytes| out::buffer(env, &bytes)))
    })
}

/// Opens the bytes that a server has on another thread. Returns a promise of the ring's carrier.
#[napi(catch_unwind)]
pub(super) fn keyring_server_open(
    env: &Env,
    opening: Unknown<'_>,
    value: Unknown<'_>,
) -> napi::Result<Outcome<Offloaded<Arc<KeyRing>, LocalValue>>> {
    guard(env, || {
        let opening = Arg::new(env, &opening, "opening").handle::<RingOpening>()?;
        let value = Arg::new(env, &value, "value").bytes(VALUE)?;
        let open = move || Ok(opening.read(&value, CLOCK.clone())?);
        Ok(offload_into(env, open, out::carrier))
    })
}

/// The bytes that tell the version of this process from all others.
#[napi(catch_unwind)]
pub(super) fn keyring_server_head(
    env: &Env,
    ring: Unknown<'_>,
) -> napi::Result<Outcome<LocalValue>> {
    guard(env, || out::buffer(env, &this(env, &ring)?.head()?))
}

/// Whether the version of this process is the one with this head, which the server has now.
#[napi(catch_unwind)]
pub(super) fn keyring_server_has(
    env: &Env,
    ring: Unknown<'_>,
    head: Unknown<'_>,
) -> napi::Result<Outcome<bool>> {
    guard(env, || {
        let head = read_head(env, &head)?;
        Ok(this(env, &ring)?.is_at(&head)?)
    })
}

/// Whether the version of this process has the change of the version with this head.
#[napi(catch_unwind)]
pub(super) fn keyring_server_includes(
    env: &Env,
    ring: Unknown<'_>,
    head: Unknown<'_>,
) -> napi::Result<Outcome<bool>> {
    guard(env, || {
        let head = read_head(env, &head)?;
        Ok(this(env, &ring)?.has_version(&head)?)
    })
}

/// Whether something is due.
#[napi(catch_unwind)]
pub(super) fn keyring_server_due(env: &Env, ring: Unknown<'_>) -> napi::Result<Outcome<bool>> {
    guard(env, || Ok(this(env, &ring)?.is_due()))
}

/// Takes the bytes that the server has; without bytes it has none. Returns a promise of `same`,
/// `behind` or `apart`.
#[napi(catch_unwind)]
pub(super) fn keyring_server_read(
    env: &Env,
    ring: Unknown<'_>,
    value: Unknown<'_>,
) -> napi::Result<Outcome<Offloaded<String>>> {
    guard(env, || {
        let ring = this(env, &ring)?;
        let value = Arg::new(env, &value, "value").present()?;
        let value = value.map(|value| value.bytes(VALUE)).transpose()?;
        let read = move || {
            let version = ring.read_server(value.as_deref())?;
            Ok(match version {
                ServerVersion::Same => "same",
                ServerVersion::Behind => "behind",
                ServerVersion::Apart => "apart",
            }
            .to_owned())
        };
        Ok(offload(env, read))
    })
}

/// The ids of the active and the next key, which a rotation replaces.
#[napi(catch_unwind)]
pub(super) fn keyring_server_seen(
    env: &Env,
    ring: Unknown<'_>,
) -> napi::Result<Outcome<Vec<String>>> {
    guard(env, || {
        let ids = this(env, &ring)?.signing_ids();
        Ok(ids.map(Option::unwrap_or_default).to_vec())
    })
}

/// Whether the ring is on a server.
#[napi(catch_unwind)]
pub(super) fn keyring_is_on_server(env: &Env, ring: Unknown<'_>) -> napi::Result<Outcome<bool>> {
    guard(env, || Ok(this(env, &ring)?.is_on_server()))
}

/// Checks the arguments of a change, as the call of a ring in memory does.
#[napi(catch_unwind)]
pub(super) fn keyring_server_check(
    env: &Env,
    kind: Unknown<'_>,
    argument: Unknown<'_>,
    more: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || change(env, &kind, &argument, &more).map(drop))
}

/// Prepares a change of a kind, on another thread. Returns a promise of its bytes.
#[napi(catch_unwind)]
pub(super) fn keyring_server_propose(
    env: &Env,
    ring: Unknown<'_>,
    kind: Unknown<'_>,
    argument: Unknown<'_>,
    more: Unknown<'_>,
) -> napi::Result<Outcome<Offloaded<NativeProposal>>> {
    guard(env, || {
        let ring = this(env, &ring)?;
        let change = change(env, &kind, &argument, &more)?;
        Ok(offload(env, move || Ok(ring.propose(change)?.into())))
    })
}

/// Ends a change: the server has it, or it has been given up.
#[napi(catch_unwind)]
pub(super) fn keyring_server_settle(
    env: &Env,
    ring: Unknown<'_>,
    is_done: bool,
) -> napi::Result<Outcome<()>> {
    guard(env, || Ok(this(env, &ring)?.settle(is_done)?))
}

/// Forgets the keys.
#[napi(catch_unwind)]
pub(super) fn keyring_server_close(env: &Env, ring: Unknown<'_>) -> napi::Result<Outcome<()>> {
    guard(env, || {
        this(env, &ring)?.close_server();
        Ok(())
    })
}

fn change(
    env: &Env,
    kind: &Unknown<'_>,
    argument: &Unknown<'_>,
    more: &Unknown<'_>,
) -> Result<ServerChange> {
    let options = Arg::new(env, more, "options");
    let kind = Arg::new(env, kind, "kind").string(1..=16)?;
    Ok(match kind.as_str() {
        "restore" => ServerChange::Restore,
        "merge" => ServerChange::Merge(Arg::new(env, argument, "value").bytes(VALUE)?),
        "due" => ServerChange::Due,
        "rotate" => {
            let RotateOptions { force } = options.read()?;
            let seen = Arg::new(env, argument, "seen").strings(2, 0..=MAX_KID_LEN)?;
            let mut seen = seen.into_iter().map(|kid| Some(kid).filter(|kid| !kid.is_empty()));
            let mut next = || seen.next().flatten();
            ServerChange::Rotate { force, seen: [next(), next()] }
        }
        "revoke" => ServerChange::Revoke(read_kid(env, argument)?),
        "configure" => {
            let ConfigureOptions { rotate_every } = options.read()?;
            ServerChange::Configure(rotate_every)
        }
        "add" => {
            let key = read_key(env, argument)?;
            let AddOptions { state } = options.read()?;
            ServerChange::Add(key, state)
        }
        _ => return Err(internal().into()),
    })
}
