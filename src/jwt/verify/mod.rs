//! Verifies tokens: the signature, the header, the claims and the revocation list, in this order.

mod authenticate;
mod cache;
mod checks;
pub(super) mod exact_claims;
pub(super) mod issuer_choice;
pub(super) mod jws;
pub(super) mod options;
mod verified_headers;
pub(super) mod verifier;
