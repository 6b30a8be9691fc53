//! Ids as keyed fingerprints.

use std::convert::Infallible;

use siphasher::sip::SipHasher13;

use super::terms::{Field, Scope};
use crate::error::Result;
use crate::id::random_bytes;
use crate::secret::OpenKey;

/// Indexes of hashers after those of the fields: `OF_ID` hashes the ids of all fields for the
/// second half of a fingerprint, `OF_ISSUER` hashes issuers.
const OF_ID: usize = Field::ALL.len();
const OF_ISSUER: usize = OF_ID + 1;
const HASHERS: usize = OF_ISSUER + 1;

/// The bytes of the keys of a list. Fingerprints are equal only under equal keys.
pub(super) const KEYS_LEN: usize = 16 * HASHERS;

/// 128 keyed and therefore unpredictable bits that represent an id, of one issuer or of any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint {
    /// Hash of the id alone.
    pub id: u64,
    /// Hash of the id under another key, combined with the hash of the issuer.
    pub rest: u64,
}

impl Fingerprint {
    /// The hash that places the fingerprint in a table.
    pub(super) const fn table_hash(self) -> u64 {
        self.id ^ self.rest
    }
}

/// Makes fingerprints.
pub(super) struct Fingerprinter {
    hashers: OpenKey<[SipHasher13; HASHERS]>,
}

impl Fingerprinter {
    /// Draws new keys.
    pub(super) fn random() -> Result<Self> {
        let hashers = OpenKey::make(|| {
            let mut keys = [0; KEYS_LEN];
            random_bytes(&mut keys)?;
            Ok(hashers(&keys))
        })?;
        Ok(Self { hashers })
    }

    /// Uses these keys; `None` if they have another length.
    pub(super) fn new(keys: &[u8]) -> Option<Self> {
        let keys = keys.try_into().ok()?;
        let hashers = OpenKey::make(|| Ok::<_, Infallible>(hashers(keys)));
        hashers.ok().map(|hashers| Self { hashers })
    }

    /// The first half of the fingerprint of an id.
    pub(super) fn hash(&self, field: Field, id: &str) -> u64 {
        self.hash_with(field as usize, id)
    }

    /// The fingerprint of an id, whose first half is `hash`.
    pub(super) fn complete(&self, hash: u64, id: &str, scope: Scope<'_>) -> Fingerprint {
        let issuer = match scope {
            Scope::Any => 0,
            Scope::Issuer(issuer) => self.hash_with(OF_ISSUER, issuer),
        };
        Fingerprint { id: hash, rest: self.hash_with(OF_ID, id) ^ issuer }
    }

    fn hash_with(&self, hasher: usize, text: &str) -> u64 {
        self.hashers[hasher].hash(text.as_bytes())
    }
}

fn hashers(keys: &[u8; KEYS_LEN]) -> [SipHasher13; HASHERS] {
    let (keys, _) = keys.as_chunks();
    std::array::from_fn(|at| SipHasher13::new_with_key(&keys[at]))
}
