//! Hashes of other schemes, so that their users can move: read and verified when asked for, never
//! made. Whoever verifies one has the password at hand to replace it by.

mod bcrypt;
mod ceilings;
mod django;
mod pbkdf2;
mod scrypt;

use std::ops::RangeInclusive;

pub use self::ceilings::{
    Ceilings, MAX_BCRYPT_COST, MAX_PBKDF2_ITERATIONS, MAX_SCRYPT_WORK, MIN_BCRYPT_COST,
};
use super::limits::Limits;
use super::phc::{Digest, MAX_DIGEST_LEN, malformed};
use crate::error::Result;

/// The lengths of a salt, in bytes. passlib documents an empty one.
const SALT_LEN: RangeInclusive<usize> = 0..=1024;

/// The lengths of a tag, in bytes, as the PHC string format has them for scrypt and PBKDF2, and
/// twice the longest for who derived more.
const TAG_LEN: RangeInclusive<usize> = 10..=128;

/// Schemes that go together: a caller asks for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
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

impl Family {
    /// Every family with its name in JavaScript.
    pub const ALL: [(&str, Self); 4] = [
        ("bcrypt", Self::Bcrypt),
        ("scrypt", Self::Scrypt),
        ("pbkdf2", Self::Pbkdf2),
        ("django", Self::Django),
    ];
}

/// What a text holds.
#[derive(Clone, Debug)]
pub enum Found {
    /// A hash of another scheme.
    Legacy(Legacy),
    /// One of Argon2 in Django's wrapping: `argon2$argon2id$…`.
    Argon2(Digest),
    /// Django's mark of a user without a password: `!` and anything.
    Unusable,
}

/// A hash of another scheme.
#[derive(Clone, Debug)]
pub enum Legacy {
    /// bcrypt.
    Bcrypt(bcrypt::Bcrypt),
    /// scrypt, RFC 7914.
    Scrypt(scrypt::Scrypt),
    /// PBKDF2, RFC 8018.
    Pbkdf2(pbkdf2::Pbkdf2),
}

impl Found {
    /// Reads a hash of one of the families. `Ok(None)` when it is of none of them;
    /// `ERR_PASSWORD_DIGEST` when it is of one and malformed, or longer than
    /// [`MAX_DIGEST_LEN`].
    pub fn parse(text: &str, families: &[Family]) -> Result<Option<Self>> {
        if text.len() > MAX_DIGEST_LEN {
            return Err(malformed("longer than 4096 bytes"));
        }
        for family in families {
            let found = match family {
                Family::Bcrypt => bcrypt::parse(text)?.map(Legacy::Bcrypt).map(Self::Legacy),
                Family::Scrypt => scrypt::parse(text)?.map(Legacy::Scrypt).map(Self::Legacy),
                Family::Pbkdf2 => pbkdf2::parse(text)?.map(Legacy::Pbkdf2).map(Self::Legacy),
                Family::Django => django::parse(text)?,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

impl Legacy {
    /// `ERR_PASSWORD_LIMIT` for a hash that asks for more than the ceilings allow, before any work.
    pub fn check(&self, limits: &Limits, ceilings: &Ceilings) -> Result<()> {
        match self {
            Self::Bcrypt(hash) => hash.check(ceilings),
            Self::Scrypt(hash) => hash.check(limits, ceilings),
            Self::Pbkdf2(hash) => hash.check(ceilings),
        }
    }

    /// Bytes of memory that it works in; never 0, which would be work that no queue turns away.
    pub fn memory_len(&self) -> u64 {
        match self {
            Self::Bcrypt(_) => bcrypt::MEMORY_LEN,
            Self::Scrypt(hash) => hash.memory_len(),
            Self::Pbkdf2(_) => pbkdf2::MEMORY_LEN,
        }
    }

    /// Whether the password is this hash's; the comparison is in constant time.
    /// `ERR_PASSWORD_MEMORY` when the memory is not to be had.
    pub fn matches(&self, password: &[u8]) -> Result<bool> {
        match self {
            Self::Bcrypt(hash) => Ok(hash.matches(password)),
            Self::Scrypt(hash) => hash.matches(password),
            Self::Pbkdf2(hash) => Ok(hash.matches(password)),
        }
    }
}

#[cfg(test)]
mod tests;
