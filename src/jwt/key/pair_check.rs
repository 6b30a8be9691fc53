//! The check of a new key pair: the published numbers must verify a signature of its private half,
//! to a reader that is not ours as well.

use super::error::invalid;
use super::jwk::PublicJwk;
use super::key::Key;
use crate::error::Result;
use crate::jwt::algorithm::Algorithm;
use crate::jwt::token::base64url;

const MESSAGE: &[u8] = b"@nodesec/native pair check";

/// Refuses a pair whose halves do not belong together. A secret has no halves.
pub(super) fn check_pair(key: &Key) -> Result<()> {
    let Some(public) = key.public() else { return Ok(()) };
    let mut signature = Vec::new();
    key.sign_into(MESSAGE, &mut signature)?;
    if key.verifies(MESSAGE, &signature) && is_read_by_others(public, key.algorithm(), &signature) {
        return Ok(());
    }
    Err(invalid("the private and the public half of the key do not belong together"))
}

/// Whether the `jsonwebtoken` crate takes the published JWK for the key of a signature. Of an
/// algorithm that it does not know only our reader is asked.
fn is_read_by_others(public: &PublicJwk, algorithm: Algorithm, signature: &[u8]) -> bool {
    let Some(known) = algorithm.elsewhere() else { return true };
    let Ok(name) = known.parse() else { return false };
    let signature = base64url::encode(signature);
    serde_json::from_str(&public.to_json(known, "pair check")).is_ok_and(|jwk| {
        jsonwebtoken::DecodingKey::from_jwk(&jwk)
            .and_then(|key| jsonwebtoken::crypto::verify(&signature, MESSAGE, &key, name))
            .unwrap_or(false)
    })
}
