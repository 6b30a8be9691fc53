//! Hashes of ids for the audit trail.

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use super::args::{Arg, Outcome};
use super::guard;
use crate::audit::ID_HASHER;
use crate::jwt::base64url;

/// The longest id, in bytes. A token of unusual length is hashed as well.
const MAX_ID_LEN: usize = 1 << 20;

/// The hash of an id of some kind, as 22 characters of base64url. The id is a string or bytes.
#[napi(catch_unwind)]
pub(super) fn audit_hash(
    env: &Env,
    kind: Unknown<'_>,
    id: Unknown<'_>,
) -> napi::Result<Outcome<String>> {
    guard(env, || {
        let kind = Arg::new(env, &kind, "kind").string(1..=64)?;
        let id = Arg::new(env, &id, "id");
        let hash = if id.is_string()? {
            ID_HASHER.hash(&kind, id.string(1..=MAX_ID_LEN)?.as_bytes())?
        } else {
            id.with_bytes(1..=MAX_ID_LEN, |id| Ok(ID_HASHER.hash(&kind, id)?))?
        };
        Ok(base64url::encode(&hash))
    })
}

/// Hashes ids with this key from now on.
#[napi(catch_unwind)]
pub(super) fn audit_use_key(env: &Env, key: Unknown<'_>) -> napi::Result<Outcome<()>> {
    guard(env, || Arg::new(env, &key, "key").with_seal_key(|key| Ok(ID_HASHER.use_key(key)?)))
}
