//! Keys: bound to one algorithm when they are made, parsed once, never guessed at.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, ParsedPublicKey, RsaEncoding, RsaParameters,
};
use ring::hmac;
use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use super::jwk::PublicJwk;
use super::material::{
    invalid, is_one_sequence, looks_like_a_key_file, p256_point, parsed, rsa_jwk, spki, unusable,
};
use super::{base64url, header};
use crate::error::{Code, Error, Result};
use crate::id::random_bytes;
use crate::mem::{HMAC_DEPTH, Locked, Secret, leaving_no_trace};

/// A JWS algorithm (RFC 7518 section 3.1, RFC 8037).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// EdDSA on Ed25519.
    EdDsa,
}

impl Algorithm {
    /// Every algorithm there is; `none` is not one.
    pub const ALL: [Self; 5] = [Self::Hs256, Self::Rs256, Self::Ps256, Self::Es256, Self::EdDsa];

    /// The `alg` value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// Whether signer and verifier share the key.
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256)
    }

    /// The parameters of an RSA algorithm: for verifying, for signing.
    pub(super) fn rsa(self) -> Option<(&'static RsaParameters, &'static dyn RsaEncoding)> {
        match self {
            Self::Rs256 => {
                Some((&signature::RSA_PKCS1_2048_8192_SHA256, &signature::RSA_PKCS1_SHA256))
            }
            Self::Ps256 => Some((&signature::RSA_PSS_2048_8192_SHA256, &signature::RSA_PSS_SHA256)),
            _ => None,
        }
    }
}

/// The shortest HMAC secret: as long as the hash's output (RFC 7518 section 3.2), in bytes.
pub const MIN_HMAC_LEN: usize = 32;
/// The longest HMAC secret, in bytes; what is beyond the hash's block is hashed first anyway.
pub const MAX_HMAC_LEN: usize = 4096;
/// The longest PEM or DER that is read, in bytes.
pub const MAX_KEY_LEN: usize = 64 * 1024;

/// A key, its algorithm and its id.
pub struct Key {
    algorithm: Algorithm,
    kid: String,
    material: Material,
    /// Absent for HMAC, which has no public half.
    public: Option<PublicJwk>,
}

enum Material {
    Hmac(Locked<hmac::Key>),
    Public(ParsedPublicKey),
    Rsa(RsaKeyPair, ParsedPublicKey),
    Ecdsa(EcdsaKeyPair, ParsedPublicKey),
    Ed25519(Ed25519KeyPair, ParsedPublicKey),
}

