//! Public keys as JWKs (RFC 7517) and their thumbprints (RFC 7638).
//!
//! The reader is our own, because the `jsonwebtoken` crate knows neither ES512 nor the name
//! Ed25519, does not check `key_ops`, and accepts duplicate members.

use aws_lc_rs::digest;
use serde_json::{Map, Value};

use super::key_type::KeyType;
use crate::jwt::token::base64url;

/// The members of a public key, sorted by name. Numbers are big-endian, without leading zeros for
/// RSA and of full length for curves, so equal keys have equal members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::jwt) struct PublicJwk {
    members: Vec<(&'static str, String)>,
}

impl PublicJwk {
    /// Makes the members from the numbers of a key.
    pub(crate) fn new(numbers: &[(&'static str, &[u8])], key_type: KeyType) -> Self {
        let numbers = numbers.iter().map(|(name, bytes)| (*name, base64url::encode(bytes)));
        let crv = key_type.crv().map(|crv| ("crv", crv.to_owned()));
        let mut members: Vec<_> = numbers.chain(crv).collect();
        members.push(("kty", key_type.kty().to_owned()));
        members.sort_unstable();
        Self { members }
    }

    /// The JWK as JSON, with `alg`, `kid` and `use`, ready for a JWK Set.
    pub(crate) fn to_json(&self, alg: &str, kid: &str) -> String {
        let own = self.members.iter().map(|(name, value)| (*name, value.as_str()));
        let members = own.chain([("alg", alg), ("kid", kid), ("use", "sig")]);
        let members: Map<String, Value> =
            members.map(|(name, value)| (name.into(), value.into())).collect();
        Value::Object(members).to_string()
    }

    /// The SHA-256 thumbprint (RFC 7638) in base64url: 43 characters.
    pub(crate) fn thumbprint(&self) -> String {
        // No value contains a character that JSON would escape.
        let members: Vec<_> =
            self.members.iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
        let json = format!("{{{}}}", members.join(","));
        base64url::encode(digest::digest(&digest::SHA256, json.as_bytes()).as_ref())
    }
}

/// Decodes a member from base64url; `None` if it is missing or malformed.
pub(crate) fn number(members: &Map<String, Value>, name: &str) -> Option<Vec<u8>> {
    base64url::decode(members.get(name)?.as_str()?.as_bytes())
}
