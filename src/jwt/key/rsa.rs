//! What key material is accepted: the checks that the parsers below leave to us.

use std::borrow::Cow;

use aws_lc_rs::rsa::PublicKey as RsaPublicKey;
use aws_lc_rs::signature::{self, ParsedPublicKey};
use ed25519_dalek::{Verifier, VerifyingKey};

use super::Algorithm;
use super::algorithm::{Curve, Scheme};
use super::jwk::PublicJwk;
use crate::error::{Code, Error, Result};

/// The lengths of RSA moduli, in bits (RFC 7518 section 3.3 asks for at least 2048).
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// DER of a `SubjectPublicKeyInfo` up to the point (RFC 5480), by curve.
const SPKI_P256: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
const SPKI_P384: &[u8] = &[
    0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
    0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00,
];
const SPKI_P521: &[u8] = &[
    0x30, 0x81, 0x9b, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05,
    0x2b, 0x81, 0x04, 0x00, 0x23, 0x03, 0x81, 0x86, 0x00,
];
/// DER of an Ed25519 `SubjectPublicKeyInfo` up to the key (RFC 8410).
const SPKI_ED25519: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// DER of the `AlgorithmIdentifier` of RSA keys for any padding (RFC 3279 section 2.3.1).
const RSA_ENCRYPTION: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
/// The first byte of an uncompressed point (SEC 1 section 2.3.3).
const UNCOMPRESSED: u8 = 4;

/// The public key of a `SubjectPublicKeyInfo` (RFC 5280 section 4.1) for one algorithm.
pub fn spki(der: &[u8], algorithm: Algorithm) -> Option<PublicJwk> {
    match algorithm.scheme() {
        Scheme::Hmac(_) => None,
        Scheme::Rsa(..) => {
            der.get(4..)?.starts_with(&RSA_ENCRYPTION).then_some(())?;
            RsaPublicKey::from_der(der).ok().map(|key| rsa_jwk(&key))
        }
        Scheme::Ecdsa(curve, ..) => {
            let prefix = match curve {
                Curve::P256 => SPKI_P256,
                Curve::P384 => SPKI_P384,
                Curve::P521 => SPKI_P521,
            };
            point(curve, der.strip_prefix(prefix)?)
        }
        Scheme::Ed25519 => der.strip_prefix(&SPKI_ED25519).and_then(PublicJwk::ed25519),
    }
}

/// A key from its uncompressed point.
pub fn point(curve: Curve, point: &[u8]) -> Option<PublicJwk> {
    PublicJwk::ec(curve, point.strip_prefix(&[UNCOMPRESSED])?)
}

/// The numbers of an RSA key.
pub fn rsa_jwk(key: &RsaPublicKey) -> PublicJwk {
    PublicJwk::Rsa {
        n: key.modulus().big_endian_without_leading_zero().to_vec(),
        e: key.exponent().big_endian_without_leading_zero().to_vec(),
    }
}

/// A public key, checked and parsed once.
#[derive(Clone)]
pub enum Parsed {
    /// RSA and ECDSA.
    RsaOrEcdsa(ParsedPublicKey),
    /// Apart from them, because aws-lc takes a quarter longer, and does not look at the point.
    Ed25519(Box<VerifyingKey>),
}

impl Parsed {
    /// Whether `signature` is this key's for `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::RsaOrEcdsa(key) => key.verify_sig(message, signature).is_ok(),
            // As RFC 8032 section 5.1.7 with a canonical S and R, the equation not multiplied by 8.
            Self::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        }
    }
}

/// Checks and parses a public key.
pub fn parsed(public: &PublicJwk, algorithm: Algorithm) -> Result<Parsed> {
    let rejected = |_| unusable(algorithm);
    match (public, algorithm.scheme()) {
        (PublicJwk::Rsa { n, e }, Scheme::Rsa(parameters, _)) => {
            check_rsa(n, e)?;
            let components = signature::RsaPublicKeyComponents { n, e };
            components.to_parsed_public_key(parameters).map(Parsed::RsaOrEcdsa).map_err(rejected)
        }
        (PublicJwk::Ec { curve: own, x, y }, Scheme::Ecdsa(curve, parameters, _))
            if *own == curve =>
        {
            let point = [&[UNCOMPRESSED][..], x, y].concat();
            ParsedPublicKey::new(parameters, point).map(Parsed::RsaOrEcdsa).map_err(rejected)
        }
        (PublicJwk::Ed25519 { x }, Scheme::Ed25519) => {
            ed25519(x).ok_or_else(|| unusable(algorithm))
        }
        _ => Err(unusable(algorithm)),
    }
}

/// A point on the curve, in its only encoding, whose order is not small: under one of small order
/// signatures can be made up (RFC 8032 section 5.1.7 leaves the check to us).
fn ed25519(x: &[u8]) -> Option<Parsed> {
    let key = VerifyingKey::from_bytes(x.try_into().ok()?).ok()?;
    let is_canonical = key.to_edwards().compress().as_bytes() == x;
    (is_canonical && !key.is_weak()).then(|| Parsed::Ed25519(Box::new(key)))
}

fn check_rsa(n: &[u8], e: &[u8]) -> Result<()> {
    let bits = n.len() * 8 - n.first().map_or(0, |byte| byte.leading_zeros() as usize);
    let odd_exponent = e.last().is_some_and(|last| last % 2 == 1) && e[..] != [1]
        // Beyond 33 bits no signature is ever verified.
        && (e.len() < 5 || (e.len() == 5 && e[0] == 1));
    let odd_modulus = n.last().is_some_and(|last| last % 2 == 1);
    if RSA_BITS.contains(&bits) && odd_exponent && odd_modulus {
        return Ok(());
    }
    Err(invalid(
        "an RSA key has an odd modulus of 2048 to 8192 bits and an odd exponent of 3 or more",
    ))
}

/// An error about a key.
pub fn invalid(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(Code::JwtKey, message)
}

/// The error for a key that is malformed or of another algorithm.
pub fn unusable(algorithm: Algorithm) -> Error {
    invalid(format!("this is not a valid {} key", algorithm.name()))
}
