//! ECDSA (RFC 7518 section 3.4) on the curves of NIST (FIPS 186).

use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm, KeyPair as _,
    ParsedPublicKey,
};
use serde_json::{Map, Value};
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Tag, Tagged as _};

use super::der::{Form, spki};
use super::error::{invalid, not_encoded, not_generated, not_signed};
use super::jwk::{PublicJwk, number};
use super::key_type::KeyType;
use super::scheme::{PrivateKey, PublicKey, Scheme, SignatureVerifier, Signer};
use crate::error::Result;
use crate::secret::{ParsedKey, Secret};

/// `id-ecPublicKey` (RFC 5480 section 2.1.1).
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// The first byte of an uncompressed point (SEC 1 section 2.3.3).
const UNCOMPRESSED: u8 = 4;
/// The first bytes of a compressed point, by the parity of `y`.
const COMPRESSED: [u8; 2] = [2, 3];
/// The first bytes of a hybrid point, by the parity of `y` (X9.62 section 4.3.6).
const HYBRID: [u8; 2] = [6, 7];

/// ECDSA on a curve with a hash.
pub(crate) struct Ecdsa {
    /// The `crv` value (RFC 7518 section 6.2.1.1).
    crv: &'static str,
    /// The named curve in DER (RFC 5480 section 2.1.1.1).
    curve: ObjectIdentifier,
    /// The length of a coordinate, in bytes.
    coordinate_len: usize,
    verifying: &'static EcdsaVerificationAlgorithm,
    signing: &'static EcdsaSigningAlgorithm,
}

/// `ES256`
pub(crate) static ES256: Ecdsa = Ecdsa {
    crv: "P-256",
    curve: ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"),
    coordinate_len: 32,
    verifying: &signature::ECDSA_P256_SHA256_FIXED,
    signing: &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
};
/// `ES384`
pub(crate) static ES384: Ecdsa = Ecdsa {
    crv: "P-384",
    curve: ObjectIdentifier::new_unwrap("1.3.132.0.34"),
    coordinate_len: 48,
    verifying: &signature::ECDSA_P384_SHA384_FIXED,
    signing: &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
};
/// `ES512`
pub(crate) static ES512: Ecdsa = Ecdsa {
    crv: "P-521",
    curve: ObjectIdentifier::new_unwrap("1.3.132.0.35"),
    coordinate_len: 66,
    verifying: &signature::ECDSA_P521_SHA512_FIXED,
    signing: &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
};

impl Ecdsa {
    fn private(&self, pair: EcdsaKeyPair) -> Result<Option<PrivateKey>> {
        let Some(PublicKey { jwk, verifier }) = self.public(pair.public_key().as_ref()) else {
            return Ok(None);
        };
        let der = pair.to_pkcs8v1().map_err(|_| not_encoded())?;
        let original = Secret::copy_from(der.as_ref())?;
        let signer = Arc::new(EcdsaSigner(ParsedKey::new(pair)));
        Ok(Some(PrivateKey { signer, verifier, public: Some(jwk), original }))
    }

    /// The uncompressed form of a compressed or hybrid point. `None` if it is no point of the
    /// curve.
    fn uncompressed(&self, point: &[u8]) -> Option<Vec<u8>> {
        let coordinates = match point.first()? {
            first if COMPRESSED.contains(first) => 1,
            first if HYBRID.contains(first) => 2,
            _ => return None,
        };
        // The library would also read a whole SubjectPublicKeyInfo.
        if point.len() != 1 + coordinates * self.coordinate_len {
            return None;
        }
        let parsed = ParsedPublicKey::new(self.verifying, point).ok()?;
        // The library writes points uncompressed.
        let info: PublicKeyX509Der<'static> = parsed.as_der().ok()?;
        spki(info.as_ref())?.subject_public_key.as_bytes().map(<[u8]>::to_vec)
    }

    /// Makes a key from its uncompressed point. The library checks that the point is on the curve.
    fn public(&self, point: &[u8]) -> Option<PublicKey> {
        let coordinates = point.strip_prefix(&[UNCOMPRESSED])?;
        let (x, y) = coordinates.split_at_checked(self.coordinate_len)?;
        if y.len() != x.len() {
            return None;
        }
        let verifier = Arc::new(EcdsaVerifier(ParsedPublicKey::new(self.verifying, point).ok()?));
        Some(PublicKey { jwk: PublicJwk::new(&[("x", x), ("y", y)], self.key_type()), verifier })
    }
}

impl Scheme for Ecdsa {
    fn key_type(&self) -> KeyType {
        KeyType::Ec(self.crv)
    }

    fn generate(&self, _modulus_bits: Option<u32>) -> Result<PrivateKey> {
        let pair = EcdsaKeyPair::generate(self.signing).map_err(|_| not_generated())?;
        self.private(pair)?.ok_or_else(not_generated)
    }

    fn private_key(&self, form: Form, der: &[u8]) -> Result<Option<PrivateKey>> {
        let pair = match form {
            Form::Pkcs8 => EcdsaKeyPair::from_pkcs8(self.signing, der),
            Form::Ec => EcdsaKeyPair::from_private_key_der(self.signing, der),
            _ => return Ok(None),
        };
        pair.map_or(Ok(None), |pair| self.private(pair))
    }

    fn public_key(&self, form: Form, der: &[u8]) -> Result<Option<PublicKey>> {
        let info =
            spki(der).filter(|info| form == Form::Spki && info.algorithm.oid == EC_PUBLIC_KEY);
        let Some(info) = info else { return Ok(None) };
        // RFC 5480 section 2.1.1 forbids them. Invented parameters of a curve have made another
        // key verify (CVE-2020-0601).
        if info.algorithm.parameters.is_some_and(|parameters| parameters.tag() == Tag::Sequence) {
            return Err(invalid(
                "the public key spells out the parameters of its curve; convert it to the name of \
                 the curve: openssl ec -pubin -pubout -param_enc named_curve",
            ));
        }
        if info.algorithm.parameters_oid() != Ok(self.curve) {
            return Ok(None);
        }
        let Some(point) = info.subject_public_key.as_bytes() else { return Ok(None) };
        Ok(self.public(self.uncompressed(point).as_deref().unwrap_or(point)))
    }

    fn public_jwk(&self, members: &Map<String, Value>, name: &str) -> Result<PublicKey> {
        self.key_type().check(members, name)?;
        let mut point = vec![UNCOMPRESSED];
        for coordinate in ["x", "y"] {
            let number = number(members, coordinate)?;
            let zeros = self.coordinate_len.checked_sub(number.len()).ok_or_else(|| {
                let (crv, length) = (self.crv, self.coordinate_len);
                invalid(format!("a coordinate of {crv} has at most {length} bytes"))
            })?;
            point.resize(point.len() + zeros, 0);
            point.extend(number);
        }
        self.public(&point).ok_or_else(|| {
            invalid(format!("the JWK's \"x\" and \"y\" are not a point on {}", self.crv))
        })
    }
}

struct EcdsaSigner(ParsedKey<EcdsaKeyPair>);

impl Signer for EcdsaSigner {
    /// Appends R and S, each as long as a coordinate: 64, 96 or 132 bytes together.
    fn sign_into(&self, message: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let signature = self.0.sign(&SystemRandom::new(), message).map_err(|_| not_signed())?;
        out.extend_from_slice(signature.as_ref());
        Ok(())
    }
}

struct EcdsaVerifier(ParsedPublicKey);

impl SignatureVerifier for EcdsaVerifier {
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}
