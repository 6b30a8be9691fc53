//! Ed25519 (RFC 8032 section 5.1, RFC 8037, RFC 9864).

use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use ed25519_dalek::{PUBLIC_KEY_LENGTH, Signature, Verifier as _, VerifyingKey};
use serde_json::{Map, Value};
use x509_cert::der::asn1::ObjectIdentifier;

use super::der::{Form, spki};
use super::error::{invalid, not_encoded, not_generated, not_signed};
use super::jwk::{PublicJwk, octets};
use super::key_type::KeyType;
use super::scheme::{PrivateKey, PublicKey, Scheme, SignatureVerifier, Signer};
use crate::error::Result;
use crate::secret::{ParsedKey, Secret};

/// `id-Ed25519` (RFC 8410 section 3).
const ID_ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Ed25519, which has no parameters.
pub(crate) struct Ed25519;

/// `EdDSA` and `Ed25519`
pub(crate) static ED25519: Ed25519 = Ed25519;

impl Ed25519 {
    fn private(&self, pair: Ed25519KeyPair) -> Result<Option<PrivateKey>> {
        let Some(PublicKey { jwk, verifier }) = self.public(pair.public_key().as_ref()) else {
            return Ok(None);
        };
        // The library wipes this encoding when it is dropped.
        let der: Pkcs8V1Der<'static> = pair.as_der().map_err(|_| not_encoded())?;
        let original = Secret::copy_from(der.as_ref())?;
        let signer = Arc::new(Ed25519Signer(ParsedKey::new(pair)));
        Ok(Some(PrivateKey { signer, verifier, public: Some(jwk), original }))
    }

    /// Makes a key from the encoding of a point. `None` if the point is not on the curve, if the
    /// encoding is not the canonical one, or if the order of the point is small: signatures under
    /// such a point can be forged, and RFC 8032 section 5.1.7 leaves the check to us.
    fn public(&self, x: &[u8]) -> Option<PublicKey> {
        let key = VerifyingKey::from_bytes(x.try_into().ok()?).ok()?;
        let is_canonical = key.to_edwards().compress().as_bytes() == x;
        if !is_canonical || key.is_weak() {
            return None;
        }
        let jwk = PublicJwk::new(&[("x", x)], self.key_type());
        Some(PublicKey { jwk, verifier: Arc::new(Ed25519Verifier(key)) })
    }
}

impl Scheme for Ed25519 {
    fn key_type(&self) -> KeyType {
        KeyType::Okp("Ed25519")
    }

    fn generate(&self, _modulus_bits: Option<u32>) -> Result<PrivateKey> {
        let pair = Ed25519KeyPair::generate().map_err(|_| not_generated())?;
        self.private(pair)?.ok_or_else(not_generated)
    }

    fn private_key(&self, form: Form, der: &[u8]) -> Result<Option<PrivateKey>> {
        match form {
            Form::Pkcs8 => Ed25519KeyPair::from_pkcs8_maybe_unchecked(der)
                .map_or(Ok(None), |pair| self.private(pair)),
            _ => Ok(None),
        }
    }

    fn public_key(&self, form: Form, der: &[u8]) -> Result<Option<PublicKey>> {
        let info = spki(der).filter(|info| {
            form == Form::Spki
                && info.algorithm.oid == ID_ED25519
                && info.algorithm.parameters.is_none()
        });
        let x = info.and_then(|info| info.subject_public_key.as_bytes());
        Ok(x.and_then(|x| self.public(x)))
    }

    fn public_jwk(&self, members: &Map<String, Value>, name: &str) -> Result<PublicKey> {
        self.key_type().check(members, name)?;
        // The bytes are an encoding, not a number (RFC 8037 section 2), so zeros count.
        let x = octets(members, "x")?;
        if x.len() != PUBLIC_KEY_LENGTH {
            return Err(invalid("the JWK's \"x\" must have 32 bytes"));
        }
        self.public(&x).ok_or_else(|| {
            invalid("the JWK's \"x\" is not a point on Ed25519, or is one of small order")
        })
    }
}

struct Ed25519Signer(ParsedKey<Ed25519KeyPair>);

impl Signer for Ed25519Signer {
    /// Appends 64 bytes.
    fn sign_into(&self, message: &[u8], out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(self.0.try_sign(message).map_err(|_| not_signed())?.as_ref());
        Ok(())
    }
}

/// Verifies with `ed25519-dalek`: aws-lc takes a quarter longer, and does not check the point.
struct Ed25519Verifier(VerifyingKey);

impl SignatureVerifier for Ed25519Verifier {
    /// Follows RFC 8032 section 5.1.7. S and R must be canonical, and the equation is not
    /// multiplied by 8.
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verify(message, &signature).is_ok())
    }
}
