//! Public keys as JWKs (RFC 7517) and their thumbprints (RFC 7638).
//!
//! Our own reader, since the `jsonwebtoken` crate knows neither ES512 nor the name Ed25519, and
//! lets `key_ops` and members that come twice pass.

use aws_lc_rs::digest;
use serde_json::{Map, Value};

use super::algorithm::{Curve, Scheme};
use super::json::scan_object;
use super::material::invalid;
use super::{Algorithm, MAX_KID_LEN, base64url};
use crate::error::{Error, Result};

/// The numbers of a public key, big-endian, without leading zeros for RSA and of full length for
/// curves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicJwk {
    /// RSA: modulus and exponent.
    Rsa {
        /// Modulus.
        n: Vec<u8>,
        /// Exponent.
        e: Vec<u8>,
    },
    /// A point, not checked to be on the curve here.
    Ec {
        /// Its curve.
        curve: Curve,
        /// As long as the curve's coordinates.
        x: Vec<u8>,
        /// The same.
        y: Vec<u8>,
    },
    /// An Ed25519 key (RFC 8037).
    Ed25519 {
        /// 32 bytes.
        x: Vec<u8>,
    },
}

/// What a JWK is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A private key signs.
    Sign,
    /// A public key verifies.
    Verify,
    /// A symmetric key does both.
    Both,
}

impl PublicJwk {
    /// From the two coordinates in a row.
    pub fn ec(curve: Curve, coordinates: &[u8]) -> Option<Self> {
        let (x, y) = coordinates.split_at_checked(curve.coordinate_len())?;
        (x.len() == y.len()).then(|| Self::Ec { curve, x: x.to_vec(), y: y.to_vec() })
    }

    /// From the encoded key, 32 bytes.
    pub fn ed25519(key: &[u8]) -> Option<Self> {
        (key.len() == 32).then(|| Self::Ed25519 { x: key.to_vec() })
    }

    /// Reads a public JWK for one algorithm, and its `kid`.
    pub fn parse(json: &str, algorithm: Algorithm) -> Result<(Self, Option<String>)> {
        Self::of(&members(json)?, algorithm)
    }

    /// As [`Self::parse`], of members that have been read.
    pub fn of(
        members: &Map<String, Value>,
        algorithm: Algorithm,
    ) -> Result<(Self, Option<String>)> {
        check(members, algorithm, Purpose::Verify)?;
        let malformed = || malformed(algorithm);
        let text = |name| members.get(name).and_then(Value::as_str);
        let number = |name| text(name).and_then(|text| base64url::decode(text.as_bytes()));
        let public = match (algorithm.scheme(), text("kty"), text("crv")) {
            (Scheme::Rsa(..), Some("RSA"), _) => {
                let (n, e) =
                    (number("n").ok_or_else(malformed)?, number("e").ok_or_else(malformed)?);
                (n.first() != Some(&0) && e.first() != Some(&0)).then_some(Self::Rsa { n, e })
            }
            (Scheme::Ecdsa(curve, ..), Some("EC"), Some(name)) if name == curve.name() => {
                let (x, y) =
                    (number("x").ok_or_else(malformed)?, number("y").ok_or_else(malformed)?);
                (x.len() == y.len()).then(|| Self::ec(curve, &[x, y].concat())).flatten()
            }
            (Scheme::Ed25519, Some("OKP"), Some("Ed25519")) => {
                Self::ed25519(&number("x").ok_or_else(malformed)?)
            }
            _ => None,
        };
        Ok((public.ok_or_else(malformed)?, text("kid").map(ToOwned::to_owned)))
    }

    /// The JWK's JSON, fit for a JWK Set.
    pub fn to_json(&self, algorithm: Algorithm, kid: &str) -> String {
        let mut members: Map<String, Value> =
            self.members().into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        members.insert("alg".into(), algorithm.name().into());
        members.insert("kid".into(), kid.into());
        members.insert("use".into(), "sig".into());
        Value::Object(members).to_string()
    }

    /// SHA-256 thumbprint (RFC 7638), base64url: 43 characters.
    pub fn thumbprint(&self) -> String {
        // In the order of their names, and nothing in the values needs an escape.
        let members: Vec<_> =
            self.members().iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
        let json = format!("{{{}}}", members.join(","));
        base64url::encode(digest::digest(&digest::SHA256, json.as_bytes()).as_ref())
    }

