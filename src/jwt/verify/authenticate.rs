//! Whose signature a token carries.

use std::sync::Arc;

use crate::jwt::algorithm::Algorithm;
use crate::jwt::key::key::Key;
use crate::jwt::key_source::KeySource;
use crate::jwt::token::header::Header;
use crate::jwt::token::rejection::Rejection;

/// A signature that verifies, its header and its key.
pub(super) struct Authentic<'h> {
    /// The header.
    pub header: Header<'h>,
    /// The key.
    pub key: Arc<Key>,
    /// Until when the key may be used, in seconds since 1970.
    pub usable_until: u64,
}

/// Reads the header and verifies the signature with the key it names; `accepted` are the
/// algorithms, those of the keys when `None`.
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

/// Whether a signature is the key's.
pub(super) fn check_signature(key: &Key, signed: &[u8], signature: &[u8]) -> Result<(), Rejection> {
    if key.verifies(signed, signature) { Ok(()) } else { Err(Rejection::Signature) }
}
