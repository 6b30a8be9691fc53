//! Argon2 digests as PHC strings (C2SP `phc-strings.md`):
//! `$argon2id$v=19$m=65536,t=3,p=4[,keyid=…][,data=…]$salt$hash`.
//!
//! Reading is strict, so that one digest cannot be read in two ways. It accepts the parameters in
//! any order, because other libraries write them so. Writing uses the one canonical order.

use std::fmt;
use std::ops::RangeInclusive;

use aws_lc_rs::constant_time;
use base64ct::{Base64Unpadded, Encoding};

use super::foreign::is_foreign;
use super::params::{Algorithm, Params, Version};
use crate::error::{Code, Error, Result};

/// The longest digest that is read, in bytes.
pub const MAX_DIGEST_LEN: usize = 4096;

/// The shortest tag Argon2 knows, in bytes.
pub const MIN_HASH_LEN: usize = 4;

/// The shortest salt Argon2 knows, in bytes.
pub const MIN_SALT_LEN: usize = 8;

/// The longest salt, tag and associated data, in bytes each.
pub const MAX_FIELD_LEN: usize = 1024;

/// The most bytes that salt, tag and associated data have together in a digest. With any costs, the
/// text is then within [`MAX_DIGEST_LEN`].
pub const MAX_FIELDS_LEN: usize = 3000;

/// The longest pepper id (`keyid`), in bytes.
pub const MAX_KEYID_LEN: usize = 8;

/// A digest that has been read or made: well-formed and within the limits of Argon2.
#[derive(Clone, PartialEq, Eq)]
pub struct Digest {
    params: Params,
    keyid: Vec<u8>,
    data: Vec<u8>,
    salt: Vec<u8>,
    hash: Vec<u8>,
    has_fractions: bool,
}

impl Digest {
    /// Reads a digest. Returns `Ok(None)` for the hash of another scheme, for example bcrypt's
    /// `$2b$…`. Fails with `ERR_PASSWORD_DIGEST` for text that no scheme writes, and for a
    /// malformed Argon2 digest. A digest without `v=` has version 0x10, as the first libraries
    /// wrote it. NUL bytes at the end are left out, with which libsodium fills its buffer. The
    /// costs are the whole parts of the numbers, as npm `argon2` computes with them.
    pub fn parse(text: &str) -> Result<Option<Self>> {
        if text.len() > MAX_DIGEST_LEN {
            return Err(too_long());
        }
        let text = without_padding(text);
        let Some((scheme, rest)) = text
            .strip_prefix('$')
            .and_then(|text| text.split_once('$'))
            .filter(|(scheme, rest)| is_scheme(scheme) && is_printable(rest))
        else {
            return if is_foreign(text) {
                Ok(None)
            } else {
                Err(malformed("it is no hash of a known form; the digest is the first argument"))
            };
        };
        let Some(algorithm) = Algorithm::from_name(scheme) else { return Ok(None) };

        let parts: Vec<&str> = rest.split('$').collect();
        let (version, parts) = match parts.as_slice() {
            [first, parts @ ..] if first.starts_with("v=") => (version(&first[2..])?, parts),
            parts => (Version::V0x10, parts),
        };
        let [costs, salt, hash] = parts else {
            return Err(malformed("it must consist of parameters, salt and hash"));
        };
        let fields = Fields::parse(costs)?;
        Ok(Some(Self {
            params: fields.params(algorithm, version)?,
            keyid: fields.keyid.unwrap_or_default(),
            data: fields.data.unwrap_or_default(),
            salt: bytes(salt, MIN_SALT_LEN..=MAX_FIELD_LEN)?,
            hash: bytes(hash, MIN_HASH_LEN..=MAX_FIELD_LEN)?,
            has_fractions: fields.has_fractions,
        }))
    }

    /// A digest of a new tag; the caller has checked the lengths.
    pub(super) const fn new(params: Params, data: Vec<u8>, salt: Vec<u8>, hash: Vec<u8>) -> Self {
        Self { params, keyid: Vec::new(), data, salt, hash, has_fractions: false }
    }

    /// The same digest with the id of its pepper: 1 to 8 bytes, or empty for none.
    pub(super) fn with_keyid(self, keyid: Vec<u8>) -> Self {
        Self { keyid, ..self }
    }

    /// Variant, version and costs.
    pub const fn params(&self) -> &Params {
        &self.params
    }

    /// The id of the pepper: 1 to 8 bytes, empty if the digest names none.
    pub fn keyid(&self) -> &[u8] {
        &self.keyid
    }

    /// Associated data: up to 1024 bytes, empty if there is none.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The salt, 8 to 1024 bytes.
    pub fn salt(&self) -> &[u8] {
        &self.salt
    }

    /// The tag, 4 to 1024 bytes. Compare it with [`Digest::matches`] only.
    pub fn hash(&self) -> &[u8] {
        &self.hash
    }

    /// Whether the text had costs with fractions, so that it is another one than this digest's.
    pub const fn has_fractions(&self) -> bool {
        self.has_fractions
    }

    /// Whether a tag equals this digest's, in a time that does not depend on the position of a
    /// difference.
    pub fn matches(&self, tag: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(&self.hash, tag).is_ok()
    }
}

