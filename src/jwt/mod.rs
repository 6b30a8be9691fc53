//! Compact JWS (RFC 7515) carrying JWT claims (RFC 7519), under the rules of RFC 8725.
//!
//! Own path, because a token is spliced, signed and verified as text with keys that are parsed
//! once: the `jsonwebtoken` crate parses key, header and claims anew on every call, ignores `crit`
//! and has no ES512. It is the oracle in the tests.

mod algorithm;
pub mod base64url;
mod cache;
mod checks;
mod claims;
mod header;
mod import;
mod interned;
mod issuer;
pub mod json;
mod jwk;
mod jws;
mod key;
mod keyfile;
mod keyset;
mod material;
mod profile;
mod reject;
mod ring;
mod source;
#[cfg(test)]
mod tests;
mod verifier;

pub use algorithm::Algorithm;
pub use claims::MAX_NUMERIC_DATE;
pub use header::MAX_KID_LEN;
pub use import::{ImportRules, KeyUse, MAX_SET_LEN, import};
pub use issuer::{Issuer, IssuerOptions, Overrides, Unsigned};
pub use jwk::{Purpose, check_purpose};
pub use jws::verify_jws;
pub use key::{Key, MAX_KEY_LEN};
pub use keyset::KeySet;
pub use profile::{Profile, SVID_ALGORITHMS};
pub use reject::{Claim, MAX_REQUIRED, Reason, Rejection};
pub use ring::{Jwks, KeyChange, KeyInfo, KeyRing, KeyState, Listener, RingOptions, RingOverrides};
pub use source::KeySource;
pub use verifier::{Answer, Expected, Scratch, Verifier, VerifierOptions};

/// The longest token that is read, in bytes. RFC 7519 sets no limit; header lines end at 16 KiB
/// in Node.
pub const MAX_TOKEN_LEN: usize = 16 * 1024;

/// The largest `clockTolerance`, in seconds. Revoked entries are kept this long beyond the
/// token's expiry, so that no verifier can still accept what the list has forgotten.
pub const MAX_CLOCK_TOLERANCE: u64 = crate::revocation::MAX_CLOCK_TOLERANCE;
