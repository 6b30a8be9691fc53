//! Explains the status of a rejected token.

use napi_derive::napi;

use crate::jwt::{Malformation, Reason, Rejection};

/// The meaning of a rejection's status.
#[napi(object, object_from_js = false)]
pub(super) struct NativeRejection {
    /// The stable code.
    pub code: &'static str,
    /// The message, one sentence.
    pub message: String,
    /// The claim that is the cause, if there is one.
    pub claim: Option<String>,
    /// The problem with that claim.
    pub reason: Option<&'static str>,
}

/// The status of a token that the façade finds to be too long.
#[napi]
#[allow(unreachable_pub, reason = "napi-rs exports public constants only")]
pub const TOKEN_TOO_LONG: u32 = Rejection::Malformed(Malformation::TooLong).to_status();

/// Explains the status of a rejection by `verifyJws`. `None` if there is no such status.
#[napi(catch_unwind)]
pub(super) fn jwt_rejection(status: u32) -> Option<NativeRejection> {
    Rejection::from_status(status).map(Into::into)
}

/// Whether a verifier that gives this status has verified the signature of the token before.
#[napi(catch_unwind)]
pub(super) fn jwt_rejection_follows_signature(status: u32) -> bool {
    Rejection::from_status(status).is_some_and(Rejection::follows_signature)
}

impl NativeRejection {
    /// The rejection of a token for a claim that the verifier names.
    pub(super) fn of_claim(rejection: Rejection, claim: &str, reason: Reason) -> Self {
        Self {
            code: rejection.code().as_str(),
            message: reason.message(claim),
            claim: Some(claim.to_owned()),
            reason: Some(reason.name()),
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
