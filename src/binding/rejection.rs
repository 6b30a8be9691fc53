//! What the status of a token that is refused stands for.

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use super::args::Arg;
use super::guard;
use crate::jwt::{Reason, Rejection, Verifier};

/// What a rejection's status stands for.
#[napi(object, object_from_js = false)]
pub struct NativeRejection {
    /// The stable code.
    pub code: &'static str,
    /// A sentence.
    pub message: String,
    /// The claim, where one is the cause.
    pub claim: Option<String>,
    /// What is wrong with it.
    pub reason: Option<&'static str>,
}

/// What the status of a rejection by `verifier` stands for.
#[napi(catch_unwind)]
pub fn verifier_rejection(
    env: &Env,
    verifier: Unknown<'_>,
    status: u32,
) -> napi::Result<Option<NativeRejection>> {
    guard(env, || {
        let verifier = Arg::new(env, &verifier, "this").handle::<Verifier>()?;
        let Some(rejection) = Rejection::from_status(status) else { return Ok(None) };
        let required = match rejection {
            Rejection::Required(index) => verifier.required_claim(index),
            _ => None,
        };
        Ok(Some(match required {
            Some(claim) => NativeRejection {
                code: rejection.code().as_str(),
                message: Reason::Missing.message(claim),
                claim: Some(claim.to_owned()),
                reason: Some(Reason::Missing.name()),
            },
            None => rejection.into(),
        }))
    })
}

impl From<Rejection> for NativeRejection {
    fn from(rejection: Rejection) -> Self {
        let detail = rejection.detail();
        Self {
            code: rejection.code().as_str(),
            message: rejection.message(),
            claim: detail.map(|(claim, _)| claim.name().to_owned()),
            reason: detail.map(|(_, reason)| reason.name()),
        }
    }
}
