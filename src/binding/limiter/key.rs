//! The calls on a key that do not happen on every request.

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use super::handle::{MAX_KEY_LEN, this};
use crate::binding::args::{Arg, Outcome, Result};
use crate::binding::guard;
use crate::limiter::{MAX_UNITS, MAX_WINDOW_MS};

/// Forgets a key. Returns whether the key had any debt.
#[napi(catch_unwind)]
pub(crate) fn limiter_reset(
    env: &Env,
    limiter: Unknown<'_>,
    key: Unknown<'_>,
) -> napi::Result<Outcome<bool>> {
    guard(env, || {
        let limiter = this(env, &limiter)?;
        with_key(env, &key, |key| Ok(limiter.limiter.reset(key)))
    })
}

/// Gives units back to a key.
#[napi(catch_unwind)]
pub(crate) fn limiter_refund(
    env: &Env,
    limiter: Unknown<'_>,
    key: Unknown<'_>,
    cost: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let limiter = this(env, &limiter)?;
        let cost = match Arg::new(env, &cost, "cost").present()? {
            Some(cost) => cost.integer32(1..=MAX_UNITS)?,
            None => 1,
        };
        with_key(env, &key, |key| Ok(limiter.limiter.refund(key, cost)?))
    })
}

/// Takes units of a key, also those that it does not have.
#[napi(catch_unwind)]
pub(crate) fn limiter_penalize(
    env: &Env,
    limiter: Unknown<'_>,
    key: Unknown<'_>,
    cost: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let limiter = this(env, &limiter)?;
        let cost = Arg::new(env, &cost, "cost").integer32(1..=MAX_UNITS)?;
        with_key(env, &key, |key| Ok(limiter.limiter.penalize(key, cost)?))
    })
}

/// Refuses a key every call for a time.
#[napi(catch_unwind)]
pub(crate) fn limiter_block(
    env: &Env,
    limiter: Unknown<'_>,
    key: Unknown<'_>,
    ms: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let limiter = this(env, &limiter)?;
        let ms = Arg::new(env, &ms, "ms").integer(1..=MAX_WINDOW_MS)?;
        with_key(env, &key, |key| Ok(limiter.limiter.block(key, ms)?))
    })
}

/// Ends the block of a key.
#[napi(catch_unwind)]
pub(crate) fn limiter_unblock(
    env: &Env,
    limiter: Unknown<'_>,
    key: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let limiter = this(env, &limiter)?;
        with_key(env, &key, |key| {
            limiter.limiter.unblock(key);
            Ok(())
        })
    })
}

/// Lends a key: a string or a `Uint8Array`.
fn with_key<T>(env: &Env, key: &Unknown<'_>, body: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
    let key = Arg::new(env, key, "key");
    if key.is_string()? {
        return body(key.string(1..=MAX_KEY_LEN)?.as_bytes());
    }
    key.with_bytes_or("a string or a Uint8Array", 1..=MAX_KEY_LEN, body)
}
