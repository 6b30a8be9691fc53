//! Proofs of possession of a key (`DPoP`, RFC 9449): made, checked, and remembered, so that each
//! counts once.
//!
//! From the top down: [`Checker`] judges the proof of a request; `proof` reads and verifies it,
//! `uri` compares addresses, `nonce` makes and judges nonces, and `replay` has the table of proofs
//! that have been used.

mod check;
mod make;
mod nonce;
mod proof;
mod refusal;
mod replay;
mod uri;

#[cfg(test)]
mod tests;

pub use self::check::{Accepted, Checker, FUTURE_SECONDS, MAX_AGE_SECONDS, Request};
pub use self::make::{NewProof, create};
pub use self::proof::MAX_PROOF_LEN;
pub use self::refusal::Refusal;
pub use self::replay::{DEFAULT_ENTRIES, MAX_ENTRIES, MIN_ENTRIES, ReplayCache};
