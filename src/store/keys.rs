//! The keys of a store, derived from the key of the caller, and the computations with them.
//!
//! - A tag over the head of each transaction: HMAC-SHA256.
//! - A keyed multiset hash of rows: the sum modulo 2^128 of SipHash-2-4-128 of each row. A
//!   transaction updates it by adding and subtracting.
//! - Records: AES-256-GCM with a key for each record, derived from 16 random bytes, so that a store
//!   that is restored from a backup never uses a key and nonce twice.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::{hkdf, hmac};
use siphasher::sip128::SipHasher24;
use zeroize::Zeroizing;

use super::fault::corrupt;
use super::row::{ENTRY_LEN, Entry, Position};
use crate::error::{Code, Error, Result};
use crate::id::random_bytes;
use crate::secret::{Depth, Locked, OpenKey, Secret, TraceGuard, ct_eq};

/// The shortest key, in bytes.
pub const MIN_KEY_LEN: usize = 32;

const SALT: &[u8] = b"@nodesec/native store 1";
const RECORD_SALT_LEN: usize = 16;
const TAG_LEN: usize = 16;

/// Bytes of the tag over a head, and of the key check.
pub(super) const MAC_LEN: usize = 32;

pub(super) struct Keys {
    head: Locked<hmac::Key>,
    record: Locked<hmac::Key>,
    secrets: Secret,
    rows: OpenKey<SipHasher24>,
    check: [u8; MAC_LEN],
}

impl Keys {
    /// Derives the keys. Fails with `ERR_OUT_OF_RANGE` if `key` is too short.
    pub(super) fn derive(key: &Secret) -> Result<Self> {
        if key.len() < MIN_KEY_LEN {
            return Err(Error::new(
                Code::OutOfRange,
                format!("key must have at least {MIN_KEY_LEN} bytes"),
            ));
        }
        TraceGuard::run(Depth::Cipher, |trace| {
            let root = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT).extract(key.expose(trace));
            let derive = |label: &'static [u8]| {
                let key = root.expand(&[label], hmac::HMAC_SHA256).map(hmac::Key::from);
                key.map_err(|_| underivable())
            };
            let tag = |label| derive(label).map(|key| first(hmac::sign(&key, label).as_ref()));
            let secrets = Secret::filled(MAC_LEN, |slot| {
                let derived = root.expand(&[b"secrets"], hmac::HMAC_SHA256);
                derived.and_then(|derived| derived.fill(slot)).map_err(|_| underivable())
            })?;
            let rows = || tag(b"rows").map(|key| SipHasher24::new_with_key(&first(&key)));
            Ok(Self {
                head: Locked::new(derive(b"head")?)?,
                record: Locked::new(derive(b"record")?)?,
                secrets,
                rows: OpenKey::make(rows)?,
                check: tag(b"check")?,
            })
        })
    }

    /// A value that tells the key from others and that reveals nothing of it.
    pub(super) fn check(&self) -> &[u8; MAC_LEN] {
        &self.check
    }

    /// The key under which other rooms seal secrets, before they put them into a record.
    pub(super) fn secrets(&self) -> &Secret {
        &self.secrets
    }

    /// Whether both sets of keys come from the same key.
    pub(super) fn is(&self, other: &Self) -> bool {
        ct_eq(&self.check, &other.check)
    }

    /// The tag over a head.
    pub(super) fn head_tag(&self, head: &[u8]) -> [u8; MAC_LEN] {
        TraceGuard::run(Depth::Hmac, |trace| {
            first(hmac::sign(self.head.expose(trace), head).as_ref())
        })
    }

    /// The summand of an entry.
    pub(super) fn entry(&self, position: Position, entry: &Entry) -> u128 {
        let mut bytes = [b'e'; 9 + ENTRY_LEN];
        bytes[1..9].copy_from_slice(&position.to_bytes());
        bytes[9..].copy_from_slice(&entry.to_bytes());
        self.rows.hash(&bytes).into()
    }

    /// The summand of a record.
    pub(super) fn record(&self, name: &[u8], position: Position, sealed: &[u8]) -> u128 {
        self.rows.hash(&[&associated(name, position), sealed].concat()).into()
    }

    /// Encrypts the value of a record.
    pub(super) fn seal(&self, name: &[u8], position: Position, value: &[u8]) -> Result<Vec<u8>> {
        let mut salt = [0; RECORD_SALT_LEN];
        random_bytes(&mut salt)?;
        let mut sealed = Vec::with_capacity(RECORD_SALT_LEN + value.len() + TAG_LEN);
        sealed.extend_from_slice(&salt);
        // Encrypted in place, so the vector must not move while it holds the plain value.
        sealed.extend_from_slice(value);
        let aad = Aad::from(associated(name, position));
        let tag = self.with_cipher(&salt, |cipher, nonce| {
            cipher.seal_in_place_separate_tag(nonce, aad, &mut sealed[RECORD_SALT_LEN..]).ok()
        });
        let tag = tag.ok_or_else(|| Error::new(Code::Internal, "a record cannot be sealed"))?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Decrypts the value of a record.
    pub(super) fn open(
        &self,
        name: &[u8],
        position: Position,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>> {
        let changed = || corrupt("a record was changed");
        let (salt, rest) = sealed.split_first_chunk().ok_or_else(changed)?;
        let mut value = Zeroizing::new(rest.to_vec());
        let aad = Aad::from(associated(name, position));
        let len = self.with_cipher(salt, |cipher, nonce| {
            cipher.open_in_place(nonce, aad, &mut value).map(|plain| plain.len()).ok()
        });
        value.truncate(len.ok_or_else(changed)?);
        Ok(value)
    }

    /// Lends the cipher of one record. Its nonce is 0, because it encrypts once.
    fn with_cipher<T>(
        &self,
        salt: &[u8; RECORD_SALT_LEN],
        body: impl FnOnce(&LessSafeKey, Nonce) -> Option<T>,
    ) -> Option<T> {
        TraceGuard::run(Depth::Cipher, |trace| {
            let key = hmac::sign(self.record.expose(trace), salt);
            let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_ref()).ok()?);
            body(&cipher, Nonce::assume_unique_for_key([0; NONCE_LEN]))
        })
    }
}

