//! Finds the key that a token names, among several.

use std::sync::Arc;

use super::algorithm::Algorithm;
use super::key::key::Key;
use super::token::rejection::Rejection;
use crate::error::{Code, Error, Result};

/// The only key with the `kid` and the algorithm of a token, and until when it may be used, in
/// seconds since 1970. A token without `kid` names the only key of its algorithm.
pub(super) fn find<'k>(
    keys: impl Iterator<Item = (&'k Arc<Key>, u64)> + Clone,
    kid: Option<&str>,
    algorithm: Algorithm,
) -> std::result::Result<(Arc<Key>, u64), Rejection> {
    let mut named = keys.filter(|(key, _)| kid.is_none_or(|kid| key.kid() == kid));
    let mut matching = named.clone().filter(|(key, _)| key.algorithm().signs_as(algorithm));
    match (matching.next(), matching.next()) {
        (Some((key, until)), None) => Ok((key.clone(), until)),
        _ if kid.is_none() => Err(Rejection::Nameless),
        (None, _) if named.next().is_some() => Err(Rejection::KeyAlgorithm),
        _ => Err(Rejection::KeyNotFound),
    }
}

/// Refuses a list in which a token could name two keys, with `ERR_KEYRING_DUPLICATE`. Keys of
/// different algorithms may share a `kid`, as in JWK Sets that leave `alg` out.
pub(super) fn check_distinct(keys: &[Arc<Key>]) -> Result<()> {
    let mut names: Vec<_> = keys.iter().map(|key| name_of(key)).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Error::new(
            Code::KeyringDuplicate,
            "two keys of the same algorithm must not have the same kid; give each key its own kid",
        ));
    }
    Ok(())
}

/// The name by which a token names a key: its `kid` and its algorithm. Both names of Ed25519 count
/// as one.
pub(super) fn name_of(key: &Key) -> (&str, &'static str) {
    let algorithm = key.algorithm();
    (key.kid(), algorithm.elsewhere().unwrap_or(algorithm.name()))
}
