//! `verifyJws` and `signJws`.

use napi::Env;
use napi::bindgen_prelude::{Buffer, Either, Unknown};
use napi_derive::napi;

use super::args::{Arg, Outcome, Result, internal, options};
use super::guard;
use super::key::{algorithms, source};
use super::token_form::{FormOptions, unreadable};
use crate::jwt::{Algorithm, Key, MAX_LONG_TOKEN_LEN, sign_jws, verify_jws};

options! {
    /// The options of `verifyJws`.
    pub(super) struct JwsOptions for "verifyJws" {
        /// The algorithms that are accepted.
        algorithms("algorithms"): Vec<Algorithm> = required(algorithms),
        /// The form of the token.
        form: FormOptions = flatten(FormOptions),
    }
}

options! {
    /// The options of `signJws`.
    pub(super) struct SignJwsOptions for "signJws" {
        // More header parameters, which the façade passes as JSON text.
        facade("header"),
        /// Whether the header names the key.
        kid("kid"): bool = default(true, |kid| kid.boolean()),
    }
}

/// Verifies a JWS. Returns its payload, or the status of its rejection.
#[napi(catch_unwind)]
pub(super) fn jws_verify(
    env: &Env,
    token: Unknown<'_>,
    keys: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<Either<Buffer, u32>>> {
    guard(env, || {
        let JwsOptions { algorithms, form } = Arg::new(env, &options, "options").read()?;
        let keys = source::keys(Arg::new(env, &keys, "keys"))?;
        let form = form.form();
        // A token that is too long is malformed, which is an answer and not an error.
        let given = Arg::new(env, &token, "token");
        let token = given.ascii(form.max_len)?;
        let mut payload = Vec::new();
        let verified = token
            .ok_or_else(|| unreadable(&given, form.max_len).into())
            .and_then(|token| verify_jws(&token, &keys, &algorithms, form, &mut payload));
        Ok(match verified {
            Ok(()) => Either::A(payload.into()),
            Err(rejection) => Either::B(rejection.to_status()),
        })
    })
}

/// Signs a payload, a string or bytes. `header` is a JSON object as text, or `undefined`.
#[napi(catch_unwind)]
pub(super) fn jws_sign(
    env: &Env,
    payload: Unknown<'_>,
    key: Unknown<'_>,
    options: Unknown<'_>,
    header: Unknown<'_>,
) -> napi::Result<Outcome<String>> {
    guard(env, || {
        let SignJwsOptions { kid } = Arg::new(env, &options, "options").read()?;
        let key = Arg::new(env, &key, "key").handle::<Key>()?;
        let header = header_members(&Arg::new(env, &header, "header"))?;
        let header = header.as_deref().unwrap_or("{}");
        let sign = |payload: &[u8]| Ok(sign_jws(&key, payload, kid, header)?);
        let payload = Arg::new(env, &payload, "payload");
        let token = if payload.is_string()? {
            sign(payload.string(0..=MAX_LONG_TOKEN_LEN)?.as_bytes())?
        } else {
            payload.with_bytes_or("a string or a Uint8Array", 0..=MAX_LONG_TOKEN_LEN, sign)?
        };
        text(token)
    })
}

/// The option `header` as the façade passes it: a JSON object as text, or `undefined`.
pub(super) fn header_members(header: &Arg<'_>) -> Result<Option<String>> {
    header.present()?.map(|text| text.string(0..=MAX_LONG_TOKEN_LEN)).transpose()
}

/// A token as a string. A token is ASCII.
pub(super) fn text(token: Vec<u8>) -> Result<String> {
    String::from_utf8(token).map_err(|_| internal().into())
}
