//! PBKDF2 (RFC 8018) in the forms of two writers: PHC strings, `$pbkdf2-sha256$i=600000$salt$hash`
//! with standard Base64, padded or not, and passlib's `$pbkdf2-sha256$600000$salt$hash` with `.`
//! for `+`.
//! `$pbkdf2$` means SHA-1.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA1, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA512};

use super::ceilings::Ceilings;
use super::fields::{SALT_LEN, TAG_LEN, maybe_padded};
use crate::error::Result;
use crate::password::phc::{bytes, malformed, number};

/// An upper bound for the HMAC states and blocks.
pub(super) const MEMORY_LEN: u64 = 1024;

/// The hash function within HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
    Sha512,
}

impl Hash {
    /// The hash function that Python's `hashlib` calls by this name.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name {
            "sha1" => Some(Self::Sha1),
            "sha256" => Some(Self::Sha256),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    /// Bytes of its output.
    pub(super) const fn len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// A parsed PBKDF2 hash.
#[derive(Clone)]
pub struct Pbkdf2 {
    hash: Hash,
    iterations: NonZeroU32,
    salt: Vec<u8>,
    tag: Vec<u8>,
}

/// Parses `$pbkdf2…$`; `None` for anything else.
pub(super) fn parse(text: &str) -> Result<Option<Pbkdf2>> {
    let Some((hash, rest)) = [
        ("$pbkdf2$", Hash::Sha1),
        ("$pbkdf2-sha1$", Hash::Sha1),
        ("$pbkdf2-sha256$", Hash::Sha256),
        ("$pbkdf2-sha512$", Hash::Sha512),
    ]
    .iter()
    .find_map(|(prefix, hash)| Some((*hash, text.strip_prefix(prefix)?))) else {
        return Ok(None);
    };
    let parts: Vec<&str> = rest.split('$').collect();
    let [settings, salt, tag] = parts.as_slice() else {
        return Err(malformed("it must consist of parameters, salt and hash"));
    };
    let hash = if let Some(settings) = settings.strip_prefix("i=") {
        let (iterations, length) = match settings.split_once(",l=") {
            Some((iterations, length)) => (iterations, Some(number(length)?)),
            None => (settings, None),
        };
        let (salt, tag) = (maybe_padded(salt, SALT_LEN)?, maybe_padded(tag, TAG_LEN)?);
        let hash = Pbkdf2::new(hash, number(iterations)?, salt, tag)?;
        if length.is_some_and(|length| length as usize != hash.tag.len()) {
            return Err(malformed("its hash does not have the length that it states"));
        }
        hash
    } else {
        if [salt, tag].iter().any(|text| text.contains('+')) {
            return Err(malformed("it has Base64 that passlib does not write"));
        }
        let [salt, tag] = [salt, tag].map(|text| text.replace('.', "+"));
        Pbkdf2::new(hash, number(settings)?, bytes(&salt, SALT_LEN)?, bytes(&tag, TAG_LEN)?)?
    };
    Ok(Some(hash))
}

impl Pbkdf2 {
    pub(super) fn new(hash: Hash, iterations: u32, salt: Vec<u8>, tag: Vec<u8>) -> Result<Self> {
        let iterations =
            NonZeroU32::new(iterations).ok_or_else(|| malformed("it has no iterations"))?;
        Ok(Self { hash, iterations, salt, tag })
    }

    /// Each block of output costs all iterations again.
    pub(super) fn check(&self, ceilings: &Ceilings) -> Result<()> {
        let blocks = self.tag.len().div_ceil(self.hash.len()) as u64;
        ceilings.pbkdf2(blocks * u64::from(self.iterations.get()))
    }

    /// Whether the password matches this hash; the comparison takes constant time.
    pub fn matches(&self, password: &[u8]) -> bool {
        let algorithm = match self.hash {
            Hash::Sha1 => PBKDF2_HMAC_SHA1,
            Hash::Sha256 => PBKDF2_HMAC_SHA256,
            Hash::Sha512 => PBKDF2_HMAC_SHA512,
        };
        pbkdf2::verify(algorithm, self.iterations, &self.salt, password, &self.tag).is_ok()
    }
}

/// Leaves out salt and tag, with which passwords can be guessed offline.
impl std::fmt::Debug for Pbkdf2 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let iterations = self.iterations;
        write!(f, "Pbkdf2 {{ hash: {:?}, iterations: {iterations}, .. }}", self.hash)
    }
}
