//! Where issuers and verifiers find their keys.

use std::sync::Arc;

use super::algorithm::Scheme;
use super::{Algorithm, Key, KeyRing, KeySet, Rejection};
use crate::error::{Code, Error, Result};

/// Where keys come from.
pub enum KeySource {
    /// A ring, which changes.
    Ring(Arc<KeyRing>),
    /// A fixed list of keys, distinct by id and algorithm.
    Keys(Vec<Arc<Key>>),
    /// Public keys that somebody else replaces.
    Set(Arc<KeySet>),
}

impl KeySource {
    /// Does what a ring or a set has due at `now`, in seconds since 1970, and gives a number that
    /// changes when the keys do.
    pub fn catch_up(&self, now: u64) -> u64 {
        match self {
            Self::Ring(ring) => {
                ring.catch_up(now);
                ring.epoch()
            }
            Self::Keys(_) => 0,
            Self::Set(set) => {
                set.catch_up();
                set.epoch()
            }
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
            Self::Set(_) => Err(Error::new(Code::JwtKey, "the keys of others do not sign")),
        }
    }

    /// The longest life of a token, in seconds, where one is set.
    pub fn max_token_ttl(&self) -> Option<u64> {
        match self {
            Self::Ring(ring) => Some(ring.options().max_token_ttl),
            Self::Keys(_) | Self::Set(_) => None,
        }
    }

    /// The key that a token names, and until when, in seconds since 1970, it may be used. A
    /// token without `kid` is accepted only when exactly one key has its algorithm.
    pub fn find(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> std::result::Result<(Arc<Key>, u64), Rejection> {
        match self {
            Self::Ring(ring) => ring.find(kid, algorithm),
            Self::Keys(keys) => find(keys, kid, algorithm).map(|key| (key, u64::MAX)),
            // No other set would have it either: nobody publishes such keys.
            Self::Set(_) if matches!(algorithm.scheme(), Scheme::Hmac(_)) => {
                Err(Rejection::Algorithm)
            }
            Self::Set(set) => set.find(kid, algorithm),
        }
    }
}

/// The only key of a list that is what a token names.
pub fn find(
    keys: &[Arc<Key>],
    kid: Option<&str>,
    algorithm: Algorithm,
) -> std::result::Result<Arc<Key>, Rejection> {
    let named = |key: &&Arc<Key>| kid.is_none_or(|kid| key.kid() == kid);
    let mut matching = keys.iter().filter(|key| key.algorithm().signs_as(algorithm)).filter(named);
    match (matching.next(), matching.next()) {
        (Some(key), None) => Ok(key.clone()),
        (None, _) if kid.is_some() && keys.iter().any(|key| named(&key)) => {
            Err(Rejection::Algorithm)
        }
        _ => Err(Rejection::KeyNotFound),
    }
}

/// Refuses a list in which a token could mean two keys: one `kid` may stand for keys of several
/// algorithms, as it does in the JWK Sets that leave `alg` out.
pub fn check_distinct(keys: &[Arc<Key>]) -> Result<()> {
    let mut names: Vec<_> = keys.iter().map(|key| name_of(key)).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Error::new(
            Code::KeyringDuplicate,
            "two keys of one algorithm have the same kid; give each its own",
        ));
    }
    Ok(())
}

/// What a token calls a key: its `kid` and its algorithm, Ed25519 under either name.
pub fn name_of(key: &Key) -> (&str, &'static str) {
    let algorithm = match key.algorithm() {
        Algorithm::Ed25519 => Algorithm::EdDsa,
        other => other,
    };
    (key.kid(), algorithm.name())
}
