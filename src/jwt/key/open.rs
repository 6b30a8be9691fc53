//! Makes keys: generates them, or reads them from the files and JWKs of other tools.

use serde_json::{Map, Value};

use super::der::{Form, has_form_of_certificate};
use super::encrypted::decrypt;
use super::error::{invalid, is_certificate, unusable};
use super::key::Key;
use super::key_issuer::KeyIssuer;
use super::pair_check::check_pair;
use super::purpose::{Purpose, check, members_of};
use super::scheme::{PrivateKey, PublicKey};
use super::sections::text_of_der;
use crate::error::{Error, Result};
use crate::id::random_bytes;
use crate::jwt::algorithm::Algorithm;
use crate::jwt::token::base64url;
use crate::secret::{Depth, TraceGuard};

impl Key {
    /// Generates a key. `modulus_bits` is for RSA only: 2048 (the default), 3072 or 4096. Without
    /// `kid` the id is the thumbprint (RFC 7638) of the public half, or random for a secret.
    pub fn generate(
        algorithm: Algorithm,
        modulus_bits: Option<u32>,
        kid: Option<&str>,
    ) -> Result<Self> {
        if modulus_bits.is_some() && !algorithm.is_rsa() {
            return Err(invalid("modulusLength is for RSA keys only; leave it out"));
        }
        Self::from_private(algorithm.scheme().generate(modulus_bits)?, algorithm, kid)
    }

    /// Makes an HMAC key from its secret, which has at least the length of the hash's output (RFC
    /// 7518 section 3.2), at most 4096 bytes, and is not a key file.
    pub fn from_secret(secret: &[u8], algorithm: Algorithm, kid: Option<&str>) -> Result<Self> {
        let key = algorithm.scheme().secret_key(secret, algorithm.name())?;
        Self::from_private(key, algorithm, kid)
    }

    /// Reads a key from DER: PKCS#8 (encrypted if there is a passphrase), SPKI, PKCS#1 or SEC 1.
    pub fn open_der(
        der: &[u8],
        passphrase: Option<&[u8]>,
        algorithm: Algorithm,
        kid: Option<&str>,
    ) -> Result<Self> {
        let form = Form::of(der).ok_or_else(|| not_der(der, algorithm))?;
        Self::open_form(form, der, passphrase, algorithm, kid)
    }

    /// As [`Self::open_der`], for DER whose form is known.
    pub(super) fn open_form(
        form: Form,
        der: &[u8],
        passphrase: Option<&[u8]>,
        algorithm: Algorithm,
        kid: Option<&str>,
    ) -> Result<Self> {
        match (form, passphrase) {
            (Form::Encrypted, Some(passphrase)) => {
                let key = decrypt(der, passphrase)?;
                TraceGuard::run(Depth::Registers, |trace| {
                    Self::from_pkcs8(key.expose(trace), algorithm, kid)
                })
            }
            (Form::Encrypted, None) => Err(invalid("the key is encrypted; give the passphrase")),
            (_, Some(_)) => Err(invalid("the key is not encrypted; leave the passphrase out")),
            (form, None) if form.is_public() => {
                let key = algorithm.scheme().public_key(form, der)?;
                Self::from_public(key.ok_or_else(|| unusable(algorithm.name()))?, algorithm, kid)
            }
            (form, None) => {
                let key = algorithm.scheme().private_key(form, der)?;
                Self::from_private(key.ok_or_else(|| unusable(algorithm.name()))?, algorithm, kid)
            }
        }
    }

    /// Reads a private key from PKCS#8 DER (RFC 5958).
    pub fn from_pkcs8(der: &[u8], algorithm: Algorithm, kid: Option<&str>) -> Result<Self> {
        let key = algorithm.scheme().private_key(Form::Pkcs8, der)?;
        Self::from_private(key.ok_or_else(|| unusable(algorithm.name()))?, algorithm, kid)
    }

    /// Reads a public key from SPKI DER (RFC 5280 section 4.1).
    #[cfg(test)]
    pub fn from_spki(der: &[u8], algorithm: Algorithm, kid: Option<&str>) -> Result<Self> {
        let key = algorithm.scheme().public_key(Form::Spki, der)?;
        Self::from_public(key.ok_or_else(|| unusable(algorithm.name()))?, algorithm, kid)
    }

    /// Reads a public key from the JSON of a JWK (RFC 7517). The JWK's `alg`, `use` and `key_ops`
    /// are checked where they are given, and its `kid` is used unless the argument names another.
    /// An `oct` JWK is refused; private members are ignored.
    pub fn from_public_jwk(json: &str, algorithm: Algorithm, kid: Option<&str>) -> Result<Self> {
        Self::from_jwk(&members_of(json)?, algorithm, kid)
    }

    /// As [`Self::from_public_jwk`], for members that have been read.
    pub fn from_members(members: &Map<String, Value>, algorithm: Algorithm) -> Result<Self> {
        Self::from_jwk(members, algorithm, None)
    }

    /// Checks that a private JWK, of which `json` has the public members, made this key.
    pub fn check_public_members(&self, json: &str) -> Result<()> {
        let scheme = self.algorithm().scheme();
        let published = scheme.public_jwk(&members_of(json)?, self.algorithm().name())?;
        if self.public() == Some(&published.jwk) {
            return Ok(());
        }
        Err(invalid("the private and the public members of the JWK do not match"))
    }

    fn from_jwk(
        members: &Map<String, Value>,
        algorithm: Algorithm,
        kid: Option<&str>,
    ) -> Result<Self> {
        check(members, algorithm, Purpose::Verify)?;
        let key = algorithm.scheme().public_jwk(members, algorithm.name())?;
        let own_kid = members.get("kid").and_then(Value::as_str);
        let key = Self::from_public(key, algorithm, kid.or(own_kid))?;
        Ok(key.of_issuer(KeyIssuer::of(members)))
    }

    /// Makes a key of a public key that a scheme has read.
    pub(super) fn from_public(
        key: PublicKey,
        algorithm: Algorithm,
        kid: Option<&str>,
    ) -> Result<Self> {
        let kid = kid.map_or_else(|| key.jwk.thumbprint(), ToOwned::to_owned);
        Self::public_only(algorithm, kid, key)
    }

    fn from_private(key: PrivateKey, algorithm: Algorithm, kid: Option<&str>) -> Result<Self> {
        let kid = match (kid, &key.public) {
            (Some(kid), _) => kid.to_owned(),
            (None, Some(public)) => public.thumbprint(),
            // A thumbprint (RFC 7638) would publish a hash of the secret.
            (None, None) => {
                let mut bytes = [0; 16];
                random_bytes(&mut bytes)?;
                base64url::encode(&bytes)
            }
        };
        let key = Self::private(algorithm, kid, key)?;
        check_pair(&key)?;
        Ok(key)
    }
}

/// The error for bytes that are not the DER of a key.
fn not_der(bytes: &[u8], algorithm: Algorithm) -> Error {
    if has_form_of_certificate(bytes) {
        return is_certificate();
    }
    text_of_der(bytes).unwrap_or_else(|| unusable(algorithm.name()))
}
