//! The ids of revoked keys that the ring has forgotten.

use aws_lc_rs::digest;

use crate::error::{Code, Error, Result};

/// The most ids. A ring has so many only after as many keys were added and revoked by hand.
const MAX_SPENT: usize = 4000;

/// The ids that must not be added again, as hashes: the holder of a stolen key may still sign.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SpentIds(Vec<SpentId>);

/// The first half of the SHA-256 of an id.
pub(super) type SpentId = [u8; 16];

impl SpentIds {
    pub(super) fn has(&self, kid: &str) -> bool {
        !self.0.is_empty() && self.0.contains(&hash(kid))
    }

    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MAX_SPENT
    }

    /// Takes an id. `false` if there is no room for it.
    pub(super) fn insert(&mut self, kid: &str) -> bool {
        let has_room = !self.is_full() && self.0.try_reserve(1).is_ok();
        if has_room {
            self.0.push(hash(kid));
        }
        has_room
    }

    /// Takes the ids of another ring. `false` if there is no room for them.
    pub(super) fn extend(&mut self, other: &Self) -> bool {
        let more: Vec<SpentId> =
            other.0.iter().filter(|id| !self.0.contains(id)).copied().collect();
        let has_room =
            self.0.len() + more.len() <= MAX_SPENT && self.0.try_reserve(more.len()).is_ok();
        if has_room {
            self.0.extend(more);
        }
        has_room
    }

    pub(super) fn as_slice(&self) -> &[SpentId] {
        &self.0
    }

    /// The ids of a stored ring; `None` if they are too many.
    pub(super) fn restored(ids: &[SpentId]) -> Result<Option<Self>> {
        if ids.len() > MAX_SPENT {
            return Ok(None);
        }
        let mut own = Vec::new();
        own.try_reserve(ids.len()).map_err(|_| no_memory())?;
        own.extend_from_slice(ids);
        Ok(Some(Self(own)))
    }
}

fn hash(kid: &str) -> SpentId {
    let digest = digest::digest(&digest::SHA256, kid.as_bytes());
    digest.as_ref().first_chunk().copied().unwrap_or_default()
}

pub(super) fn no_memory() -> Error {
    let message = "there is no memory for another key; give the process more";
    Error::new(Code::KeyringFull, message)
}
