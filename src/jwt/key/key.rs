//! A key of any scheme, its algorithm and its id.

use std::fmt;
use std::sync::Arc;

use super::error::invalid;
use super::jwk::PublicJwk;
use super::key_issuer::KeyIssuer;
use super::scheme::{PrivateKey, PublicKey, SignatureVerifier, Signer};
use crate::error::{Code, Error, Result};
use crate::jwt::algorithm::Algorithm;
use crate::jwt::token::compact::MAX_KID_LEN;
use crate::secret::Secret;

/// A key, its algorithm and its id.
pub struct Key {
    algorithm: Algorithm,
    kid: String,
    /// Absent for public keys.
    signer: Option<Arc<dyn Signer>>,
    verifier: Arc<dyn SignatureVerifier>,
    /// The bytes from which the key can be rebuilt; absent for public keys.
    original: Option<Secret>,
    /// Absent for HMAC, which has no public half.
    public: Option<PublicJwk>,
    /// The only issuer whose tokens the key verifies; any if absent.
    issuer: Option<KeyIssuer>,
}

impl Key {
    /// Makes a private key, or one from a secret. `ERR_OUT_OF_RANGE` unless `kid` has 1 to 256
    /// bytes.
    pub(super) fn private(algorithm: Algorithm, kid: String, key: PrivateKey) -> Result<Self> {
        let PrivateKey { signer, verifier, public, original } = key;
        let kid = checked_kid(kid)?;
        let (signer, original) = (Some(signer), Some(original));
        Ok(Self { algorithm, kid, signer, verifier, original, public, issuer: None })
    }

    /// Makes a public key. `ERR_OUT_OF_RANGE` unless `kid` has 1 to 256 bytes.
    pub(super) fn public_only(algorithm: Algorithm, kid: String, key: PublicKey) -> Result<Self> {
        let PublicKey { jwk, verifier } = key;
        let kid = checked_kid(kid)?;
        let public = Some(jwk);
        Ok(Self { algorithm, kid, signer: None, verifier, original: None, public, issuer: None })
    }

    /// The key for the tokens of this issuer only; of any if `None`.
    pub(super) fn of_issuer(self, issuer: Option<KeyIssuer>) -> Self {
        Self { issuer, ..self }
    }

    /// The only issuer whose tokens the key verifies; any if `None`.
    pub(in crate::jwt) fn issuer(&self) -> Option<&KeyIssuer> {
        self.issuer.as_ref()
    }

    /// The one algorithm this key is for.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key's id: 1 to 256 bytes.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Whether the key can sign.
    pub fn is_private(&self) -> bool {
        self.signer.is_some()
    }

    /// The bytes from which the key can be rebuilt, for sealing: the secret of an HMAC key, or the
    /// PKCS#8 (RFC 5208) of a key pair; `None` for a public key.
    pub fn original(&self) -> Option<&Secret> {
        self.original.as_ref()
    }

    /// The public half as a JWK with `alg`, `use`, `kid` and perhaps `issuer`; `None` for HMAC.
    pub fn public_jwk(&self) -> Option<String> {
        let issuer = self.issuer.as_ref().map(KeyIssuer::as_str);
        self.public.as_ref().map(|public| public.to_json(self.algorithm.name(), &self.kid, issuer))
    }

    /// The public half; `None` for HMAC.
    pub(in crate::jwt) fn public(&self) -> Option<&PublicJwk> {
        self.public.as_ref()
    }

    /// The key without its private half. An HMAC key has no public half and is returned unchanged.
    pub fn without_private(self: Arc<Self>) -> Arc<Self> {
        if self.signer.is_none() || self.public.is_none() {
            return self;
        }
        Arc::new(Self {
            algorithm: self.algorithm,
            kid: self.kid.clone(),
            signer: None,
            verifier: self.verifier.clone(),
            original: None,
            public: self.public.clone(),
            issuer: self.issuer.clone(),
        })
    }

    /// Appends the signature of `message`. It is as long as the hash for HMAC, as the modulus for
    /// RSA, and as two coordinates for ECDSA (64, 96 or 132 bytes); for Ed25519 it has 64 bytes.
    /// `ERR_JWT_KEY` for a public key.
    pub fn sign_into(&self, message: &[u8], out: &mut Vec<u8>) -> Result<()> {
        match &self.signer {
            Some(signer) => signer.sign_into(message, out),
            None => Err(invalid("a public key cannot sign; give the private key")),
        }
    }

    /// Whether this key made `signature` for `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verifier.verifies(message, signature)
    }
}

fn checked_kid(kid: String) -> Result<String> {
    if kid.is_empty() || kid.len() > MAX_KID_LEN {
        return Err(Error::new(
            Code::OutOfRange,
            format!("kid must be 1 to {MAX_KID_LEN} bytes long"),
        ));
    }
    Ok(kid)
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("algorithm", &self.algorithm)
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}
