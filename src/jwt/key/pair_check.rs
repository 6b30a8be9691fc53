//! Checks a new key pair: a signature of the private half must verify with the published numbers,
//! also in a reader that is not ours.

use super::error::invalid;
use super::jwk::PublicJwk;
use super::key::Key;
use crate::error::Result;
use crate::jwt::algorithm::Algorithm;
use crate::jwt::token::base64url;

const MESSAGE: &[u8] = b"@nodesec/native pair check";

/// Refuses a pair whose halves do not belong together, with `ERR_JWT_KEY`. A secret has no halves.
pub(super) fn check_pair(key: &Key) -> Result<()> {
    let Some(public) = key.public() else { return Ok(()) };
    let mut signature = Vec::new();
    // The library reads a private exponent that is not reduced, and fails to sign with it.
    key.sign_into(MESSAGE, &mut signature).map_err(|_| {
        invalid(
            "nothing can be signed with the private key: a number is out of range (RFC 8017 \
             section 3.2); in RSA, d must be below the modulus",
        )
    })?;
    if key.verifies(MESSAGE, &signature) && is_read_by_others(public, key.algorithm(), &signature) {
        return Ok(());
    }
    Err(invalid("the private and the public half of the key do not match"))
}

/// Whether the `jsonwebtoken` crate verifies a signature with the published JWK. `true` for an
/// algorithm that the crate does not know: there only our own reader checks the pair.
fn is_read_by_others(public: &PublicJwk, algorithm: Algorithm, signature: &[u8]) -> bool {
    let Some(known) = algorithm.elsewhere() else { return true };
    let Ok(name) = known.parse() else { return false };
    let signature = base64url::encode(signature);
    serde_json::from_str(&public.to_json(known, "pair check", None)).is_ok_and(|jwk| {
        jsonwebtoken::DecodingKey::from_jwk(&jwk)
            .and_then(|key| jsonwebtoken::crypto::verify(&signature, MESSAGE, &key, name))
            .unwrap_or(false)
    })
}
