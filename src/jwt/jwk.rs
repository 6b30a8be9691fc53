//! Public keys as JWKs (RFC 7517), their thumbprints (RFC 7638), and a second opinion on them:
//! all through the `jsonwebtoken` crate.

use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, EllipticCurveKeyParameters, Jwk,
    KeyAlgorithm, OctetKeyPairParameters, PublicKeyUse, RSAKeyParameters, ThumbprintHash,
};

use super::{Algorithm, base64url};
use crate::error::{Code, Error, Result};

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
    /// A point on P-256, not checked to be on the curve here.
    P256 {
        /// 32 bytes.
        x: Vec<u8>,
        /// 32 bytes.
        y: Vec<u8>,
    },
    /// An Ed25519 key (RFC 8037).
    Ed25519 {
        /// 32 bytes.
        x: Vec<u8>,
    },
}

impl PublicJwk {
    /// From the two coordinates, 64 bytes.
    pub fn p256(coordinates: &[u8]) -> Option<Self> {
        let (x, y) = coordinates.split_at_checked(32)?;
        (y.len() == 32).then(|| Self::P256 { x: x.to_vec(), y: y.to_vec() })
    }

    /// From the encoded key, 32 bytes.
    pub fn ed25519(key: &[u8]) -> Option<Self> {
        (key.len() == 32).then(|| Self::Ed25519 { x: key.to_vec() })
    }

    /// Reads a public JWK for one algorithm, and its `kid`.
    pub fn parse(json: &str, algorithm: Algorithm) -> Result<(Self, Option<String>)> {
        let malformed = || {
            Error::new(
                Code::JwtKey,
                format!("this is not a public {} signature key as a JWK", algorithm.name()),
            )
        };
        let jwk: Jwk = serde_json::from_str(json).map_err(|_| malformed())?;
        let common = &jwk.common;
        let is_for_signatures =
            matches!(common.public_key_use, None | Some(PublicKeyUse::Signature));
        let is_for_algorithm =
            common.key_algorithm.is_none_or(|alg| alg.to_string() == algorithm.name());
        if !is_for_signatures || !is_for_algorithm {
            return Err(malformed());
        }
        let decode = |text: &str| base64url::decode(text.as_bytes()).ok_or_else(malformed);
        let public = match &jwk.algorithm {
            AlgorithmParameters::RSA(rsa) => {
                let (n, e) = (decode(&rsa.n)?, decode(&rsa.e)?);
                (n.first() != Some(&0) && e.first() != Some(&0)).then_some(Self::Rsa { n, e })
            }
            AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P256 => {
                let (x, y) = (decode(&ec.x)?, decode(&ec.y)?);
                (x.len() == 32).then(|| Self::p256(&[x, y].concat())).flatten()
            }
            AlgorithmParameters::OctetKeyPair(okp) if okp.curve == EllipticCurve::Ed25519 => {
                Self::ed25519(&decode(&okp.x)?)
            }
            _ => None,
        };
        Ok((public.ok_or_else(malformed)?, jwk.common.key_id))
    }

    /// The JWK's JSON, fit for a JWK Set.
    pub fn to_json(&self, algorithm: Algorithm, kid: &str) -> String {
        let mut jwk = self.to_jwk();
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        jwk.common.key_algorithm = algorithm.name().parse::<KeyAlgorithm>().ok();
        jwk.common.key_id = Some(kid.to_owned());
        // Strings only: there is nothing in it that could fail to serialize.
        serde_json::to_string(&jwk).unwrap_or_default()
    }

    /// SHA-256 thumbprint (RFC 7638), base64url: 43 characters.
    pub fn thumbprint(&self) -> Result<String> {
        self.to_jwk()
            .thumbprint(ThumbprintHash::SHA256)
            .map_err(|_| Error::new(Code::Internal, "the key's thumbprint could not be computed"))
    }

    /// Whether the crate, given this key as a JWK, accepts a signature (base64url).
    pub fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &str) -> bool {
        let Ok(algorithm) = algorithm.name().parse() else { return false };
        jsonwebtoken::DecodingKey::from_jwk(&self.to_jwk())
            .and_then(|key| jsonwebtoken::crypto::verify(signature, message, &key, algorithm))
            .unwrap_or(false)
    }

    fn to_jwk(&self) -> Jwk {
        let algorithm = match self {
            Self::Rsa { n, e } => AlgorithmParameters::RSA(RSAKeyParameters {
                n: base64url::encode(n),
                e: base64url::encode(e),
                ..RSAKeyParameters::default()
            }),
            Self::P256 { x, y } => AlgorithmParameters::EllipticCurve(EllipticCurveKeyParameters {
                curve: EllipticCurve::P256,
                x: base64url::encode(x),
                y: base64url::encode(y),
                ..EllipticCurveKeyParameters::default()
            }),
            Self::Ed25519 { x } => AlgorithmParameters::OctetKeyPair(OctetKeyPairParameters {
                curve: EllipticCurve::Ed25519,
                x: base64url::encode(x),
                ..OctetKeyPairParameters::default()
            }),
        };
        Jwk { common: CommonParameters::default(), algorithm }
    }
}
