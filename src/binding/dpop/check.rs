//! Judges the proofs of requests.

use std::ops::RangeInclusive;
use std::sync::Arc;

use napi::bindgen_prelude::Unknown;
use napi::{Env, sys};
use napi_derive::napi;

use super::options::{METHOD, TOKEN, URL};
use crate::binding::args::handle::Handle;
use crate::binding::args::{Arg, Outcome, Result};
use crate::binding::fast::{self, Hot, RawCall};
use crate::binding::guard;
use crate::dpop::{Checker, MAX_AGE_SECONDS, MAX_PROOF_LEN, Refusal, ReplayCache, Request};

/// The meaning of a status.
#[napi(object, object_from_js = false)]
pub(crate) struct NativeRefusal {
    /// The stable code.
    pub code: &'static str,
    /// The message, one sentence.
    pub message: &'static str,
    /// The name in the audit trail.
    pub kind: &'static str,
}

impl Handle for Checker {
    const TAG: u128 = 0x6b0f_24d9_c7a1_4e35_8e52_d06b_1f94_a738;
    const CLASS: &'static str = "DpopReplayCache";
}

/// `(proof, method, url, token, thumbprint, isKnown) => status`
impl Hot for Checker {
    const NAME: &'static str = "checkDpop";
    const ARGUMENTS: usize = 6;

    fn call(&self, call: &RawCall) -> Result<sys::napi_value> {
        let proof = call.argument(0, "proof").ascii(MAX_PROOF_LEN)?;
        // Texts that are too long or no ASCII are empty, which no proof is for.
        let text = |at, name, bounds: RangeInclusive<usize>| -> Result<String> {
            let ascii = call.argument(at, name).ascii(*bounds.end())?;
            Ok(String::from_utf8(ascii.unwrap_or_default()).unwrap_or_default())
        };
        let request = Request {
            proof: proof.as_deref().unwrap_or_default(),
            method: &text(1, "method", METHOD)?,
            url: &text(2, "url", URL)?,
            token: &call.argument(3, "token").string(TOKEN)?,
            thumbprint: &call.argument(4, "thumbprint").string(0..=TOKEN_LEN)?,
            is_known: call.argument(5, "isKnown").boolean()?,
        };
        let status = match self.check(&request) {
            Ok(accepted) => accepted as u32,
            Err(refusal) => refusal.to_status(),
        };
        call.number(status.into())
    }
}

/// The longest thumbprint that a token can have, in bytes.
const TOKEN_LEN: usize = 1 << 20;

/// The check of proofs, bound to a cache.
#[napi(catch_unwind)]
pub(crate) fn dpop_bind<'env>(
    env: &'env Env,
    cache: Unknown<'_>,
    max_age: Unknown<'_>,
    needs_nonce: Unknown<'_>,
) -> napi::Result<Outcome<Unknown<'env>>> {
    guard(env, || {
        let cache = Arg::new(env, &cache, "replay").handle::<ReplayCache>()?;
        let max_age = Arg::new(env, &max_age, "maxAge").integer(MAX_AGE_SECONDS)?;
        let needs_nonce = Arg::new(env, &needs_nonce, "nonce").boolean()?;
        fast::bind(env, Arc::new(Checker::new(cache, max_age, needs_nonce)))
    })
}

/// Explains a status. `None` if it is none of a refusal.
#[napi(catch_unwind)]
pub(crate) fn dpop_refusal(status: u32) -> Option<NativeRefusal> {
    Refusal::from_status(status).map(|refusal| NativeRefusal {
        code: refusal.code().as_str(),
        message: refusal.message(),
        kind: refusal.kind(),
    })
}