/// The name and the place of a record, so that a value opens nowhere else.
fn associated(name: &[u8], position: Position) -> Vec<u8> {
    // At most 255 bytes, `MAX_NAME_LEN`.
    let len = (name.len() as u64).to_le_bytes();
    [b"r", &position.to_bytes()[..], &len, name].concat()
}

fn underivable() -> Error {
    Error::new(Code::Internal, "a key of a store cannot be derived")
}

/// The first bytes of a longer tag.
fn first<const N: usize>(tag: &[u8]) -> [u8; N] {
    tag.first_chunk().copied().unwrap_or([0; N])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(byte: u8) -> Keys {
        Keys::derive(&Secret::copy_from(&[byte; MIN_KEY_LEN]).unwrap()).unwrap()
    }

    #[test]
    fn a_key_of_31_bytes_is_refused_and_other_keys_have_other_checks() {
        let short = Secret::copy_from(&[1; MIN_KEY_LEN - 1]).unwrap();
        assert_eq!(Keys::derive(&short).err().unwrap().code, Code::OutOfRange);
        assert!(keys(1).is(&keys(1)));
        assert!(!keys(1).is(&keys(2)));
        assert_ne!(keys(1).head_tag(b"head"), keys(2).head_tag(b"head"));
        assert_ne!(keys(1).check(), &keys(1).head_tag(b"check"));
    }

    #[test]
    fn a_record_opens_only_with_its_key_name_and_place() {
        let (keys, place) = (keys(1), Position::new(7, 3));
        let sealed = keys.seal(b"name", place, b"value").unwrap();
        assert_ne!(sealed, keys.seal(b"name", place, b"value").unwrap());
        assert_eq!(**keys.open(b"name", place, &sealed).unwrap(), *b"value");
        assert!(keys.open(b"names", place, &sealed).is_err());
        assert!(keys.open(b"name", Position::new(7, 4), &sealed).is_err());
        assert!(self::keys(2).open(b"name", place, &sealed).is_err());
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(keys.open(b"name", place, &changed).is_err(), "{index}");
            assert!(keys.open(b"name", place, &sealed[..index]).is_err(), "{index}");
        }
    }

    #[test]
    fn every_field_of_an_entry_and_its_place_changes_the_summand() {
        let keys = keys(1);
        let entry = Entry { kind: 1, key: [2; 16], value: 3, until: 4 };
        let place = Position::new(1, 1);
        let others = [
            keys.entry(Position::new(1, 2), &entry),
            keys.entry(place, &Entry { kind: 2, ..entry }),
            keys.entry(place, &Entry { key: [3; 16], ..entry }),
            keys.entry(place, &Entry { value: 4, ..entry }),
            keys.entry(place, &Entry { until: 5, ..entry }),
            self::keys(2).entry(place, &entry),
        ];
        assert!(others.iter().all(|other| *other != keys.entry(place, &entry)));
    }
}
