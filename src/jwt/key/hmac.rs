//! HMAC (RFC 7518 section 3.2).

use std::sync::Arc;

use ring::hmac;
use serde_json::{Map, Value};

use super::der::Form;
use super::error::{invalid, malformed_jwk};
use super::key_file::looks_like_a_key_file;
use super::key_type::KeyType;
use super::scheme::{PrivateKey, PublicKey, Scheme, SignatureVerifier, Signer};
use crate::error::Result;
use crate::secret::{Depth, Locked, Secret, TraceGuard};

/// The longest secret, in bytes. HMAC first hashes a secret that is longer than the hash's block,
/// so further length adds no strength.
const MAX_SECRET_LEN: usize = 4096;

/// HMAC with one of the hashes.
pub(crate) struct Hmac(hmac::Algorithm);

/// `HS256`
pub(crate) static HS256: Hmac = Hmac(hmac::HMAC_SHA256);
/// `HS384`
pub(crate) static HS384: Hmac = Hmac(hmac::HMAC_SHA384);
/// `HS512`
pub(crate) static HS512: Hmac = Hmac(hmac::HMAC_SHA512);

impl Hmac {
    /// The length of a signature, and the shortest secret, in bytes.
    fn output_len(&self) -> usize {
        self.0.digest_algorithm().output_len()
    }

    fn key(&self, secret: &[u8]) -> Result<PrivateKey> {
        let hash = self.0;
        let key = TraceGuard::run(Depth::Hmac, |_| Locked::new(hmac::Key::new(hash, secret)))?;
        let key = Arc::new(HmacKey(key));
        Ok(PrivateKey {
            signer: key.clone(),
            verifier: key,
            public: None,
            original: Secret::copy_from(secret)?,
        })
    }
}

impl Scheme for Hmac {
    fn key_type(&self) -> KeyType {
        KeyType::Oct
    }

    fn generate(&self, _modulus_bits: Option<u32>) -> Result<PrivateKey> {
        let secret = Secret::random(self.output_len())?;
        TraceGuard::run(Depth::Hmac, |trace| self.key(secret.expose(trace)))
    }

    /// Makes a key from a secret of at least the length of the hash's output (RFC 7518 section 3.2)
    /// and at most 4096 bytes; otherwise `ERR_JWT_KEY`.
    ///
    /// Refuses a key file as text, in binary, or in up to three encodings. The file is most likely
    /// a public key, and anyone can sign with an HMAC key that is public. A random secret, or a
    /// text made of one, is mistaken for a key file less often than once in 2⁴⁰ times.
    fn secret_key(&self, secret: &[u8], name: &str) -> Result<PrivateKey> {
        if looks_like_a_key_file(secret, MAX_SECRET_LEN)? {
            return Err(invalid(
                "the secret looks like a key file (PEM, JWK, XML, OpenSSH, PKCS#12 or DER, or an \
                 encoding of one); import it as one, or pass the secret it holds",
            ));
        }
        let least = self.output_len();
        if !(least..=MAX_SECRET_LEN).contains(&secret.len()) {
            return Err(invalid(format!(
                "an {name} secret must be {least} to {MAX_SECRET_LEN} bytes long; \
                 SecretBuffer.random({least}) makes one"
            )));
        }
        self.key(secret)
    }

    fn private_key(&self, _form: Form, _der: &[u8]) -> Result<Option<PrivateKey>> {
        Ok(None)
    }

    fn public_key(&self, _form: Form, _der: &[u8]) -> Result<Option<PublicKey>> {
        Ok(None)
    }

    fn public_jwk(&self, _members: &Map<String, Value>, name: &str) -> Result<PublicKey> {
        Err(malformed_jwk(name, "HMAC has none: use fromSecret"))
    }
}

/// A secret, as the states of the hash after HMAC's two pads.
struct HmacKey(Locked<hmac::Key>);

impl Signer for HmacKey {
    fn sign_into(&self, message: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let tag = TraceGuard::run(Depth::Hmac, |trace| hmac::sign(self.0.expose(trace), message));
        out.extend_from_slice(tag.as_ref());
        Ok(())
    }
}

impl SignatureVerifier for HmacKey {
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        TraceGuard::run(Depth::Hmac, |trace| {
            hmac::verify(self.0.expose(trace), message, signature).is_ok()
        })
    }
}