/// The canonical PHC string.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let params = &self.params;
        write!(f, "${}$v={}", params.algorithm().name(), params.version().number())?;
        let (m, t, p) = (params.memory_cost(), params.time_cost(), params.parallelism());
        write!(f, "$m={m},t={t},p={p}")?;
        for (name, value) in [("keyid", &self.keyid), ("data", &self.data)] {
            if !value.is_empty() {
                write!(f, ",{name}={}", Base64Unpadded::encode_string(value))?;
            }
        }
        let encode = Base64Unpadded::encode_string;
        write!(f, "${}${}", encode(&self.salt), encode(&self.hash))
    }
}

/// Leaves out salt and tag, with which passwords can be guessed offline.
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digest").field("params", &self.params).finish_non_exhaustive()
    }
}

/// The parameter list; each parameter occurs at most once.
#[derive(Default)]
struct Fields {
    memory_cost: Option<u32>,
    time_cost: Option<u32>,
    parallelism: Option<u32>,
    keyid: Option<Vec<u8>>,
    data: Option<Vec<u8>>,
    has_fractions: bool,
}

impl Fields {
    fn parse(list: &str) -> Result<Self> {
        let mut fields = Self::default();
        let fractions = &mut fields.has_fractions;
        for field in list.split(',') {
            match field.split_once('=') {
                Some(("m", value)) => set(&mut fields.memory_cost, cost(value, fractions)?)?,
                Some(("t", value)) => set(&mut fields.time_cost, cost(value, fractions)?)?,
                Some(("p", value)) => set(&mut fields.parallelism, cost(value, fractions)?)?,
                Some(("keyid", value)) => set(&mut fields.keyid, bytes(value, 1..=MAX_KEYID_LEN)?)?,
                Some(("data", value)) => set(&mut fields.data, bytes(value, 1..=MAX_FIELD_LEN)?)?,
                _ => return Err(malformed("it has a parameter that Argon2 does not have")),
            }
        }
        Ok(fields)
    }

    fn params(&self, algorithm: Algorithm, version: Version) -> Result<Params> {
        let (Some(m), Some(t), Some(p)) = (self.memory_cost, self.time_cost, self.parallelism)
        else {
            return Err(malformed("it must have the parameters m, t and p"));
        };
        Params::new(algorithm, version, m, t, p)
            .map_err(|_| malformed("it has costs that Argon2 does not allow"))
    }
}

/// The whole part of a cost. npm `argon2` writes the fractions that its caller passed, as
/// JavaScript writes numbers: from 1 on with at most 16 digits, and without zeros at the end.
fn cost(text: &str, has_fractions: &mut bool) -> Result<u32> {
    let Some((whole, fraction)) = text.split_once('.') else { return number(text) };
    let is_digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits || !(1..=16).contains(&fraction.len()) || fraction.ends_with('0') {
        return Err(malformed("it has a number that is not from 1 to 4294967295"));
    }
    *has_fractions = true;
    number(whole)
}

fn set<T>(field: &mut Option<T>, value: T) -> Result<()> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(malformed("it has a parameter twice")),
    }
}

/// The text without NUL bytes at the end.
pub(super) fn without_padding(text: &str) -> &str {
    text.trim_end_matches('\0')
}

/// The identifier of a PHC string or of its ancestor, the modular crypt format (`$2b$`, `$P$`).
fn is_scheme(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_,=.".contains(&byte))
}

fn is_printable(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn version(text: &str) -> Result<Version> {
    Version::from_number(number(text)?).ok_or_else(|| malformed("its version must be 16 or 19"))
}

/// Reads a canonical decimal number from 1 to 2^32 − 1: digits only, no leading zero.
pub(super) fn number(text: &str) -> Result<u32> {
    let is_canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse()
        .ok()
        .filter(|_| is_canonical)
        .ok_or_else(|| malformed("it has a number that is not from 1 to 4294967295"))
}

/// Reads canonical Base64: no padding, unused bits zero.
pub(super) fn bytes(text: &str, lengths: RangeInclusive<usize>) -> Result<Vec<u8>> {
    let bytes = Base64Unpadded::decode_vec(text)
        .map_err(|_| malformed("it has Base64 that is not canonical"))?;
    let (len, shortest, longest) = (bytes.len(), lengths.start(), lengths.end());
    if len > *longest {
        let what = format!("it has a field of {len} bytes, and {longest} are the most");
        return Err(unsupported(&what));
    }
    if len < *shortest {
        return Err(malformed("it has a salt, hash or other field that is too short"));
    }
    Ok(bytes)
}

/// The digest is longer than [`MAX_DIGEST_LEN`].
pub(super) fn too_long() -> Error {
    unsupported("it is longer than 4096 bytes")
}

fn unsupported(what: &str) -> Error {
    let message = format!(
        "the digest is beyond the limits of this package: {what}; pass it exactly as it was made, \
         and if it is, have its user set a new password"
    );
    Error::new(Code::PasswordDigest, message)
}

pub(super) fn malformed(what: &str) -> Error {
    let message = format!("the digest is malformed: {what}; pass it exactly as it was made");
    Error::new(Code::PasswordDigest, message)
}

#[cfg(test)]
mod tests;
