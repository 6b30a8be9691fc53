//! The limit in the token rows: the product's signature primitive with a parsed key, called in a
//! native loop. It is a separate addon, so that none of its code is in the product.

#![allow(clippy::needless_pass_by_value, reason = "napi-rs hands over owned values")]

use std::hint::black_box;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, ParsedPublicKey, VerificationAlgorithm,
};
use ed25519_dalek::{Verifier, VerifyingKey};
use napi::bindgen_prelude::Uint8Array;
use napi::{Error, Result};
use napi_derive::napi;
use ring::hmac;

/// A key, and a message with the key's signature.
#[napi]
pub struct Primitive {
    key: Key,
    message: Vec<u8>,
    signature: Vec<u8>,
}

enum Key {
    Hmac(hmac::Key),
    Rsa(rsa::KeyPair, ParsedPublicKey),
    Ecdsa(EcdsaKeyPair, ParsedPublicKey),
    Ed25519(Ed25519KeyPair, Box<VerifyingKey>),
}

#[napi]
impl Primitive {
    /// `key` is an HMAC secret, or a key pair as PKCS#8.
    #[napi(constructor)]
    pub fn new(alg: String, key: Uint8Array, message: Uint8Array) -> Result<Self> {
        let key = Key::read(&alg, &key)?;
        let message = message.to_vec();
        let signature = key.sign(&message)?;
        Ok(Self { key, message, signature })
    }

    /// Signs the message `times` times.
    #[napi]
    pub fn sign(&self, times: u32) -> Result<()> {
        (0..times)
            .try_for_each(|_| self.key.sign(black_box(&self.message)).map(black_box).map(drop))
    }

    /// Verifies the signature `times` times.
    #[napi]
    pub fn verify(&self, times: u32) -> Result<()> {
        (0..times).try_for_each(|_| self.key.verify(black_box(&self.message), &self.signature))
    }
}

impl Key {
    fn read(alg: &str, key: &[u8]) -> Result<Self> {
        let rejected = |_| failed();
        Ok(match alg {
            "HS256" => Self::Hmac(hmac::Key::new(hmac::HMAC_SHA256, key)),
            "RS256" => {
                let pair = rsa::KeyPair::from_pkcs8(key).map_err(rejected)?;
                let public = public(&pair, &signature::RSA_PKCS1_2048_8192_SHA256)?;
                Self::Rsa(pair, public)
            }
            "ES256" => {
                let signing = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
                let pair = EcdsaKeyPair::from_pkcs8(signing, key).map_err(rejected)?;
                let public = public(&pair, &signature::ECDSA_P256_SHA256_FIXED)?;
                Self::Ecdsa(pair, public)
            }
            "EdDSA" => {
                let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(key).map_err(rejected)?;
                let public = pair.public_key().as_ref().try_into().map_err(|_| failed())?;
                let public = VerifyingKey::from_bytes(public).map_err(|_| failed())?;
                Self::Ed25519(pair, Box::new(public))
            }
            _ => return Err(failed()),
        })
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let rejected = |_| failed();
        Ok(match self {
            Self::Hmac(key) => hmac::sign(key, message).as_ref().to_vec(),
            Self::Rsa(pair, _) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(
                    &signature::RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    message,
                    &mut signature,
                )
                .map_err(rejected)?;
                signature
            }
            Self::Ecdsa(pair, _) => {
                pair.sign(&SystemRandom::new(), message).map_err(rejected)?.as_ref().to_vec()
            }
            Self::Ed25519(pair, _) => pair.sign(message).as_ref().to_vec(),
        })
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<()> {
        let verified = match self {
            Self::Hmac(key) => hmac::verify(key, message, signature).is_ok(),
            Self::Rsa(_, public) | Self::Ecdsa(_, public) => {
                public.verify_sig(message, signature).is_ok()
            }
            Self::Ed25519(_, public) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| public.verify(message, &signature).is_ok()),
        };
        verified.then_some(()).ok_or_else(failed)
    }
}

fn public(
    pair: &impl KeyPair,
    algorithm: &'static (dyn VerificationAlgorithm + 'static),
) -> Result<ParsedPublicKey> {
    ParsedPublicKey::new(algorithm, pair.public_key()).map_err(|_| failed())
}

fn failed() -> Error {
    Error::from_reason("the primitive refused")
}
