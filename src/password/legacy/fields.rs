//! Salts and tags as several schemes write them.

use std::ops::RangeInclusive;

use base64ct::{Base64, Encoding};

use crate::error::Result;
use crate::password::phc::{bytes, malformed};

/// The lengths of a salt, in bytes. passlib documents an empty salt.
pub(super) const SALT_LEN: RangeInclusive<usize> = 0..=1024;

/// The lengths of a tag, in bytes: from the PHC string format for scrypt and PBKDF2, but up to
/// twice its longest, for callers that derived more.
pub(super) const TAG_LEN: RangeInclusive<usize> = 10..=128;

/// A salt whose text is the salt.
pub(super) fn salt_text(text: &str) -> Result<Vec<u8>> {
    if SALT_LEN.contains(&text.len()) {
        Ok(text.into())
    } else {
        Err(malformed("its salt is too long"))
    }
}

/// Bytes in lower-case hexadecimal.
pub(super) fn hex(text: &str, lengths: RangeInclusive<usize>) -> Result<Vec<u8>> {
    base16ct::lower::decode_vec(text)
        .ok()
        .filter(|bytes| lengths.contains(&bytes.len()))
        .ok_or_else(|| malformed("it has hexadecimal digits that are wrong, or too many or few"))
}

/// Canonical Base64, with its padding or without any.
pub(super) fn maybe_padded(text: &str, lengths: RangeInclusive<usize>) -> Result<Vec<u8>> {
    let unpadded = text.trim_end_matches('=');
    let padding = text.len() - unpadded.len();
    if padding != 0 && (padding > 2 || !text.len().is_multiple_of(4)) {
        return Err(malformed("it has Base64 with padding of the wrong length"));
    }
    bytes(unpadded, lengths)
}

/// A tag in padded Base64.
pub(super) fn base64_tag(text: &str) -> Result<Vec<u8>> {
    Base64::decode_vec(text)
        .ok()
        .filter(|bytes| TAG_LEN.contains(&bytes.len()))
        .ok_or_else(|| malformed("it has Base64 that is not canonical or has the wrong length"))
}
