//! Public keys as JWKs (RFC 7517) and their thumbprints (RFC 7638).
//!
//! The reader is our own, because the `jsonwebtoken` crate knows neither ES512 nor the name
//! Ed25519, does not check `key_ops`, and accepts duplicate members.

use aws_lc_rs::digest;
use serde_json::{Map, Value};

use super::error::invalid;
use super::key_type::KeyType;
use crate::error::Result;
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

    /// The JWK as JSON, with `alg`, `kid`, `use` and perhaps `issuer`, ready for a JWK Set.
    pub(crate) fn to_json(&self, alg: &str, kid: &str, issuer: Option<&str>) -> String {
        let own = self.members.iter().map(|(name, value)| (*name, value.as_str()));
        let members = own.chain([("alg", alg), ("kid", kid), ("use", "sig")]);
        let members = members.chain(issuer.map(|issuer| ("issuer", issuer)));
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

/// Decodes a member that is a number: big-endian, without leading zeros. RFC 7518 section 6 asks
/// for the shortest form of RSA's numbers and for the full length of coordinates. Some libraries
/// write neither, and the number is the same.
pub(crate) fn number(members: &Map<String, Value>, name: &str) -> Result<Vec<u8>> {
    let mut bytes = octets(members, name)?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.drain(..zeros);
    Ok(bytes)
}

/// Decodes a member from base64url. Padding, if it is complete, and the characters of standard
/// base64 are read as well: the bytes are the same. White space and unused bits are refused.
pub(crate) fn octets(members: &Map<String, Value>, name: &str) -> Result<Vec<u8>> {
    let text = members.get(name).ok_or_else(|| invalid(format!("the JWK has no \"{name}\"")))?;
    text.as_str()
        .and_then(without_padding)
        .and_then(|text| base64url::decode(text.replace('+', "-").replace('/', "_").as_bytes()))
        .ok_or_else(|| invalid(format!("the JWK's \"{name}\" must be base64url")))
}

/// Removes one or two `=` that fill up the last four characters. `None` if they do not.
fn without_padding(text: &str) -> Option<&str> {
    let bare = text.trim_end_matches('=');
    let padding = text.len() - bare.len();
    (padding == 0 || (padding <= 2 && text.len().is_multiple_of(4))).then_some(bare)
}
