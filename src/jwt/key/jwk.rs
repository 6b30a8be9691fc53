//! Public keys as JWKs (RFC 7517) and their thumbprints (RFC 7638).
//!
//! Our own reader, since the `jsonwebtoken` crate knows neither ES512 nor the name Ed25519, and
//! lets `key_ops` and members that come twice pass.

use aws_lc_rs::digest;
use serde_json::{Map, Value};

use super::key_type::KeyType;
use crate::jwt::token::base64url;

/// The members that make a public key, in the order of their names. Numbers are big-endian, without
/// leading zeros for RSA and of full length for curves, so equal keys have equal members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::jwt) struct PublicJwk {
    members: Vec<(&'static str, String)>,
}

impl PublicJwk {
    /// A key of these numbers.
    pub(crate) fn new(numbers: &[(&'static str, &[u8])], key_type: KeyType) -> Self {
        let numbers = numbers.iter().map(|(name, bytes)| (*name, base64url::encode(bytes)));
        let crv = key_type.crv().map(|crv| ("crv", crv.to_owned()));
        let mut members: Vec<_> = numbers.chain(crv).collect();
        members.push(("kty", key_type.kty().to_owned()));
        members.sort_unstable();
        Self { members }
    }

    /// The JWK's JSON, fit for a JWK Set.
    pub(crate) fn to_json(&self, alg: &str, kid: &str) -> String {
        let own = self.members.iter().map(|(name, value)| (*name, value.as_str()));
        let members = own.chain([("alg", alg), ("kid", kid), ("use", "sig")]);
        let members: Map<String, Value> =
            members.map(|(name, value)| (name.into(), value.into())).collect();
        Value::Object(members).to_string()
    }

    /// SHA-256 thumbprint (RFC 7638), base64url: 43 characters.
    pub(crate) fn thumbprint(&self) -> String {
        // Nothing in the values needs an escape.
        let members: Vec<_> =
            self.members.iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
        let json = format!("{{{}}}", members.join(","));
        base64url::encode(digest::digest(&digest::SHA256, json.as_bytes()).as_ref())
    }
}

/// The bytes of a member in base64url.
pub(crate) fn number(members: &Map<String, Value>, name: &str) -> Option<Vec<u8>> {
    base64url::decode(members.get(name)?.as_str()?.as_bytes())
}
