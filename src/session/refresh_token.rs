//! The text format of refresh tokens.

use ring::hmac;
use uuid::Uuid;

use crate::error::Result;
use crate::jwt::base64url;
use crate::secret::{Depth, Locked, Secret, TraceGuard};

/// The first byte of every token: the version of the format.
const VERSION: u8 = 1;
const ID: usize = 1;
const GENERATION: usize = ID + 16;
const TAG: usize = GENERATION + 4;
/// The length of a token in bytes, before base64url.
const LEN: usize = TAG + 32;

/// Encodes and decodes refresh tokens under one key.
pub(super) struct Codec(Locked<hmac::Key>);

impl Codec {
    /// A codec with a new random key.
    pub(super) fn new() -> Result<Self> {
        let secret = Secret::random(32)?;
        TraceGuard::run(Depth::Hmac, |trace| {
            Locked::new(hmac::Key::new(hmac::HMAC_SHA256, secret.expose(trace))).map(Self)
        })
    }

    /// The token of a session at a generation.
    pub(super) fn encode(&self, session: Uuid, generation: u32) -> String {
        let mut bytes = [0; LEN];
        bytes[0] = VERSION;
        bytes[ID..GENERATION].copy_from_slice(session.as_bytes());
        bytes[GENERATION..TAG].copy_from_slice(&generation.to_be_bytes());
        let sign = |trace: &TraceGuard| hmac::sign(self.0.expose(trace), &bytes[..TAG]);
        let tag = TraceGuard::run(Depth::Hmac, sign);
        bytes[TAG..].copy_from_slice(tag.as_ref());
        base64url::encode(&bytes)
    }

    /// The session and generation of a token made with this key; `None` for any other token.
    pub(super) fn decode(&self, token: &str) -> Option<(Uuid, u32)> {
        if token.len() != base64url::encoded_len(LEN) {
            return None;
        }
        let bytes: [u8; LEN] = base64url::decode(token.as_bytes())?.try_into().ok()?;
        let (message, tag) = bytes.split_at(TAG);
        let verify = |trace: &TraceGuard| hmac::verify(self.0.expose(trace), message, tag);
        TraceGuard::run(Depth::Hmac, verify).ok()?;
        let session = Uuid::from_slice(&bytes[ID..GENERATION]).ok()?;
        let generation = u32::from_be_bytes(bytes[GENERATION..TAG].try_into().ok()?);
        (bytes[0] == VERSION).then_some((session, generation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tokens_of_this_key_are_read() {
        let codec = Codec::new().unwrap();
        let id = Uuid::from_u128(7);
        let token = codec.encode(id, 3);
        assert_eq!(token.len(), 71);
        assert_eq!(codec.decode(&token), Some((id, 3)));
        assert_eq!(Codec::new().unwrap().decode(&token), None);
        for place in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
            assert_eq!(codec.decode(&String::from_utf8(forged).unwrap()), None, "{place}");
        }
        for text in ["", "A", &token[1..], &format!("{token}A"), &"é".repeat(36)] {
            assert_eq!(codec.decode(text), None, "{text}");
        }
    }
}
