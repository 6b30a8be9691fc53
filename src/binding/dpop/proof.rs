//! `createDpopProof`.

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use super::options::ProofOptions;
use crate::binding::args::{Arg, Outcome};
use crate::binding::{CLOCK, guard};
use crate::dpop::{self, NewProof};
use crate::jwt::Key;

/// Makes a proof.
#[napi(catch_unwind)]
pub(crate) fn dpop_create(
    env: &Env,
    key: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<String>> {
    guard(env, || {
        let key = Arg::new(env, &key, "key").handle::<Key>()?;
        let options: ProofOptions = Arg::new(env, &options, "options").read()?;
        let proof = NewProof {
            method: &options.method,
            url: &options.url,
            access_token: options.access_token.as_deref(),
            nonce: options.nonce.as_deref(),
        };
        Ok(dpop::create(&key, &proof, &**CLOCK)?)
    })
}
