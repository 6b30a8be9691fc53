//! How keys come to be: generated, or read from what others wrote.
//!
//! Of a private key two things are kept: its storable original, in secret memory, and what the
//! crypto library made of it, which is on that library's heap, counted and wiped at the end.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize, PublicKey as RsaPublicKey};
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use ring::hmac;
use secrecy::ExposeSecret;
use serde_json::{Map, Value};

use super::encrypted::decrypt;
use super::form::Form;
use super::{Algorithm, Key, Material};
use crate::error::{Code, Error, Result};
use crate::id::random_bytes;
use crate::jwt::algorithm::{Curve, Scheme};
use crate::jwt::jwk::PublicJwk;
use crate::jwt::keyfile::looks_like_a_key_file;
use crate::jwt::material::{Parsed, invalid, parsed, point, rsa_jwk, spki, unusable};
use crate::jwt::token::base64url;
use crate::jwt::token::compact::MAX_KID_LEN;
use crate::secret::{HMAC_DEPTH, Locked, ParsedKey, Secret, leaving_no_trace};

/// The longest HMAC secret, in bytes; what is beyond the hash's block is hashed first anyway.
pub const MAX_HMAC_LEN: usize = 4096;

impl Key {
    /// A new key. `rsa_bits` is 2048, 3072 or 4096 and only for RSA.
    pub fn generate(
        algorithm: Algorithm,
        rsa_bits: Option<u32>,
        kid: Option<&str>,
    ) -> Result<Self> {
        if rsa_bits.is_some() && !algorithm.is_rsa() {
            return Err(invalid("modulusLength is for RSA keys only; leave it out"));
        }
        let failed = |_| Error::new(Code::Internal, "the key could not be generated; try again");
        match algorithm.scheme() {
            Scheme::Hmac(hash) => {
                let secret = Secret::random(hash.digest_algorithm().output_len())?;
                Self::from_secret(secret.expose_secret(), algorithm, kid)
            }
            Scheme::Rsa(..) => {
                let size = match rsa_bits.unwrap_or(2048) {
                    2048 => KeySize::Rsa2048,
                    3072 => KeySize::Rsa3072,
                    4096 => KeySize::Rsa4096,
                    _ => return Err(invalid("modulusLength is 2048, 3072 or 4096")),
                };
                Self::from_rsa(RsaKeyPair::generate(size).map_err(failed)?, algorithm, kid)
            }
            Scheme::Ecdsa(curve, _, signing) => {
                let pair = EcdsaKeyPair::generate(signing).map_err(failed)?;
                Self::from_ecdsa(curve, pair, algorithm, kid)
            }
            Scheme::Ed25519 => {
                let pair = Ed25519KeyPair::generate().map_err(failed)?;
                Self::from_ed25519(pair, algorithm, kid)
            }
        }
    }

