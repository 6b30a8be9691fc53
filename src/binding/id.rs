//! `uuidv4`, `uuidv7`, `randomToken`.

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use super::args::{Arg, Outcome};
use super::{CLOCK, guard};
use crate::id;
use crate::jwt::base64url;

/// A UUID of version 4.
#[napi(catch_unwind)]
pub(super) fn uuid_v4(env: &Env) -> napi::Result<Outcome<String>> {
    guard(env, || Ok(id::uuid_v4()?.to_string()))
}

/// A UUID of version 7.
#[napi(catch_unwind)]
pub(super) fn uuid_v7(env: &Env) -> napi::Result<Outcome<String>> {
    guard(env, || Ok(id::uuid_v7(CLOCK.unix_millis())?.to_string()))
}

/// Random bytes as base64url: 16 to 1024 bytes, 32 by default.
#[napi(catch_unwind)]
pub(super) fn random_token(env: &Env, bytes: Unknown<'_>) -> napi::Result<Outcome<String>> {
    guard(env, || {
        let bytes = Arg::new(env, &bytes, "bytes").present()?;
        let length = bytes.map_or(Ok(32), |bytes| bytes.integer32(16..=1024))?;
        let mut random = vec![0; length as usize];
        id::random_bytes(&mut random)?;
        Ok(base64url::encode(&random))
    })
}
