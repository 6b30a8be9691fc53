//! Ids as keyed fingerprints.

use siphasher::sip::SipHasher13;

use super::terms::{Field, Scope};
use crate::error::Result;
use crate::id::random_bytes;

/// Indexes of hashers after those of the fields: `OF_ID` hashes the ids of all fields for the
/// second half of a fingerprint, `OF_ISSUER` hashes issuers.
const OF_ID: usize = Field::ALL.len();
const OF_ISSUER: usize = OF_ID + 1;
const HASHERS: usize = OF_ISSUER + 1;

/// The keys of a list. Fingerprints are equal only under equal keys.
pub(super) type Keys = [[u8; 16]; HASHERS];

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
    hashers: [SipHasher13; HASHERS],
}

impl Fingerprinter {
    /// Draws new keys.
    pub(super) fn random() -> Result<Self> {
        let mut keys: Keys = [[0; 16]; HASHERS];
        random_bytes(keys.as_flattened_mut())?;
        Ok(Self::new(&keys))
    }

    /// Uses these keys.
    pub(super) fn new(keys: &Keys) -> Self {
        Self { hashers: keys.each_ref().map(SipHasher13::new_with_key) }
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