    /// An HMAC key from its secret: at least as long as the hash's output (RFC 7518 section 3.2),
    /// at most 4096 bytes. A key file is refused, as text, in binary, in base64 or in hex: it is
    /// most likely a public one, and a public HMAC key lets anyone sign. A random secret, or a text
    /// made of one, is taken for a file less often than once in 2⁴⁰ times.
    pub fn from_secret(secret: &[u8], algorithm: Algorithm, kid: Option<&str>) -> Result<Self> {
        let Scheme::Hmac(hash) = algorithm.scheme() else {
            return Err(invalid("a secret makes an HMAC key; for this alg use a PEM or a JWK"));
        };
        if looks_like_a_key_file(secret)? {
            return Err(invalid(
                "the secret looks like a key file (PEM, JWK, OpenSSH or DER, or the base64 or hex of \
                 one); import it as one, or pass the secret it holds",
            ));
        }
        let least = hash.digest_algorithm().output_len();
        if !(least..=MAX_HMAC_LEN).contains(&secret.len()) {
            return Err(invalid(format!(
                "an {} secret has {least} to {MAX_HMAC_LEN} bytes; SecretBuffer.random({least}) \
                 makes one",
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
        let key = leaving_no_trace::<HMAC_DEPTH, _>(|| Locked::new(hmac::Key::new(hash, secret)))?;
        Ok(Self {
            algorithm,
            kid: checked_kid(kid)?,
            material: Material::Hmac(key),
            original: Some(Secret::copy_from(secret)?),
            public: None,
        })
    }

    /// A key from DER: PKCS#8, encrypted when there is a passphrase, SPKI, PKCS#1 or SEC 1.
    pub fn open_der(
        der: &[u8],
        passphrase: Option<&[u8]>,
        algorithm: Algorithm,
        kid: Option<&str>,
    ) -> Result<Self> {
        let rejected = |_| unusable(algorithm);
        let form = Form::of(der).ok_or_else(|| unusable(algorithm))?;
        match (form, passphrase) {
            (Form::Encrypted, Some(passphrase)) => {
                let key = decrypt(der, passphrase)?;
                return Self::from_pkcs8(key.expose_secret(), algorithm, kid);
            }
            (Form::Encrypted, None) => {
                return Err(invalid("the key is encrypted; give the passphrase"));
            }
            (_, Some(_)) => {
                return Err(invalid("the key is not encrypted; leave the passphrase out"));
            }
            (_, None) => {}
        }
        match (form, algorithm.scheme()) {
            (Form::Spki, _) => Self::from_spki(der, algorithm, kid),
            (Form::Pkcs8, _) => Self::from_pkcs8(der, algorithm, kid),
            (Form::RsaPrivate, Scheme::Rsa(..)) => {
                Self::from_rsa(RsaKeyPair::from_der(der).map_err(rejected)?, algorithm, kid)
            }
            (Form::RsaPublic, Scheme::Rsa(..)) => {
                let public = RsaPublicKey::from_der(der).map_err(rejected)?;
                Self::from_public(rsa_jwk(&public), algorithm, kid)
            }
            (Form::Ec, Scheme::Ecdsa(curve, _, signing)) => {
                let pair = EcdsaKeyPair::from_private_key_der(signing, der).map_err(rejected)?;
                Self::from_ecdsa(curve, pair, algorithm, kid)
            }
            _ => Err(unusable(algorithm)),
        }
    }

    /// A private key from PKCS#8 DER (RFC 5958).
    pub fn from_pkcs8(der: &[u8], algorithm: Algorithm, kid: Option<&str>) -> Result<Self> {
        let rejected = |_| unusable(algorithm);
        match algorithm.scheme() {
            Scheme::Hmac(_) => Err(unusable(algorithm)),
            Scheme::Rsa(..) => {
                Self::from_rsa(RsaKeyPair::from_pkcs8(der).map_err(rejected)?, algorithm, kid)
            }
            Scheme::Ecdsa(curve, _, signing) => {
                let pair = EcdsaKeyPair::from_pkcs8(signing, der).map_err(rejected)?;
                Self::from_ecdsa(curve, pair, algorithm, kid)
            }
            Scheme::Ed25519 => {
                let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(rejected)?;
                Self::from_ed25519(pair, algorithm, kid)
            }
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

    /// As [`Self::from_public_jwk`], of members that have been read.
    pub fn from_members(members: &Map<String, Value>, algorithm: Algorithm) -> Result<Self> {
        let (public, kid) = PublicJwk::of(members, algorithm)?;
        Self::from_public(public, algorithm, kid.as_deref())
    }

    fn from_rsa(pair: RsaKeyPair, algorithm: Algorithm, kid: Option<&str>) -> Result<Self> {
        let (public, der) = (rsa_jwk(pair.public_key()), pair.as_der());
        Self::from_pair(public, algorithm, kid, original(der)?, |public| {
            Material::Rsa(ParsedKey::new(pair), public)
        })
    }

    fn from_ecdsa(
        curve: Curve,
        pair: EcdsaKeyPair,
        algorithm: Algorithm,
        kid: Option<&str>,
    ) -> Result<Self> {
        let public = point(curve, pair.public_key().as_ref());
        let public = public.ok_or_else(|| unusable(algorithm))?;
        let der = pair.to_pkcs8v1().map_err(|_| not_kept())?;
        let original = Secret::copy_from(der.as_ref())?;
        Self::from_pair(public, algorithm, kid, original, |public| {
            Material::Ecdsa(ParsedKey::new(pair), public)
        })
    }

    fn from_ed25519(pair: Ed25519KeyPair, algorithm: Algorithm, kid: Option<&str>) -> Result<Self> {
        let public = PublicJwk::ed25519(pair.public_key().as_ref());
        let public = public.ok_or_else(|| unusable(algorithm))?;
        let der = pair.as_der();
        Self::from_pair(public, algorithm, kid, original(der)?, |public| {
            Material::Ed25519(ParsedKey::new(pair), public)
        })
    }

    fn from_public(public: PublicJwk, algorithm: Algorithm, kid: Option<&str>) -> Result<Self> {
        let kid = checked_kid(kid.map_or_else(|| public.thumbprint(), ToOwned::to_owned))?;
        let material = Material::Public(parsed(&public, algorithm)?);
        Ok(Self { algorithm, kid, material, original: None, public: Some(public) })
    }

    fn from_pair(
        public: PublicJwk,
        algorithm: Algorithm,
        kid: Option<&str>,
        original: Secret,
        material: impl FnOnce(Parsed) -> Material,
    ) -> Result<Self> {
        let own = Self::from_public(public, algorithm, kid)?;
        let Material::Public(parsed) = own.material else {
            return Err(Error::new(Code::Internal, "a public key that is not public"));
        };
        let pair = Self { material: material(parsed), original: Some(original), ..own };
        pair.check_pair()?;
        Ok(pair)
    }

    /// What the private half signs, the published numbers must verify, to a reader that is not ours
    /// as well.
    fn check_pair(&self) -> Result<()> {
        const MESSAGE: &[u8] = b"@nodesec/native pair check";
        let mut signature = Vec::new();
        self.sign_into(MESSAGE, &mut signature)?;
        let public = self.public.as_ref().filter(|public| {
            self.verifies(MESSAGE, &signature)
                && public.is_read_by_others(self.algorithm, MESSAGE, &signature)
        });
        public.map(drop).ok_or_else(|| {
            invalid("the private and the public half of the key do not belong together")
        })
    }
}

fn checked_kid(kid: String) -> Result<String> {
    if kid.is_empty() || kid.len() > MAX_KID_LEN {
        return Err(Error::new(Code::OutOfRange, format!("kid has 1 to {} bytes", MAX_KID_LEN)));
    }
    Ok(kid)
}

/// The PKCS#8 of a key pair. What it comes in is wiped when it is dropped.
fn original(der: std::result::Result<Pkcs8V1Der<'static>, Unspecified>) -> Result<Secret> {
    Secret::copy_from(der.map_err(|_| not_kept())?.as_ref())
}

fn not_kept() -> Error {
    Error::new(Code::Internal, "the key could not be encoded; try again")
}
