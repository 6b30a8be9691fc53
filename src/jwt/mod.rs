//! Compact JWS (RFC 7515) carrying JWT claims (RFC 7519), under the rules of RFC 8725.
//!
//! This module has its own implementation, because it splices, signs and verifies a token as text,
//! with keys that are parsed once. The `jsonwebtoken` crate parses key, header and claims anew on
//! every call, ignores `crit` and has no ES512. The tests use it as the oracle.
//!
//! From the top down: `issue` and `verify` use a `key_source`, which is a list of keys, a
//! `key_ring` or a `key_set`; all of them read tokens with `token`.

mod algorithm;
#[cfg(any(test, feature = "fuzz"))]
#[allow(clippy::expect_used, reason = "a failed expectation is a finding")]
pub(crate) mod fuzz;
mod issue;
mod key;
mod key_lookup;
mod key_ring;
mod key_set;
mod key_source;
#[cfg(test)]
mod tests;
mod token;
mod verify;

pub use self::algorithm::Algorithm;
pub use self::issue::issuer::{Issuer, IssuerOptions, Unsigned};
pub use self::issue::jws::sign_jws;
pub use self::issue::payload::{MAX_BACKDATING, Overrides};
pub use self::key::key::Key;
pub use self::key::pem::MAX_KEY_LEN;
pub use self::key::purpose::{Purpose, names_of};
pub use self::key_ring::jwks::Jwks;
pub use self::key_ring::options::{RingOptions, RingOverrides};
pub use self::key_ring::pending::PendingKey;
pub use self::key_ring::propose::{Proposal, RingOpening, ServerChange, ServerVersion};
pub use self::key_ring::ring::KeyRing;
pub use self::key_ring::stamp::HEAD_LEN;
pub use self::key_ring::state::{KeyChange, KeyInfo, KeyState};
pub use self::key_ring::stored::StoredRing;
pub use self::key_set::import::{
    ImportRules, KeyUse, MAX_SET_LEN, PRIVATE as PRIVATE_MEMBERS, import,
};
pub use self::key_set::imported::{Ignored, Imported};
pub use self::key_set::set::{KeySet, SetFormat};
pub use self::key_source::KeySource;
pub use self::token::base64url;
pub use self::token::claims::MAX_NUMERIC_DATE;
pub use self::token::compact::{MAX_KID_LEN, MAX_LONG_TOKEN_LEN, MAX_TOKEN_LEN, TokenForm};
pub use self::token::json;
pub use self::token::kind::{SVID_ALGORITHMS, TokenKind};
pub use self::token::malformation::{Malformation, Segment};
pub use self::token::rejection::{Claim, MAX_EXACT, MAX_REQUIRED, Reason, Rejection};
pub use self::token::unverified::Unverified;
pub use self::verify::exact_claims::{ClaimValue, ExactClaim, ExactClaims};
pub use self::verify::issuer_choice::IssuerChoice;
pub use self::verify::jws::verify_jws;
pub use self::verify::options::{Expected, Tolerance, VerifierOptions};
pub use self::verify::verifier::{Answer, Scratch, Verifier};
/// The largest `clockTolerance`, in seconds. Revoked entries are kept this long beyond the expiry
/// of the token, so that no verifier can still accept a token that the list has forgotten.
pub use crate::revocation::MAX_CLOCK_TOLERANCE;
