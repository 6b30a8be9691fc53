//! The head of the log: an authenticated summary of all rows, which each transaction replaces.

use super::engine::Engine;
use super::fault::corrupt;
use super::keys::{Keys, MAC_LEN};
use super::row::{Position, Sequence};
use crate::error::{Code, Error, Result};
use crate::secret::ct_eq;

/// The version of everything that a store writes; part of the tag.
pub(super) const FORMAT: u8 = 1;

/// Bytes of the random id of a store.
pub(super) const STORE_ID_LEN: usize = 16;

const BODY_LEN: usize = 1 + STORE_ID_LEN + 4 * 8 + 2 * 16;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// The random id that database and epoch share.
    pub(super) store: [u8; STORE_ID_LEN],
    /// The last transaction.
    pub(super) sequence: Sequence,
    /// Milliseconds since 1970 at which a loss was noticed last, after the machine stopped; 0 for
    /// never.
    pub(super) lost_at: u64,
    /// The number of entries.
    pub(super) entries: u64,
    /// The number of records.
    pub(super) records: u64,
    /// The sum of all entries and records.
    pub(super) live: u128,
    /// The sum of all entries that were ever added.
    pub(super) appended: u128,
}

impl Head {
    /// Reads and authenticates the head. Fails with `ERR_STORE_CORRUPT` if there is none, and with
    /// `ERR_STORE_KEY` if it was written under another key.
    pub(super) fn read(engine: &mut dyn Engine, keys: &Keys) -> Result<Self> {
        let found = engine.head()?;
        let (bytes, check) = found.ok_or_else(|| corrupt("the head of its log is missing"))?;
        let parsed = bytes.split_last_chunk::<MAC_LEN>().and_then(|(body, tag)| {
            if ct_eq(&keys.head_tag(body), tag) { Self::parse(body) } else { None }
        });
        parsed.ok_or_else(|| {
            if check == keys.check() {
                return corrupt("the head of its log was changed");
            }
            Error::new(
                Code::StoreKey,
                "the store does not open with this key; use the key with which it was made",
            )
        })
    }

    /// The head as it is stored.
    pub(super) fn to_bytes(&self, keys: &Keys) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(BODY_LEN + MAC_LEN);
        bytes.push(FORMAT);
        bytes.extend_from_slice(&self.store);
        for number in [self.sequence, self.lost_at, self.entries, self.records] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for sum in [self.live, self.appended] {
            bytes.extend_from_slice(&sum.to_le_bytes());
        }
        let tag = keys.head_tag(&bytes);
        bytes.extend_from_slice(&tag);
        bytes
    }

    /// The number of the next transaction.
    pub(super) fn next(&self) -> Result<Sequence> {
        if self.sequence >= Position::MAX_SEQUENCE {
            return Err(corrupt("its log has no numbers left"));
        }
        Ok(self.sequence + 1)
    }

    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let (&[format], body) = body.split_first_chunk()?;
        let (store, mut rest) = body.split_first_chunk()?;
        let mut number = || {
            let (bytes, behind) = rest.split_first_chunk()?;
            rest = behind;
            Some(u64::from_le_bytes(*bytes))
        };
        let [sequence, lost_at, entries, records] = [number()?, number()?, number()?, number()?];
        let (live, rest) = rest.split_first_chunk()?;
        let appended = rest.try_into().ok()?;
        let [live, appended] = [*live, appended].map(u128::from_le_bytes);
        let head = Self { store: *store, sequence, lost_at, entries, records, live, appended };
        (format == FORMAT).then_some(head)
    }
}
