//! The keys of an issuer or a verifier: a list, a ring, or a key set that another service
//! publishes.

use std::sync::Arc;

use super::algorithm::Algorithm;
use super::key::key::Key;
use super::key_lookup;
use super::key_ring::ring::KeyRing;
use super::key_set::set::KeySet;
use super::token::rejection::Rejection;
use crate::error::{Code, Error, Result};

/// The source of keys.
pub enum KeySource {
    /// A ring, which changes.
    Ring(Arc<KeyRing>),
    /// A fixed list of keys, distinct by id and algorithm.
    Keys(Vec<Arc<Key>>),
    /// Public keys that another service publishes and replaces.
    Set(Arc<KeySet>),
}

impl KeySource {
    /// Does what is due in a ring or a set at `now`, in seconds since 1970, and returns a number
    /// that changes when the keys do. Fails if the store of a ring cannot answer.
    pub fn catch_up(&self, now: u64) -> Result<u64> {
        Ok(match self {
            Self::Ring(ring) => {
                ring.catch_up(now)?;
                ring.epoch()
            }
            Self::Keys(_) => 0,
            Self::Set(set) => {
                set.catch_up();
                set.epoch()
            }
        })
    }

    /// The key that signs. `ERR_KEYRING_NO_ACTIVE_KEY` for a ring without one; `ERR_JWT_KEY` for an
    /// empty list and for a set.
    pub fn signing_key(&self) -> Result<Arc<Key>> {
        match self {
            Self::Ring(ring) => ring.signing_key(),
            Self::Keys(keys) => keys
                .first()
                .cloned()
                .ok_or_else(|| Error::new(Code::JwtKey, "there is no key to sign with")),
            Self::Set(_) => {
                Err(Error::new(Code::JwtKey, "a RemoteJwks cannot sign; use a KeyRing or a JwtKey"))
            }
        }
    }

    /// The longest life of a token, in seconds, where one is set.
    pub fn max_token_ttl(&self) -> Option<u64> {
        match self {
            Self::Ring(ring) => Some(ring.max_token_ttl()),
            Self::Keys(_) | Self::Set(_) => None,
        }
    }

    /// The key that a token names, and until when it may be used, in seconds since 1970. A token
    /// without `kid` is accepted only if exactly one key has its algorithm.
    pub fn find(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> std::result::Result<(Arc<Key>, u64), Rejection> {
        match self {
            Self::Ring(ring) => ring.find(kid, algorithm),
            Self::Keys(keys) => {
                key_lookup::find(keys.iter().map(|key| (key, u64::MAX)), kid, algorithm)
            }
            // A refetch would not help: nobody publishes symmetric keys.
            Self::Set(_) if algorithm.is_symmetric() => Err(Rejection::Algorithm),
            Self::Set(set) => set.find(kid, algorithm),
        }
    }
}
