//! Checks the signature of a token with the key that the token names.

use std::sync::Arc;

use crate::jwt::algorithm::Algorithm;
use crate::jwt::key::key::Key;
use crate::jwt::key_source::KeySource;
use crate::jwt::token::header::Header;
use crate::jwt::token::rejection::Rejection;

/// The header and the key of a token whose signature verifies.
pub(super) struct Authentic<'h> {
    /// The header.
    pub header: Header<'h>,
    /// The key.
    pub key: Arc<Key>,
    /// Until when the key may be used, in seconds since 1970.
    pub usable_until: u64,
}

/// Reads the header and verifies the signature with the key that the header names. `accepted` lists
/// the accepted algorithms; with `None` they are those of the keys.
pub(super) fn authenticate<'h>(
    header: &'h [u8],
    signed: &[u8],
    signature: &[u8],
    keys: &KeySource,
    accepted: Option<&[Algorithm]>,
) -> Result<Authentic<'h>, Rejection> {
    let header = Header::parse(header)?;
    if accepted.is_some_and(|accepted| !accepted.contains(&header.algorithm)) {
        return Err(Rejection::Algorithm);
    }
    let (key, usable_until) = keys.find(header.kid.as_deref(), header.algorithm)?;
    check_signature(&key, signed, signature)?;
    Ok(Authentic { header, key, usable_until })
}

/// Refuses a signature that is not the key's.
pub(super) fn check_signature(key: &Key, signed: &[u8], signature: &[u8]) -> Result<(), Rejection> {
    if key.verifies(signed, signature) { Ok(()) } else { Err(Rejection::Signature) }
}
