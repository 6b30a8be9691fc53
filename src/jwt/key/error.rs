//! Errors about keys.

use std::borrow::Cow;

use crate::error::{Code, Error};

/// An error about a key.
pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(Code::JwtKey, message)
}

/// The error for a key that is malformed or of another algorithm than this.
pub(crate) fn unusable(alg: &str) -> Error {
    invalid(format!("this is not a valid {alg} key"))
}

/// The error for a JWK that is not of a public key of this algorithm, and the remedy.
pub(crate) fn malformed_jwk(alg: &str, remedy: &str) -> Error {
    invalid(format!("the JWK is not a public {alg} signature key; {remedy}"))
}

/// The error for a certificate in the place of a key.
pub(crate) fn is_certificate() -> Error {
    invalid("a certificate is not a key; JwtKey.fromCertificate takes the public key of one")
}

/// The error for a key that its library fails to encode.
pub(crate) fn not_encoded() -> Error {
    Error::new(Code::Internal, "the key could not be encoded; try again")
}

/// The error for a key that could not be generated.
pub(crate) fn not_generated() -> Error {
    Error::new(Code::Internal, "the key could not be generated; try again")
}

/// The error for a signature that could not be made.
pub(crate) fn not_signed() -> Error {
    Error::new(Code::Internal, "signing failed; try again")
}
