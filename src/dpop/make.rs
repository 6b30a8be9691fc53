//! Makes a proof, for clients and tests.

use aws_lc_rs::digest;
use serde_json::{Map, Value, json};

use super::uri::normalized;
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::id::uuid_v4;
use crate::jwt::{Key, base64url, sign_jws};

/// The request of a new proof.
pub struct NewProof<'a> {
    /// The method.
    pub method: &'a str,
    /// The address. Its query and its fragment are left out.
    pub url: &'a str,
    /// The token that is sent with it.
    pub access_token: Option<&'a str>,
    /// The nonce that the server has given.
    pub nonce: Option<&'a str>,
}

/// The base64url of the SHA-256 of a token.
pub(super) fn hash_of(token: &str) -> String {
    base64url::encode(digest::digest(&digest::SHA256, token.as_bytes()).as_ref())
}

/// Makes a proof. `ERR_JWT_KEY` for a secret or a public key, `ERR_INVALID_ARG_VALUE` for a URL
/// that is no address of `http` or `https`.
pub fn create(key: &Key, proof: &NewProof<'_>, clock: &dyn Clock) -> Result<String> {
    let Some(jwk) = key.public_jwk() else {
        return Err(Error::new(
            Code::JwtKey,
            "a proof needs a key pair: a secret (HS256 and the like) proves nothing to others",
        ));
    };
    let htu = normalized(proof.url).ok_or_else(|| {
        Error::new(
            Code::InvalidArgValue,
            "url must be an address of http or https in ASCII, as URL.href writes it, without a \
             user",
        )
    })?;
    let header = json!({ "typ": "dpop+jwt", "jwk": bare(&jwk) }).to_string();
    let mut claims = json!({
        "jti": uuid_v4()?.to_string(),
        "htm": proof.method,
        "htu": htu,
        "iat": clock.unix_seconds(),
    });
    if let Some(token) = proof.access_token {
        claims["ath"] = hash_of(token).into();
    }
    if let Some(nonce) = proof.nonce {
        claims["nonce"] = nonce.into();
    }
    let token = sign_jws(key, claims.to_string().as_bytes(), false, &header)?;
    String::from_utf8(token).map_err(|_| Error::new(Code::Internal, "a token is ASCII"))
}

/// The members of the key itself.
fn bare(jwk: &str) -> Map<String, Value> {
    let mut members: Map<String, Value> = serde_json::from_str(jwk).unwrap_or_default();
    members.retain(|name, _| !["alg", "kid", "use", "issuer"].contains(&name.as_str()));
    members
}
