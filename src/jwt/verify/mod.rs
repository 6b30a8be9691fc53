//! Verifying: the signature, the header, the claims and the revocation list, in this order.

mod authenticate;
mod cache;
mod checks;
pub mod jws;
pub mod options;
mod verified_headers;
pub mod verifier;
