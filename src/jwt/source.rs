//! Where issuers and verifiers find their keys.

use std::sync::Arc;

use super::{Algorithm, Key, KeyRing, Rejection};
use crate::error::{Code, Error, Result};

/// Where keys come from.
pub enum KeySource {
    /// A ring, which changes.
    Ring(Arc<KeyRing>),
    /// A fixed set of keys with distinct ids.
    Keys(Vec<Arc<Key>>),
}

impl KeySource {
    /// A number that changes when the keys do. What a ring has due at `now`, in seconds since
    /// 1970, is done first.
    pub fn epoch(&self, now: u64) -> u64 {
        match self {
            Self::Ring(ring) => {
                ring.catch_up(now);
                ring.epoch()
            }
            Self::Keys(_) => 0,
        }
    }

    /// The key that signs.
    pub fn signing_key(&self) -> Result<Arc<Key>> {
        match self {
            Self::Ring(ring) => ring.signing_key(),
            Self::Keys(keys) => keys
                .first()
                .cloned()
                .ok_or_else(|| Error::new(Code::JwtKey, "there is no key to sign with")),
        }
    }

    /// The longest life of a token, in seconds, where one is set.
    pub fn max_token_ttl(&self) -> Option<u64> {
        match self {
            Self::Ring(ring) => Some(ring.options().max_token_ttl),
            Self::Keys(_) => None,
        }
    }

    /// The key that a token names, and until when, in seconds since 1970, it may be used. A
    /// token without `kid` is accepted only when exactly one key has its algorithm.
    pub fn find(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> std::result::Result<(Arc<Key>, u64), Rejection> {
        let keys = match self {
            Self::Ring(ring) => return ring.find(kid, algorithm),
            Self::Keys(keys) => keys,
        };
        let mut matching = keys.iter().filter(|key| match kid {
            Some(kid) => key.kid() == kid,
            None => key.algorithm().signs_as(algorithm),
        });
        match (matching.next(), matching.next()) {
            (Some(key), None) if key.algorithm().signs_as(algorithm) => Ok((key.clone(), u64::MAX)),
            (Some(_), None) => Err(Rejection::Algorithm),
            _ => Err(Rejection::KeyNotFound),
        }
    }
}
