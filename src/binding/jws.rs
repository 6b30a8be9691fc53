//! `verifyJws`.

use std::mem::MaybeUninit;

use napi::Env;
use napi::bindgen_prelude::{Buffer, Either, Unknown};
use napi_derive::napi;

use super::args::{Arg, Outcome, options};
use super::guard;
use super::key::{algorithms, source};
use crate::jwt::{Algorithm, MAX_TOKEN_LEN, Rejection, verify_jws};

options! {
    /// The options of `verifyJws`.
    pub(super) struct JwsOptions for "verifyJws" {
        /// The algorithms that are accepted.
        algorithms("algorithms"): Vec<Algorithm> = required(algorithms),
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
        let JwsOptions { algorithms } = Arg::new(env, &options, "options").read()?;
        let keys = source::keys(Arg::new(env, &keys, "keys"))?;
        // Room for the longest token, and enough more for `utf8_in` to notice a longer one. A
        // longer one is a malformed token, which is an answer and not an error.
        let mut buffer = vec![MaybeUninit::uninit(); MAX_TOKEN_LEN + 8];
        let token = Arg::new(env, &token, "token").utf8_in(&mut buffer)?;
        let mut payload = Vec::new();
        let verified = token
            .ok_or(Rejection::Malformed)
            .and_then(|token| verify_jws(token, &keys, &algorithms, &mut payload));
        Ok(match verified {
            Ok(()) => Either::A(payload.into()),
            Err(rejection) => Either::B(rejection.to_status()),
        })
    })
}