impl Key {
    /// A new key. `rsa_bits` is 2048, 3072 or 4096 and only for RSA.
    pub fn generate(
        algorithm: Algorithm,
        rsa_bits: Option<u32>,
        kid: Option<&str>,
    ) -> Result<Self> {
        if rsa_bits.is_some() && algorithm.rsa().is_none() {
            return Err(invalid("modulusLength is for RSA keys only; leave it out"));
        }
        let failed = |_| Error::new(Code::Internal, "the key could not be generated; try again");
        match algorithm {
            Algorithm::Hs256 => {
                let secret = Secret::random(MIN_HMAC_LEN)?;
                Self::from_secret(secret.expose_secret(), algorithm, kid)
            }
            Algorithm::Rs256 | Algorithm::Ps256 => {
                let size = match rsa_bits.unwrap_or(2048) {
                    2048 => KeySize::Rsa2048,
                    3072 => KeySize::Rsa3072,
                    4096 => KeySize::Rsa4096,
                    _ => return Err(invalid("modulusLength is 2048, 3072 or 4096")),
                };
                Self::from_rsa(RsaKeyPair::generate(size).map_err(failed)?, algorithm, kid)
            }
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING);
                Self::from_ecdsa(pair.map_err(failed)?, kid)
            }
            Algorithm::EdDsa => {
                Self::from_ed25519(Ed25519KeyPair::generate().map_err(failed)?, kid)
            }
        }
    }

    /// An HMAC key from its secret. Text that looks like a PEM or a JWK is refused: it is
    /// somebody's key file, most likely a public one, and a public HMAC key lets anyone sign.
    pub fn from_secret(secret: &[u8], algorithm: Algorithm, kid: Option<&str>) -> Result<Self> {
        if !algorithm.is_symmetric() {
            return Err(invalid("a secret makes an HMAC key; for this alg use a PEM or a JWK"));
        }
        if looks_like_a_key_file(secret) {
            return Err(invalid(
                "the secret looks like a PEM or JWK key file; import it as one, or pass the bytes \
                 it holds",
            ));
        }
        if !(MIN_HMAC_LEN..=MAX_HMAC_LEN).contains(&secret.len()) {
            return Err(invalid(format!(
                "an {} secret has {MIN_HMAC_LEN} to {MAX_HMAC_LEN} bytes; \
                 SecretBuffer.random({MIN_HMAC_LEN}) makes one",
                algorithm.name()
            )));
        }
        let kid = if let Some(kid) = kid {
            kid.to_owned()
        } else {
            // Not a thumbprint (RFC 7638), which would publish a hash of the secret.
            let mut bytes = [0; 16];
            random_bytes(&mut bytes)?;
            base64url::encode(&bytes)
        };
        let key = leaving_no_trace::<HMAC_DEPTH, _>(|| {
            Locked::new(hmac::Key::new(hmac::HMAC_SHA256, secret))
        })?;
        Ok(Self { algorithm, kid: checked_kid(kid)?, material: Material::Hmac(key), public: None })
    }

    /// A key from a PEM file (RFC 7468) of one section: PKCS#8, PKCS#1, SEC 1 or SPKI, not
    /// encrypted.
    pub fn from_pem(pem: &[u8], algorithm: Algorithm, kid: Option<&str>) -> Result<Self> {
        let malformed = || {
            invalid("the PEM does not hold exactly one unencrypted private key or one public key")
        };
        if pem.len() > MAX_KEY_LEN || memchr::memmem::find_iter(pem, b"-----BEGIN ").count() != 1 {
            return Err(malformed());
        }
        let mut buffer = Zeroizing::new(vec![0; pem.len()]);
        let (label, der) = pem_rfc7468::decode(pem, &mut buffer).map_err(|_| malformed())?;
        if !is_one_sequence(der) {
            return Err(unusable(algorithm));
        }
        let rejected = |_| unusable(algorithm);
        match label {
            "PRIVATE KEY" => Self::from_pkcs8(der, algorithm, kid),
            "PUBLIC KEY" => Self::from_spki(der, algorithm, kid),
            "RSA PRIVATE KEY" if algorithm.rsa().is_some() => {
                Self::from_rsa(RsaKeyPair::from_der(der).map_err(rejected)?, algorithm, kid)
            }
            "EC PRIVATE KEY" if algorithm == Algorithm::Es256 => {
                let signing = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
                let pair = EcdsaKeyPair::from_private_key_der(signing, der);
                Self::from_ecdsa(pair.map_err(rejected)?, kid)
            }
            _ => Err(malformed()),
        }
    }

    /// A private key from PKCS#8 DER (RFC 5958).
    pub fn from_pkcs8(der: &[u8], algorithm: Algorithm, kid: Option<&str>) -> Result<Self> {
        let rejected = |_| unusable(algorithm);
        match algorithm {
            Algorithm::Hs256 => Err(unusable(algorithm)),
            Algorithm::Rs256 | Algorithm::Ps256 => {
                Self::from_rsa(RsaKeyPair::from_pkcs8(der).map_err(rejected)?, algorithm, kid)
            }
            Algorithm::Es256 => {
                let signing = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
                Self::from_ecdsa(EcdsaKeyPair::from_pkcs8(signing, der).map_err(rejected)?, kid)
            }
            Algorithm::EdDsa => Self::from_ed25519(
                Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(rejected)?,
                kid,
            ),
        }
    }

    /// A public key from SPKI DER (RFC 5280 section 4.1).
    pub fn from_spki(der: &[u8], algorithm: Algorithm, kid: Option<&str>) -> Result<Self> {
        let public = spki(der, algorithm).ok_or_else(|| unusable(algorithm))?;
        Self::from_public(public, algorithm, kid)
    }

    /// A public key from the JSON of a JWK (RFC 7517). Its own `alg`, `use` and `kid` are
    /// honoured where they are given. `oct` and private members are not read here.
    pub fn from_public_jwk(json: &str, algorithm: Algorithm, kid: Option<&str>) -> Result<Self> {
        let (public, own_kid) = PublicJwk::parse(json, algorithm)?;
        Self::from_public(public, algorithm, kid.or(own_kid.as_deref()))
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
        !matches!(self.material, Material::Public(_))
    }

    /// The public half as a JWK with `alg`, `use` and `kid`; `None` for HMAC.
    pub fn public_jwk(&self) -> Option<String> {
        self.public.as_ref().map(|public| public.to_json(self.algorithm, &self.kid))
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
            public: self.public.clone(),
        })
    }

    /// Appends the signature of `message`: 32 bytes for HS256, 64 for ES256 and EdDSA, the
    /// modulus's length for RSA.
    pub fn sign_into(&self, message: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let failed = |_| Error::new(Code::Internal, "signing failed; try again");
        match &self.material {
            Material::Hmac(key) => {
                let tag = leaving_no_trace::<HMAC_DEPTH, _>(|| hmac::sign(key, message));
                out.extend_from_slice(tag.as_ref());
            }
            Material::Rsa(pair, _) => {
                let Some((_, padding)) = self.algorithm.rsa() else {
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
            | Material::Ed25519(_, public) => public.verify_sig(message, signature).is_ok(),
        }
    }

    fn from_rsa(pair: RsaKeyPair, algorithm: Algorithm, kid: Option<&str>) -> Result<Self> {
        let public = rsa_jwk(pair.public_key());
        Self::from_pair(public, algorithm, kid, |public| Material::Rsa(pair, public))
    }

    fn from_ecdsa(pair: EcdsaKeyPair, kid: Option<&str>) -> Result<Self> {
        let public = p256_point(pair.public_key().as_ref());
        let public = public.ok_or_else(|| unusable(Algorithm::Es256))?;
        Self::from_pair(public, Algorithm::Es256, kid, |public| Material::Ecdsa(pair, public))
    }

    fn from_ed25519(pair: Ed25519KeyPair, kid: Option<&str>) -> Result<Self> {
        let public = PublicJwk::ed25519(pair.public_key().as_ref());
        let public = public.ok_or_else(|| unusable(Algorithm::EdDsa))?;
        Self::from_pair(public, Algorithm::EdDsa, kid, |public| Material::Ed25519(pair, public))
    }

    fn from_public(public: PublicJwk, algorithm: Algorithm, kid: Option<&str>) -> Result<Self> {
        let kid = checked_kid(kid.map_or_else(|| public.thumbprint(), |kid| Ok(kid.to_owned()))?)?;
        let material = Material::Public(parsed(&public, algorithm)?);
        Ok(Self { algorithm, kid, material, public: Some(public) })
    }

    fn from_pair(
        public: PublicJwk,
        algorithm: Algorithm,
        kid: Option<&str>,
        material: impl FnOnce(ParsedPublicKey) -> Material,
    ) -> Result<Self> {
        let own = Self::from_public(public, algorithm, kid)?;
        let Material::Public(parsed) = own.material else {
            return Err(Error::new(Code::Internal, "a public key that is not public"));
        };
        let pair = Self { material: material(parsed), ..own };
        pair.check_pair()?;
        Ok(pair)
    }

    /// What the private half signs, the published JWK must verify, to a reader that is not ours.
    fn check_pair(&self) -> Result<()> {
        const MESSAGE: &[u8] = b"@nodesec/native pair check";
        let mut signature = Vec::new();
        self.sign_into(MESSAGE, &mut signature)?;
        let public = self.public.as_ref().filter(|public| {
            self.verifies(MESSAGE, &signature)
                && public.verifies(self.algorithm, MESSAGE, &base64url::encode(&signature))
        });
        public.map(|_| ()).ok_or_else(|| {
            invalid("the private and the public half of the key do not belong together")
        })
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

fn checked_kid(kid: String) -> Result<String> {
    if kid.is_empty() || kid.len() > header::MAX_KID_LEN {
        return Err(Error::new(
            Code::OutOfRange,
            format!("kid has 1 to {} bytes", header::MAX_KID_LEN),
        ));
    }
    Ok(kid)
}
