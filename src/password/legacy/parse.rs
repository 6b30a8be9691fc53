//! Finds the scheme of a stored text.

use super::hash::{LegacyHash, ParsedLegacy};
use super::{bcrypt, django, pbkdf2, scrypt};
use crate::error::Result;
use crate::password::phc::{MAX_DIGEST_LEN, malformed};

/// A scheme, or several related ones. A caller enables each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegacyScheme {
    /// `$2a$`, `$2b$`, `$2x$`, `$2y$`, and passlib's `$bcrypt-sha256$`.
    Bcrypt,
    /// `$scrypt$ln=…,r=…,p=…$salt$hash`.
    Scrypt,
    /// `$pbkdf2$`, `$pbkdf2-sha1$`, `$pbkdf2-sha256$`, `$pbkdf2-sha512$`, as PHC or as passlib
    /// writes them.
    Pbkdf2,
    /// Django's own: `pbkdf2_sha256$`, `pbkdf2_sha1$`, `argon2$`, `scrypt$`, `bcrypt$` and
    /// `bcrypt_sha256$`.
    Django,
}

impl LegacyScheme {
    /// Every scheme with its name in JavaScript.
    pub const ALL: [(&str, Self); 4] = [
        ("bcrypt", Self::Bcrypt),
        ("scrypt", Self::Scrypt),
        ("pbkdf2", Self::Pbkdf2),
        ("django", Self::Django),
    ];
}

/// Parses a hash of one of the enabled schemes. Returns `Ok(None)` if it belongs to none of them.
/// Fails with `ERR_PASSWORD_DIGEST` if it belongs to one and is malformed, or if it is longer than
/// [`MAX_DIGEST_LEN`].
pub(crate) fn parse(text: &str, schemes: &[LegacyScheme]) -> Result<Option<ParsedLegacy>> {
    if text.len() > MAX_DIGEST_LEN {
        return Err(malformed("it is longer than 4096 bytes"));
    }
    for scheme in schemes {
        let hash = match scheme {
            LegacyScheme::Bcrypt => bcrypt::parse(text)?.map(LegacyHash::Bcrypt),
            LegacyScheme::Scrypt => scrypt::parse(text)?.map(LegacyHash::Scrypt),
            LegacyScheme::Pbkdf2 => pbkdf2::parse(text)?.map(LegacyHash::Pbkdf2),
            LegacyScheme::Django => match django::parse(text)? {
                Some(ParsedLegacy::Legacy(hash)) => Some(hash),
                other if other.is_some() => return Ok(other),
                _ => None,
            },
        };
        if hash.is_some() {
            return Ok(hash.map(ParsedLegacy::Legacy));
        }
    }
    Ok(None)
}
