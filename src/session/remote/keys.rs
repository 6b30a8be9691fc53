//! The keys of sessions on a server, and the computations with them. They are derived from the key
//! of the caller and the prefix of the names, so that a row of one prefix opens under no other.
//!
//! - Refresh tokens: the codec of all sessions, under a key of its own.
//! - Subjects: 126 bits of HMAC-SHA-256. A reader of the server cannot test a guessed subject.
//! - Subjects, claims and meta data: AES-256-GCM with a key for each session. A sealed text is
//!   `nonce (12) ‖ ciphertext ‖ tag (16)`. The kind of the text is authenticated, so that it opens
//!   only in its place.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::{hkdf, hmac};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};
use crate::id::random_bytes;
use crate::secret::{Depth, Locked, MIN_SEAL_KEY_LEN, Secret, TraceGuard};
use crate::session::refresh_token::Codec;

const SALT: &[u8] = b"@nodesec/native redis sessions 1";
const KEY_LEN: usize = 32;
const TAG_LEN: usize = 16;
/// The bits of a subject's tag that are in the ids of its sessions: those of a UUID of version 8
/// that follow its variant.
const TAG_BITS: u64 = (1 << 62) - 1;

/// The kind of a sealed text; the number is part of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Text {
    /// The subject of a session.
    Subject = 1,
    /// The claims of its access tokens.
    Claims = 2,
    /// Its meta data.
    Meta = 3,
}

/// The tag of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubjectTag {
    /// 62 bits, by which the server finds the sessions. All sessions of a subject have them in
    /// their ids.
    pub place: u64,
    /// 64 more bits, by which two subjects with the same place are told apart.
    pub rest: [u8; 8],
}

/// The place of a session on the server, from its id.
pub fn place_of(session: Uuid) -> u64 {
    // The last 64 bits.
    session.as_u64_pair().1 & TAG_BITS
}

pub(super) struct Keys {
    pub(super) codec: Codec,
    subjects: Locked<hmac::Key>,
    texts: Locked<hmac::Key>,
}

impl Keys {
    /// Derives the keys of sessions whose names begin with `prefix`. Fails with `ERR_OUT_OF_RANGE`
    /// if `key` is too short.
    pub(super) fn derive(key: &Secret, prefix: &str) -> Result<Self> {
        if key.len() < MIN_SEAL_KEY_LEN {
            let message = format!("key must have at least {MIN_SEAL_KEY_LEN} bytes");
            return Err(Error::new(Code::OutOfRange, message));
        }
        TraceGuard::run(Depth::Cipher, |trace| {
            let root = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT).extract(key.expose(trace));
            let derive = |label: &'static [u8]| {
                let info = [label, prefix.as_bytes()];
                let key = root.expand(&info, hmac::HMAC_SHA256).map(hmac::Key::from);
                Locked::new(key.map_err(|_| underivable())?)
            };
            let tokens = Secret::filled(KEY_LEN, |slot| {
                let info = [&b"tokens "[..], prefix.as_bytes()];
                let derived = root.expand(&info, hmac::HMAC_SHA256);
                derived.and_then(|derived| derived.fill(slot)).map_err(|_| underivable())
            })?;
            Ok(Self {
                codec: Codec::with_key(&tokens)?,
                subjects: derive(b"subjects ")?,
                texts: derive(b"texts ")?,
            })
        })
    }

    /// The tag of a subject.
    pub(super) fn tag(&self, subject: &str) -> SubjectTag {
        TraceGuard::run(Depth::Hmac, |trace| {
            let tag = hmac::sign(self.subjects.expose(trace), subject.as_bytes());
            let part = |at: usize| tag.as_ref()[at..].first_chunk().copied().unwrap_or_default();
            SubjectTag { place: u64::from_be_bytes(part(0)) & TAG_BITS, rest: part(8) }
        })
    }

    /// Encrypts a text of a session.
    pub(super) fn seal(&self, session: Uuid, kind: Text, text: &str) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        random_bytes(&mut nonce)?;
        let mut sealed = Vec::with_capacity(NONCE_LEN + text.len() + TAG_LEN);
        sealed.extend_from_slice(&nonce);
        // Encrypted in place, so the vector must not move while it holds the text.
        sealed.extend_from_slice(text.as_bytes());
        let tag = self.with_cipher(session, |cipher| {
            let nonce = Nonce::assume_unique_for_key(nonce);
            let aad = Aad::from([kind as u8]);
            cipher.seal_in_place_separate_tag(nonce, aad, &mut sealed[NONCE_LEN..]).ok()
        });
        let tag = tag.ok_or_else(|| Error::new(Code::Internal, "a text cannot be sealed"))?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Decrypts a text of a session.
    pub(super) fn open(
        &self,
        session: Uuid,
        kind: Text,
        sealed: &[u8],
    ) -> Result<Zeroizing<String>> {
        let (nonce, rest) = sealed.split_first_chunk().ok_or_else(changed)?;
        let mut text = Zeroizing::new(rest.to_vec());
        let len = self.with_cipher(session, |cipher| {
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let aad = Aad::from([kind as u8]);
            cipher.open_in_place(nonce, aad, &mut text).map(|plain| plain.len()).ok()
        });
        text.truncate(len.ok_or_else(changed)?);
        let text = std::str::from_utf8(&text).map_err(|_| changed())?;
        Ok(Zeroizing::new(text.to_owned()))
    }

    /// Lends the cipher of a session.
    fn with_cipher<T>(
        &self,
        session: Uuid,
        body: impl FnOnce(&LessSafeKey) -> Option<T>,
    ) -> Option<T> {
        TraceGuard::run(Depth::Cipher, |trace| {
            let key = hmac::sign(self.texts.expose(trace), session.as_bytes());
            body(&LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_ref()).ok()?))
        })
    }
}

