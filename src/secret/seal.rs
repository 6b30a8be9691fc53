//! Secrets at rest: encrypted and authenticated under a key of the caller.
//!
//! A sealed secret is
//! `version (1) ‖ kind (1) ‖ salt (32) ‖ nonce (12) ‖ ciphertext ‖ tag (16)`.
//! Version 1 is AES-256-GCM (NIST SP 800-38D) under a separate key, derived with HKDF-SHA256
//! (RFC 5869) from the caller's key, the salt and [`INFO`]. Version, kind and context are also
//! authenticated, as `version ‖ kind ‖ length of the context (4, big-endian) ‖ context`. So a
//! sealed pepper never opens as another kind of secret, and never in the place of another secret.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, Tag, UnboundKey};
use ring::hkdf;

use super::locked::Locked;
use super::secret::{MAX_SECRET_LEN, Secret};
use super::trace_guard::{Depth, TraceGuard};
use crate::error::{Code, Error, Result};
use crate::id;

const VERSION: u8 = 1;
const INFO: &[u8] = b"@nodesec/native seal 1";
const SALT_LEN: usize = 32;
const TAG_LEN: usize = 16;
const HEAD_LEN: usize = 2 + SALT_LEN + NONCE_LEN;

/// The shortest key for sealing, in bytes.
pub const MIN_SEAL_KEY_LEN: usize = 32;
/// The longest context, in bytes.
pub const MAX_CONTEXT_LEN: usize = 1024;
/// The longest sealed secret, in bytes.
pub const MAX_SEALED_LEN: usize = HEAD_LEN + MAX_SECRET_LEN + TAG_LEN;

/// The kind of contents; the number is part of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// The bytes of a secret.
    Secret = 1,
    /// A key ring, whose contents have their own format.
    Ring = 2,
}

impl Secret {
    /// Seals the bytes for a context, which states their purpose and is not part of the result.
    /// `key` has at least [`MIN_SEAL_KEY_LEN`] bytes. Fails with `ERR_RANDOM` or
    /// `ERR_SECRET_EXHAUSTED`.
    pub fn seal(&self, key: &Self, kind: Kind, context: &[u8]) -> Result<Vec<u8>> {
        let mut random = [0; SALT_LEN + NONCE_LEN];
        id::random_bytes(&mut random)?;
        let (salt, nonce) = random.split_at(SALT_LEN);
        let aad = Aad::from(authenticated(kind, context));
        TraceGuard::run(Depth::Cipher, |trace| {
            let cipher = cipher(key, salt, trace)?;
            let mut tag = None;
            // Encrypted in a slot, so that only ciphertext ever leaves protected memory.
            let ciphertext = Self::filled(self.len(), |slot| {
                slot.copy_from_slice(self.expose(trace));
                let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| unsealable())?;
                let sealed = cipher.expose(trace).seal_in_place_separate_tag(nonce, aad, slot);
                tag = Some(sealed.map_err(|_| unsealable())?);
                Ok(())
            })?;
            let tag = tag.ok_or_else(unsealable)?;
            let head = [VERSION, kind as u8];
            Ok([&head, &random[..], ciphertext.expose(trace), tag.as_ref()].concat())
        })
    }

    /// Opens the result of [`Secret::seal`] with the same key, kind and context. Everything that
    /// does not open fails with the same error, `ERR_SECRET_SEAL`, because naming the wrong part
    /// would help an attacker. May also fail with `ERR_SECRET_EXHAUSTED`.
    pub fn unseal(sealed: &[u8], key: &Self, kind: Kind, context: &[u8]) -> Result<Self> {
        let (head, rest) = sealed.split_at_checked(HEAD_LEN).ok_or_else(unsealable)?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG_LEN>().ok_or_else(unsealable)?;
        if head[..2] != [VERSION, kind as u8] {
            return Err(unsealable());
        }
        let (salt, nonce) = head[2..].split_at(SALT_LEN);
        let aad = Aad::from(authenticated(kind, context));
        TraceGuard::run(Depth::Cipher, |trace| {
            let cipher = cipher(key, salt, trace)?;
            Self::filled(ciphertext.len(), |slot| {
                slot.copy_from_slice(ciphertext);
                let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| unsealable())?;
                let (cipher, tag) = (cipher.expose(trace), Tag::from(*tag));
                let opened = cipher.open_in_place_separate_tag(nonce, aad, tag, slot, 0..);
                opened.map(|_| ()).map_err(|_| unsealable())
            })
        })
    }
}

/// The cipher of one sealed secret, with its expanded key in a slot.
fn cipher(key: &Secret, salt: &[u8], trace: &TraceGuard) -> Result<Locked<LessSafeKey>> {
    let derived = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(key.expose(trace));
    let okm = derived.expand(&[INFO], &AES_256_GCM).map_err(|_| unsealable())?;
    Locked::for_this_call(LessSafeKey::new(UnboundKey::from(okm)))
}

/// The additional authenticated data.
fn authenticated(kind: Kind, context: &[u8]) -> Vec<u8> {
    // At most `MAX_CONTEXT_LEN`.
    let len = u32::try_from(context.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&[VERSION, kind as u8], &len[..], context].concat()
}

fn unsealable() -> Error {
    Error::new(
        Code::SecretSeal,
        "the sealed secret cannot be opened with this key and context; it was sealed with another \
         key or context, or was changed since",
    )
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn key() -> Secret {
        Secret::copy_from(&[7; 32]).unwrap()
    }

    #[test]
    fn a_sealed_secret_opens_as_itself() {
        for len in [0, 1, 32, 4096, 10_000] {
            let secret = Secret::filled(len, id::random_bytes).unwrap();
            let sealed = secret.seal(&key(), Kind::Secret, b"pepper").unwrap();
            assert_eq!(sealed.len(), HEAD_LEN + len + TAG_LEN);
            let opened = Secret::unseal(&sealed, &key(), Kind::Secret, b"pepper").unwrap();
            assert!(opened.ct_eq(secret.expose_secret()));
        }
    }

    #[test]
    fn no_two_are_alike() {
        let seal = || key().seal(&key(), Kind::Secret, b"c").unwrap();
        let (one, other) = (seal(), seal());
        assert_ne!(one[2..2 + SALT_LEN], other[2..2 + SALT_LEN]);
        assert_ne!(one[HEAD_LEN..], other[HEAD_LEN..]);
    }

    #[test]
    fn every_bit_counts() {
        let sealed = key().seal(&key(), Kind::Secret, b"context").unwrap();
        let refused = |sealed: &[u8], key: &Secret, context: &[u8]| {
            let error = Secret::unseal(sealed, key, Kind::Secret, context).unwrap_err();
            assert_eq!(error, unsealable());
        };
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            refused(&changed, &key(), b"context");
        }
        for len in 0..sealed.len() {
            refused(&sealed[..len], &key(), b"context");
        }
        refused(&[&sealed[..], &[0]].concat(), &key(), b"context");
        refused(&sealed, &Secret::copy_from(&[8; 32]).unwrap(), b"context");
        let as_ring = Secret::unseal(&sealed, &key(), Kind::Ring, b"context");
        assert_eq!(as_ring.unwrap_err(), unsealable());
        for context in [&b""[..], b"contex", b"context\0", b"Context"] {
            refused(&sealed, &key(), context);
        }
    }
}
