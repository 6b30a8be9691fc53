//! The meaning of a rejected token's status.

use napi_derive::napi;

use crate::jwt::{Reason, Rejection};

/// The meaning of a rejection's status.
#[napi(object, object_from_js = false)]
pub(super) struct NativeRejection {
    /// The stable code.
    pub code: &'static str,
    /// A sentence.
    pub message: String,
    /// The claim, where one is the cause.
    pub claim: Option<String>,
    /// What is wrong with it.
    pub reason: Option<&'static str>,
}

/// The status of a rejection by `verifyJws`, explained.
#[napi(catch_unwind)]
pub(super) fn jwt_rejection(status: u32) -> Option<NativeRejection> {
    Rejection::from_status(status).map(Into::into)
}

impl NativeRejection {
    /// A claim that a verifier requires is missing.
    pub(super) fn missing(rejection: Rejection, claim: &str) -> Self {
        Self {
            code: rejection.code().as_str(),
            message: Reason::Missing.message(claim),
            claim: Some(claim.to_owned()),
            reason: Some(Reason::Missing.name()),
        }
    }
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
