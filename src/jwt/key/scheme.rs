//! A signature scheme: what each of the files of schemes implements.
//!
//! Of a private key two things are kept: its storable original, in secret memory, and the form that
//! the crypto library parsed it into, which is on that library's heap, counted and wiped at the
//! end.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::der::Form;
use super::error::invalid;
use super::jwk::PublicJwk;
use super::key_type::KeyType;
use crate::error::Result;
use crate::secret::Secret;

/// A signature scheme with its parameters. Where a method gives `None`, the bytes are no key of the
/// scheme.
pub(crate) trait Scheme: Sync {
    /// The type of its keys.
    fn key_type(&self) -> KeyType;

    /// A new key. `modulus_bits` is for RSA only.
    fn generate(&self, modulus_bits: Option<u32>) -> Result<PrivateKey>;

    /// A key from a shared secret.
    fn secret_key(&self, _secret: &[u8], _name: &str) -> Result<PrivateKey> {
        Err(invalid("a secret makes an HMAC key; for this alg use a PEM or a JWK"))
    }

    /// A private key from DER of this form.
    fn private_key(&self, form: Form, der: &[u8]) -> Result<Option<PrivateKey>>;

    /// A public key from DER of this form.
    fn public_key(&self, form: Form, der: &[u8]) -> Result<Option<PublicKey>>;

    /// A public key from the members of a JWK. `name` is the algorithm's, for the errors: one if
    /// the members are not those of such a key, another if their numbers are no key.
    fn public_jwk(&self, members: &Map<String, Value>, name: &str) -> Result<PublicKey>;
}

/// A private key, or a secret.
pub(crate) struct PrivateKey {
    /// Signs.
    pub signer: Arc<dyn Signer>,
    /// Verifies.
    pub verifier: Arc<dyn SignatureVerifier>,
    /// The public half; `None` for a secret.
    pub public: Option<PublicJwk>,
    /// The bytes that the key can be made from again: a secret, or PKCS#8 (RFC 5208).
    pub original: Secret,
}

/// A public key.
pub(crate) struct PublicKey {
    /// Its numbers.
    pub jwk: PublicJwk,
    /// Verifies.
    pub verifier: Arc<dyn SignatureVerifier>,
}

/// A private key that signs.
pub(crate) trait Signer: Send + Sync {
    /// Appends the signature of `message`.
    fn sign_into(&self, message: &[u8], out: &mut Vec<u8>) -> Result<()>;
}

/// A key that verifies.
pub(crate) trait SignatureVerifier: Send + Sync {
    /// Whether `signature` is this key's for `message`.
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool;
}