    /// Whether a reader that is not ours, the `jsonwebtoken` crate, takes the published JWK for the
    /// key of a signature. It does not know P-521, of which only our reader is asked.
    pub fn is_read_by_others(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let known = match algorithm {
            Algorithm::Es512 => return true,
            Algorithm::Ed25519 => Algorithm::EdDsa,
            known => known,
        };
        let Ok(name) = known.name().parse() else { return false };
        let signature = base64url::encode(signature);
        serde_json::from_str(&self.to_json(known, "pair check")).is_ok_and(|jwk| {
            jsonwebtoken::DecodingKey::from_jwk(&jwk)
                .and_then(|key| jsonwebtoken::crypto::verify(&signature, message, &key, name))
                .unwrap_or(false)
        })
    }

    /// The required members, in the order of their names.
    fn members(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Rsa { n, e } => vec![
                ("e", base64url::encode(e)),
                ("kty", "RSA".into()),
                ("n", base64url::encode(n)),
            ],
            Self::Ec { curve, x, y } => vec![
                ("crv", curve.name().into()),
                ("kty", "EC".into()),
                ("x", base64url::encode(x)),
                ("y", base64url::encode(y)),
            ],
            Self::Ed25519 { x } => {
                vec![("crv", "Ed25519".into()), ("kty", "OKP".into()), ("x", base64url::encode(x))]
            }
        }
    }
}

/// Whether a JWK, private or symmetric, says of itself that it is for this.
pub fn check_purpose(json: &str, algorithm: Algorithm, purpose: Purpose) -> Result<()> {
    if purpose == Purpose::Both && !algorithm.is_symmetric() {
        return Err(invalid("an \"oct\" JWK is a secret, which makes HMAC keys only"));
    }
    check(&members(json)?, algorithm, purpose)
}

/// `use` (RFC 7517 section 4.2), `key_ops` (4.3), `alg` (4.4) and `kid` (4.5), each
/// where it is given.
fn check(members: &Map<String, Value>, algorithm: Algorithm, purpose: Purpose) -> Result<()> {
    let text = |name| members.get(name).map(|value| value.as_str().unwrap_or_default());
    if text("alg").is_some_and(|alg| Algorithm::named(alg).is_none_or(|a| !a.signs_as(algorithm))) {
        return Err(invalid("the JWK is for another algorithm"));
    }
    if text("use").is_some_and(|purpose| purpose != "sig") {
        return Err(invalid("the JWK is for another use than signatures"));
    }
    if text("kid").is_some_and(|kid| !(1..=MAX_KID_LEN).contains(&kid.len())) {
        return Err(invalid("the JWK's \"kid\" is no text of 1 to 256 bytes"));
    }
    let Some(operations) = members.get("key_ops") else { return Ok(()) };
    let operations = operations.as_array().map(Vec::as_slice).unwrap_or_default();
    let wanted: &[&str] = match purpose {
        Purpose::Sign => &["sign"],
        Purpose::Verify => &["verify"],
        Purpose::Both => &["sign", "verify"],
    };
    // Of the operations of section 4.3, a signature key has no others, and each once.
    let known = |operation: &Value| matches!(operation.as_str(), Some("sign" | "verify"));
    let is_distinct =
        operations.len() < 2 || (operations.len() == 2 && operations[0] != operations[1]);
    if !is_distinct || !operations.iter().all(known) {
        return Err(invalid(
            "the JWK's \"key_ops\" may hold sign and verify, each once, and nothing else",
        ));
    }
    if !wanted.iter().all(|name| operations.iter().any(|own| own == name)) {
        return Err(invalid(format!("the JWK's \"key_ops\" must have {}", wanted.join(" and "))));
    }
    Ok(())
}

/// The members of a JWK, of which none comes twice.
fn members(json: &str) -> Result<Map<String, Value>> {
    let read = scan_object(json, |_, _| {}).and_then(|()| serde_json::from_str(json).ok());
    read.ok_or_else(|| invalid("this is not a JWK"))
}

fn malformed(algorithm: Algorithm) -> Error {
    invalid(format!("this is not a public {} signature key as a JWK", algorithm.name()))
}
