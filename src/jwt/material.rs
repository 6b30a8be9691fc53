//! What key material is accepted: the checks that the parsers below leave to us.

use std::borrow::Cow;

use aws_lc_rs::rsa::PublicKey as RsaPublicKey;
use aws_lc_rs::signature::{self, ParsedPublicKey};

use super::Algorithm;
use super::jwk::PublicJwk;
use crate::error::{Code, Error, Result};

/// The lengths of RSA moduli, in bits (RFC 7518 section 3.3 asks for at least 2048).
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// DER of a P-256 `SubjectPublicKeyInfo` up to the point (RFC 5480).
const SPKI_P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
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
    match algorithm {
        Algorithm::Hs256 => None,
        Algorithm::Rs256 | Algorithm::Ps256 => {
            der.get(4..)?.starts_with(&RSA_ENCRYPTION).then_some(())?;
            RsaPublicKey::from_der(der).ok().map(|key| rsa_jwk(&key))
        }
        Algorithm::Es256 => p256_point(der.strip_prefix(&SPKI_P256)?),
        Algorithm::EdDsa => der.strip_prefix(&SPKI_ED25519).and_then(PublicJwk::ed25519),
    }
}

/// A P-256 key from its uncompressed point, 65 bytes.
pub fn p256_point(point: &[u8]) -> Option<PublicJwk> {
    PublicJwk::p256(point.strip_prefix(&[UNCOMPRESSED])?)
}

/// The numbers of an RSA key.
pub fn rsa_jwk(key: &RsaPublicKey) -> PublicJwk {
    PublicJwk::Rsa {
        n: key.modulus().big_endian_without_leading_zero().to_vec(),
        e: key.exponent().big_endian_without_leading_zero().to_vec(),
    }
}

/// A public key, checked and parsed once.
pub fn parsed(public: &PublicJwk, algorithm: Algorithm) -> Result<ParsedPublicKey> {
    let rejected = |_| unusable(algorithm);
    match (public, algorithm.rsa()) {
        (PublicJwk::Rsa { n, e }, Some((parameters, _))) => {
            let bits = n.len() * 8 - n.first().map_or(0, |byte| byte.leading_zeros() as usize);
            let odd_exponent = e.last().is_some_and(|last| last % 2 == 1) && e[..] != [1]
                // Beyond 33 bits no signature is ever verified.
                && (e.len() < 5 || (e.len() == 5 && e[0] == 1));
            if !RSA_BITS.contains(&bits)
                || !odd_exponent
                || n.last().is_none_or(|last| last % 2 == 0)
            {
                return Err(invalid(
                    "an RSA key has an odd modulus of 2048 to 8192 bits and an odd exponent of 3 \
                     or more",
                ));
            }
            let components = signature::RsaPublicKeyComponents { n, e };
            components.to_parsed_public_key(parameters).map_err(rejected)
        }
        (PublicJwk::P256 { x, y }, None) if algorithm == Algorithm::Es256 => {
            let point = [&[UNCOMPRESSED][..], x, y].concat();
            ParsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).map_err(rejected)
        }
        (PublicJwk::Ed25519 { x }, None)
            if algorithm == Algorithm::EdDsa && !has_small_order(x) =>
        {
            ParsedPublicKey::new(&signature::ED25519, x).map_err(rejected)
        }
        _ => Err(unusable(algorithm)),
    }
}

/// Whether bytes given as a secret are somebody's key file.
pub fn looks_like_a_key_file(secret: &[u8]) -> bool {
    let has = |needle: &[u8]| memchr::memmem::find(secret, needle).is_some();
    let start = secret.strip_prefix("\u{feff}".as_bytes()).unwrap_or(secret).trim_ascii_start();
    let starts = |prefixes: &[&str]| prefixes.iter().any(|p| start.starts_with(p.as_bytes()));
    has(b"-----BEGIN ")
        || (starts(&["{", "["]) && has(b"\"kty\""))
        || starts(&["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"])
}

/// Whether `der` is one SEQUENCE and nothing after it: the parsers ignore what follows.
pub fn is_one_sequence(der: &[u8]) -> bool {
    match *der {
        [0x30, 0x82, high, low, ref rest @ ..] => {
            rest.len() == usize::from(u16::from_be_bytes([high, low]))
        }
        [0x30, 0x81, length, ref rest @ ..] | [0x30, length @ 0..=0x7f, ref rest @ ..] => {
            rest.len() == usize::from(length)
        }
        _ => false,
    }
}

/// An error about a key.
pub fn invalid(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(Code::JwtKey, message)
}

/// The error for a key that is malformed or of another algorithm.
pub fn unusable(algorithm: Algorithm) -> Error {
    invalid(format!("this is not a valid {} key", algorithm.name()))
}

/// The y coordinates, low half first, of the points whose order divides 8, those not reduced
/// included: under such
/// a key signatures can be made up (RFC 8032 section 5.1.7 leaves the check to us).
const SMALL_ORDER: [[u128; 2]; 7] = [
    [0x00000000000000000000000000000000, 0x00000000000000000000000000000000],
    [0x00000000000000000000000000000001, 0x00000000000000000000000000000000],
    [0xf098eff289f4c345b027b2c28f95e826, 0x05fc536d880238b13933c6d305acdfd5],
    [0x0f67100d760b3cba4fd84d3d706a17c7, 0x7a03ac9277fdc74ec6cc392cfa53202a],
    [0xffffffffffffffffffffffffffffffec, 0x7fffffffffffffffffffffffffffffff],
    [0xffffffffffffffffffffffffffffffed, 0x7fffffffffffffffffffffffffffffff],
    [0xffffffffffffffffffffffffffffffee, 0x7fffffffffffffffffffffffffffffff],
];

fn has_small_order(point: &[u8]) -> bool {
    let (halves, []) = point.as_chunks::<16>() else { return true };
    let [low, high] = *halves else { return true };
    // The highest bit is the sign of x.
    let y = [u128::from_le_bytes(low), u128::from_le_bytes(high) & (u128::MAX >> 1)];
    SMALL_ORDER.contains(&y)
}