fn changed() -> Error {
    Error::new(
        Code::SessionStore,
        "the server has a session that does not open with this key; pass the key that all \
         processes with this prefix have, or see who else writes to the server",
    )
}

fn underivable() -> Error {
    Error::new(Code::Internal, "the keys of sessions on a server cannot be derived")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::refresh_token::{RefreshToken, SessionSecret, Step};

    // Computed with node:crypto.
    const SEALED: &str = "05050505050505050505050531eb53b6b4c0c5ba9c3ba8bad9127cf2912736d21c";
    const PLACE: u64 = 0x3913_95fa_3584_d63e;
    const REST: [u8; 8] = [0x7c, 0x73, 0xd4, 0x03, 0xc8, 0xa9, 0xde, 0xfe];

    fn keys(byte: u8) -> Keys {
        of(byte, "nodesec:sessions")
    }

    fn of(byte: u8, prefix: &str) -> Keys {
        Keys::derive(&Secret::copy_from(&[byte; 32]).unwrap(), prefix).unwrap()
    }

    #[test]
    fn a_text_opens_only_under_its_key_in_its_session_and_as_its_kind() {
        let (one, session) = (keys(1), Uuid::from_u128(7));
        for text in ["", "alice", r#"{"role":"admin"}"#] {
            let sealed = one.seal(session, Text::Claims, text).unwrap();
            assert_eq!(sealed.len(), NONCE_LEN + text.len() + TAG_LEN);
            let opened = keys(1).open(session, Text::Claims, &sealed).unwrap();
            assert_eq!(*opened, text);
            let code = |keys: &Keys, session, kind, sealed: &[u8]| {
                keys.open(session, kind, sealed).unwrap_err().code
            };
            let other = Uuid::from_u128(8);
            assert_eq!(code(&keys(2), session, Text::Claims, &sealed), Code::SessionStore);
            assert_eq!(code(&one, other, Text::Claims, &sealed), Code::SessionStore);
            assert_eq!(code(&one, session, Text::Meta, &sealed), Code::SessionStore);
            for at in 0..sealed.len() {
                let mut forged = sealed.clone();
                forged[at] ^= 1;
                assert_eq!(code(&one, session, Text::Claims, &forged), Code::SessionStore);
                assert_eq!(code(&one, session, Text::Claims, &sealed[..at]), Code::SessionStore);
            }
        }
    }

    #[test]
    fn nothing_of_one_prefix_is_valid_under_another() {
        let (shop, staff, session) = (of(1, "shop"), of(1, "staff"), Uuid::from_u128(7));
        let sealed = shop.seal(session, Text::Claims, "{}").unwrap();
        assert_eq!(
            staff.open(session, Text::Claims, &sealed).unwrap_err().code,
            Code::SessionStore
        );
        assert_ne!(shop.tag("alice"), staff.tag("alice"));
        let secret = SessionSecret::random().unwrap();
        let token = RefreshToken { session, step: Step::default(), secret };
        let text = shop.codec.encode(&token);
        assert!(shop.codec.decode(&text).is_some() && staff.codec.decode(&text).is_none());
    }

    #[test]
    fn no_two_sealed_texts_are_alike() {
        let seal = || keys(1).seal(Uuid::from_u128(7), Text::Claims, "{}").unwrap();
        assert_ne!(seal()[NONCE_LEN..], seal()[NONCE_LEN..]);
    }

    /// Rows and tags of earlier releases are on servers.
    #[test]
    fn the_first_format_is_read() {
        let tag = keys(1).tag("alice");
        let sealed = base16ct::lower::decode_vec(SEALED).unwrap();
        let opened = keys(1).open(Uuid::from_u128(7), Text::Subject, &sealed).unwrap();
        assert_eq!((tag.place, tag.rest, &**opened), (PLACE, REST, "alice"));
    }

    #[test]
    fn the_tag_of_a_subject_needs_the_key_and_fits_into_an_id() {
        let tag = keys(1).tag("alice");
        assert_eq!(keys(1).tag("alice"), tag);
        assert_ne!(keys(2).tag("alice"), tag);
        assert_ne!(keys(1).tag("bob").place, tag.place);
        let id = crate::id::uuid_v8(1_700_000_000_000, tag.place).unwrap();
        assert_eq!(place_of(id), tag.place);
    }

    #[test]
    fn a_short_key_is_refused() {
        let short = Secret::copy_from(&[1; 31]).unwrap();
        assert_eq!(Keys::derive(&short, "p").err().unwrap().code, Code::OutOfRange);
    }
}
