//! The text format of refresh tokens.

use ring::{digest, hmac};
use uuid::Uuid;

use crate::error::Result;
use crate::id::random_bytes;
use crate::jwt::base64url;
use crate::secret::{Depth, Locked, Secret, TraceGuard};

/// The first byte of every token: the version of the format.
const VERSION: u8 = 2;
const ID: usize = 1;
const GENERATION: usize = ID + 16;
const VARIANT: usize = GENERATION + 4;
const SECRET: usize = VARIANT + 4;
const TAG: usize = SECRET + SECRET_LEN;
/// The length of a token in bytes, before base64url.
const LEN: usize = TAG + 32;
const SECRET_LEN: usize = 16;

/// The place of a token among those of its session. A later token has a higher one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Step {
    /// The number of exchanges before it.
    pub generation: u32,
    /// The number of tokens of the same generation that it voids.
    pub variant: u32,
}

/// A token that the codec made.
pub(super) struct RefreshToken {
    pub session: Uuid,
    pub step: Step,
    pub secret: SessionSecret,
}

/// Random bytes that all tokens of a session have in common, and their hash. The table has only the
/// hash, so that the key of the codec alone makes no token.
#[derive(Clone, Copy)]
pub(super) struct SessionSecret {
    bytes: [u8; SECRET_LEN],
    hash: SecretHash,
}

/// SHA-256 of the secret of a session.
pub(super) type SecretHash = [u8; 32];

impl SessionSecret {
    pub(super) fn random() -> Result<Self> {
        let mut bytes = [0; SECRET_LEN];
        random_bytes(&mut bytes)?;
        Ok(TraceGuard::run(Depth::Hmac, |trace| Self::of(bytes, trace)))
    }

    fn of(bytes: [u8; SECRET_LEN], _: &TraceGuard) -> Self {
        let hash = digest::digest(&digest::SHA256, &bytes);
        Self { bytes, hash: hash.as_ref().first_chunk().copied().unwrap_or_default() }
    }

    pub(super) const fn hash(&self) -> SecretHash {
        self.hash
    }
}

/// Encodes and decodes refresh tokens under one key.
pub(super) struct Codec(Locked<hmac::Key>);

impl Codec {
    /// A codec with a new random key.
    pub(super) fn random() -> Result<Self> {
        Self::with_key(&Secret::random(32)?)
    }

    /// A codec with a key of 32 bytes.
    pub(super) fn with_key(key: &Secret) -> Result<Self> {
        TraceGuard::run(Depth::Hmac, |trace| {
            Locked::new(hmac::Key::new(hmac::HMAC_SHA256, key.expose(trace))).map(Self)
        })
    }

    pub(super) fn encode(&self, token: &RefreshToken) -> String {
        let mut bytes = [0; LEN];
        bytes[0] = VERSION;
        bytes[ID..GENERATION].copy_from_slice(token.session.as_bytes());
        bytes[GENERATION..VARIANT].copy_from_slice(&token.step.generation.to_be_bytes());
        bytes[VARIANT..SECRET].copy_from_slice(&token.step.variant.to_be_bytes());
        bytes[SECRET..TAG].copy_from_slice(&token.secret.bytes);
        let sign = |trace: &TraceGuard| hmac::sign(self.0.expose(trace), &bytes[..TAG]);
        let tag = TraceGuard::run(Depth::Hmac, sign);
        bytes[TAG..].copy_from_slice(tag.as_ref());
        base64url::encode(&bytes)
    }

    /// Reads a token that was made with this key; `None` for any other text. Whether it has the
    /// secret of its session, the table knows.
    pub(super) fn decode(&self, token: &str) -> Option<RefreshToken> {
        if token.len() != base64url::encoded_len(LEN) {
            return None;
        }
        let bytes: [u8; LEN] = base64url::decode(token.as_bytes())?.try_into().ok()?;
        let (message, tag) = bytes.split_at(TAG);
        let secret = *bytes[SECRET..].first_chunk()?;
        let secret = TraceGuard::run(Depth::Hmac, |trace| {
            hmac::verify(self.0.expose(trace), message, tag).ok()?;
            // One guard for both, which is a fiftieth of a refresh.
            Some(SessionSecret::of(secret, trace))
        })?;
        let number = |at: usize| bytes[at..].first_chunk().copied().map(u32::from_be_bytes);
        let token = RefreshToken {
            session: Uuid::from_slice(&bytes[ID..GENERATION]).ok()?,
            step: Step { generation: number(GENERATION)?, variant: number(VARIANT)? },
            secret,
        };
        (bytes[0] == VERSION).then_some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tokens_of_this_key_are_read() {
        let codec = Codec::random().unwrap();
        let session = Uuid::from_u128(7);
        let step = Step { generation: 3, variant: 1 << 31 };
        let secret = SessionSecret::random().unwrap();
        let token = codec.encode(&RefreshToken { session, step, secret });
        assert_eq!(token.len(), 98);
        let read = codec.decode(&token).unwrap();
        assert_eq!((read.session, read.step), (session, step));
        assert_eq!(read.secret.hash(), secret.hash());
        assert!(Codec::random().unwrap().decode(&token).is_none());
        for place in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
            assert!(codec.decode(&String::from_utf8(forged).unwrap()).is_none(), "{place}");
        }
        for text in ["", "A", &token[1..], &format!("{token}A"), &"é".repeat(49)] {
            assert!(codec.decode(text).is_none(), "{text}");
        }
    }

    /// Version 1 had no secret and no variant.
    #[test]
    fn a_token_of_version_1_is_not_read_even_under_the_same_key() {
        let codec = Codec::random().unwrap();
        let signed = |version: u8, fields: usize| {
            let mut bytes = vec![version];
            bytes.resize(fields, 0);
            let sign = |trace: &TraceGuard| hmac::sign(codec.0.expose(trace), &bytes);
            let tag = TraceGuard::run(Depth::Hmac, sign);
            base64url::encode(&[&bytes[..], tag.as_ref()].concat())
        };
        assert_eq!(signed(1, VARIANT).len(), 71);
        for token in [signed(1, VARIANT), signed(1, TAG), signed(3, TAG)] {
            assert!(codec.decode(&token).is_none(), "{token}");
        }
        assert!(codec.decode(&signed(VERSION, TAG)).is_some());
    }

    #[test]
    fn a_step_is_later_by_its_generation_and_then_by_its_variant() {
        let step = |generation, variant| Step { generation, variant };
        let steps = [step(0, 0), step(0, 1), step(0, u32::MAX), step(1, 0), step(u32::MAX, 0)];
        assert!(steps.is_sorted_by(|one, other| one < other));
    }
}
