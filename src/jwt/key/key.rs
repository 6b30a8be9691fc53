//! Keys: bound to one algorithm when they are made, parsed once, never guessed at.

mod encrypted;
mod form;
mod make;
mod pem;

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair};
use ring::hmac;

pub use self::form::{element, elements};
pub use self::make::MAX_HMAC_LEN;
pub use self::pem::MAX_KEY_LEN;
use super::algorithm::{Algorithm, Scheme};
use super::jwk::PublicJwk;
use super::material::{Parsed, invalid};
use crate::error::{Code, Error, Result};
use crate::secret::{HMAC_DEPTH, Locked, ParsedKey, Secret, leaving_no_trace};

/// A key, its algorithm and its id.
pub struct Key {
    algorithm: Algorithm,
    kid: String,
    material: Material,
    /// What the key can be made from again; absent for public keys.
    original: Option<Secret>,
    /// Absent for HMAC, which has no public half.
    public: Option<PublicJwk>,
}

enum Material {
    Hmac(Locked<hmac::Key>),
    Public(Parsed),
    Rsa(ParsedKey<RsaKeyPair>, Parsed),
    Ecdsa(ParsedKey<EcdsaKeyPair>, Parsed),
    Ed25519(ParsedKey<Ed25519KeyPair>, Parsed),
}

impl Key {
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
        !matches!(self.material, Material::Public(_))
    }

    /// What the key can be made from again, for storing it under a seal: an HMAC key's secret, or
    /// PKCS#8 (RFC 5208) of a key pair; `None` for a public key.
    pub fn original(&self) -> Option<&Secret> {
        self.original.as_ref()
    }

    /// The public half as a JWK with `alg`, `use` and `kid`; `None` for HMAC.
    pub fn public_jwk(&self) -> Option<String> {
        self.public.as_ref().map(|public| public.to_json(self.algorithm, &self.kid))
    }

    /// The public half; `None` for HMAC.
    pub fn public(&self) -> Option<&PublicJwk> {
        self.public.as_ref()
    }

    /// The key without its private half; an HMAC key has no other and stays what it is.
    pub fn without_private(self: Arc<Self>) -> Arc<Self> {
        let public = match &self.material {
            Material::Hmac(_) | Material::Public(_) => return self,
            Material::Rsa(_, public)
            | Material::Ecdsa(_, public)
            | Material::Ed25519(_, public) => public.clone(),
        };
        Arc::new(Self {
            algorithm: self.algorithm,
            kid: self.kid.clone(),
            material: Material::Public(public),
            original: None,
            public: self.public.clone(),
        })
    }

    /// Appends the signature of `message`: the hash's length for HMAC, the modulus's for RSA, two
    /// coordinates' for ECDSA (64, 96 or 132 bytes), 64 bytes for Ed25519.
    pub fn sign_into(&self, message: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let failed = |_| Error::new(Code::Internal, "signing failed; try again");
        match &self.material {
            Material::Hmac(key) => {
                let tag = leaving_no_trace::<HMAC_DEPTH, _>(|| hmac::sign(key, message));
                out.extend_from_slice(tag.as_ref());
            }
            Material::Rsa(pair, _) => {
                let Scheme::Rsa(_, padding) = self.algorithm.scheme() else {
                    return Err(Error::new(Code::Internal, "an RSA key without an RSA algorithm"));
                };
                let start = out.len();
                out.resize(start + pair.public_modulus_len(), 0);
                pair.sign(padding, &SystemRandom::new(), message, &mut out[start..])
                    .map_err(failed)?;
            }
            Material::Ecdsa(pair, _) => {
                let signature = pair.sign(&SystemRandom::new(), message).map_err(failed)?;
                out.extend_from_slice(signature.as_ref());
            }
            Material::Ed25519(pair, _) => {
                out.extend_from_slice(pair.try_sign(message).map_err(failed)?.as_ref());
            }
            Material::Public(_) => {
                return Err(invalid("a public key cannot sign; give the private key"));
            }
        }
        Ok(())
    }

    /// Whether `signature` is this key's for `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Hmac(key) => {
                leaving_no_trace::<HMAC_DEPTH, _>(|| hmac::verify(key, message, signature).is_ok())
            }
            Material::Public(public)
            | Material::Rsa(_, public)
            | Material::Ecdsa(_, public)
            | Material::Ed25519(_, public) => public.verifies(message, signature),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("algorithm", &self.algorithm)
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}
