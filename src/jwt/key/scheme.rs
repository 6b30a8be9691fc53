//! The traits that the file of each signature scheme implements.
//!
//! Two forms of a private key are kept. The original, for storing, is in secret memory. The form
//! that the crypto library parsed is on that library's heap, counted, and wiped when it is freed.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::der::Form;
use super::error::invalid;
use super::jwk::PublicJwk;
use super::key_type::KeyType;
use crate::error::Result;
use crate::secret::Secret;

/// A signature scheme with its parameters. A method returns `None` if the bytes are not a key of
/// the scheme.
pub(crate) trait Scheme: Sync {
    /// The type of the scheme's keys.
    fn key_type(&self) -> KeyType;

    /// Generates a key. `modulus_bits` is for RSA only.
    fn generate(&self, modulus_bits: Option<u32>) -> Result<PrivateKey>;

    /// Makes a key from a shared secret. `ERR_JWT_KEY` for every scheme but HMAC.
    fn secret_key(&self, _secret: &[u8], _name: &str) -> Result<PrivateKey> {
        Err(invalid("a secret can only make an HMAC key; for this alg, pass a PEM or a JWK"))
    }

    /// Reads a private key from DER of this form.
    fn private_key(&self, form: Form, der: &[u8]) -> Result<Option<PrivateKey>>;

    /// Reads a public key from DER of this form.
    fn public_key(&self, form: Form, der: &[u8]) -> Result<Option<PublicKey>>;

    /// Reads a public key from the members of a JWK. `name` is the name of the algorithm, for the
    /// errors: one if the members are not those of a key of this scheme, another if their numbers
    /// are not a key.
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
    /// The bytes from which the key can be rebuilt: a secret, or PKCS#8 (RFC 5208).
    pub original: Secret,
}

/// A public key.
pub(crate) struct PublicKey {
    /// The numbers of the key.
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
    /// Whether this key made `signature` for `message`.
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool;
}
