//! bcrypt: `$2b$12$salt-and-hash`, 60 characters, in the four variants in use.
//!
//! - `2b` and `2y` are correct bcrypt: the key is the password and a NUL, cut at 72 bytes.
//! - `2a` is read in the same way. Two libraries differed in rare cases, which are not imitated:
//!   OpenBSD's before 5.5 for passwords of 255 bytes or more, and `crypt_blowfish` for some
//!   passwords that are not UTF-8 (bytes 0xff).
//! - `2x` is `crypt_blowfish` before 1.1, which extended the sign of bytes above 0x7f over the
//!   bytes before them. A hash made with this error can only be verified with it.
//!
//! bcrypt ignores a password after its 72nd byte, so passwords that share 72 bytes match the same
//! hash. The variants of passlib, Django and `WordPress` avoid that: they hash the password first.
//!
//! `AdonisJS` writes a PHC string, `$bcrypt$v=98$r=10$salt$hash`, in standard Base64. Its version
//! is the letter of the variant, as a number: 97 for `2a`, 98 for `2b`.

use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64ct::{Base64, Base64Bcrypt, Encoding};
use zeroize::Zeroizing;

use super::ceilings::{Ceilings, MAX_BCRYPT_COST, MIN_BCRYPT_COST};
use crate::error::Result;
use crate::password::phc::{bytes, malformed, number};
use crate::secret;

/// Blowfish's state: 18 words and 4 times 256 words, of four bytes each.
pub(super) const MEMORY_LEN: u64 = (18 + 4 * 256) * 4;

/// Bytes of a key that Blowfish's key schedule reads.
const KEY_LEN: usize = 72;
const SALT_LEN: usize = 16;
const SALT_TEXT: usize = 22;
/// bcrypt computes 24 bytes and writes 23.
const TAG_LEN: usize = 23;
const TAG_TEXT: usize = 31;
const ALPHABET: &str = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A parsed bcrypt hash.
#[derive(Clone)]
pub struct Bcrypt {
    cost: u32,
    extends_sign: bool,
    before: Before,
    salt: [u8; SALT_LEN],
    tag: [u8; TAG_LEN],
}

/// The transformation of the password before bcrypt.
#[derive(Clone)]
pub(super) enum Before {
    Nothing,
    /// Django's `bcrypt_sha256`: SHA-256 in hexadecimal.
    Sha256Hex,
    /// passlib's `bcrypt-sha256`, version 1: SHA-256 in Base64.
    Sha256Base64,
    /// Version 2: HMAC-SHA-256 under the salt's text, in Base64.
    HmacBase64(String),
    /// `WordPress` since 6.8: HMAC-SHA-384 of the trimmed password, in Base64.
    WordPress,
}

/// Parses `$2…$`, `$bcrypt-sha256$`, `$bcrypt$` and `$wp$2…$`; `None` for anything else.
pub(super) fn parse(text: &str) -> Result<Option<Bcrypt>> {
    if let Some(rest) = text.strip_prefix("$bcrypt-sha256$") {
        return parse_passlib(rest).map(Some);
    }
    if let Some(rest) = text.strip_prefix("$bcrypt$") {
        return parse_phc(rest).map(Some);
    }
    // A site can have WordPress make Argon2 digests with the same prefix.
    if let Some(rest) = text.strip_prefix("$wp").filter(|rest| rest.starts_with("$2")) {
        return parse_within(rest, Before::WordPress).map(Some);
    }
    let variants = ["$2a$", "$2b$", "$2x$", "$2y$"];
    let Some(variant) = variants.into_iter().find(|variant| text.starts_with(variant)) else {
        return Ok(None);
    };
    parse_crypt(&text[variant.len()..], variant == "$2x$", Before::Nothing).map(Some)
}

/// Parses a bcrypt hash to which another tool has added its own name.
pub(super) fn parse_within(text: &str, before: Before) -> Result<Bcrypt> {
    match parse(text)? {
        Some(hash) if text.starts_with("$2") => Ok(Bcrypt { before, ..hash }),
        _ => Err(malformed("its prefix says bcrypt, but it is not a bcrypt hash")),
    }
}

impl Bcrypt {
    pub(super) fn check(&self, ceilings: &Ceilings) -> Result<()> {
        ceilings.bcrypt(self.cost)
    }

    /// Whether bcrypt would read a shorter password in the same way. Its key is the password and a
    /// NUL byte, repeated, so that `p` and `p\0p` are one key.
    pub(super) fn pads(&self, password: &[u8]) -> bool {
        match self.before {
            Before::Nothing => password.contains(&0),
            // NUL is among the bytes that it trims.
            Before::WordPress => password.starts_with(&[0]) || password.ends_with(&[0]),
            _ => false,
        }
    }

    /// Whether another spelling of the password, which the scheme reads in the same way, is the
    /// one that was hashed.
    pub(super) fn respells(&self, password: &[u8]) -> bool {
        matches!(self.before, Before::WordPress) && trimmed(password).len() != password.len()
    }

    /// Whether the password matches this hash; the comparison takes constant time.
    pub fn matches(&self, password: &[u8]) -> bool {
        let key = match &self.before {
            Before::Nothing => key(password, self.extends_sign),
            Before::Sha256Hex => {
                let mut hex = Zeroizing::new(String::with_capacity(64));
                for byte in digest(&SHA256, password).as_ref() {
                    // Writing to a String cannot fail.
                    let _ = write!(hex, "{byte:02x}");
                }
                key(hex.as_bytes(), false)
            }
            Before::Sha256Base64 => key_of_base64(digest(&SHA256, password).as_ref()),
            Before::HmacBase64(salt) => {
                let salt = hmac::Key::new(hmac::HMAC_SHA256, salt.as_bytes());
                key_of_base64(hmac::sign(&salt, password).as_ref())
            }
            Before::WordPress => {
                let key = hmac::Key::new(hmac::HMAC_SHA384, b"wp-sha384");
                key_of_base64(hmac::sign(&key, trimmed(password)).as_ref())
            }
        };
        let tag = Zeroizing::new(bcrypt::bcrypt(self.cost, self.salt, &*key));
        secret::ct_eq(&tag[..TAG_LEN], &self.tag)
    }
}

/// Leaves out salt and tag, with which passwords can be guessed offline.
impl std::fmt::Debug for Bcrypt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bcrypt").field("cost", &self.cost).finish_non_exhaustive()
    }
}

/// Parses `12$` and 53 characters.
fn parse_crypt(text: &str, extends_sign: bool, before: Before) -> Result<Bcrypt> {
    let (cost, rest) = text.split_once('$').ok_or_else(|| malformed("it has no cost"))?;
    if cost.len() != 2 {
        return Err(malformed("its cost must have two digits"));
    }
    let cost = cost.strip_prefix('0').unwrap_or(cost);
    if rest.len() != SALT_TEXT + TAG_TEXT || !rest.is_ascii() {
        return Err(malformed("it does not have the length of a bcrypt hash"));
    }
    let (salt, tag) = rest.split_at(SALT_TEXT);
    assemble(cost, extends_sign, before, salt, tag)
}

/// Parses passlib's `2b,12$salt$hash` (version 1) and `v=2,t=2b,r=12$salt$hash`.
fn parse_passlib(text: &str) -> Result<Bcrypt> {
    let parts: Vec<&str> = text.split('$').collect();
    let [settings, salt, tag] = parts.as_slice() else {
        return Err(malformed("it must consist of settings, salt and hash"));
    };
    let (cost, before) = if let Some(cost) = settings.strip_prefix("v=2,t=2b,r=") {
        (cost, Before::HmacBase64((*salt).to_owned()))
    } else if let Some(cost) = ["2a,", "2b,"].iter().find_map(|v| settings.strip_prefix(v)) {
        (cost, Before::Sha256Base64)
    } else {
        return Err(malformed("it has settings that passlib does not write"));
    };
    assemble(cost, false, before, salt, tag)
}

/// Parses `AdonisJS`'s `v=98$r=10$salt$hash`.
fn parse_phc(text: &str) -> Result<Bcrypt> {
    let parts: Vec<&str> = text.split('$').collect();
    let ["v=97" | "v=98", cost, salt, tag] = parts.as_slice() else {
        return Err(malformed("it must consist of v=97 or v=98, r, salt and hash"));
    };
    let cost = cost.strip_prefix("r=").ok_or_else(|| malformed("it has no cost"))?;
    let array = || malformed("its salt must have 16 bytes and its hash 23");
    let salt = bytes(salt, SALT_LEN..=SALT_LEN)?.try_into().map_err(|_| array())?;
    let tag = bytes(tag, TAG_LEN..=TAG_LEN)?.try_into().map_err(|_| array())?;
    Ok(Bcrypt { cost: bcrypt_cost(cost)?, extends_sign: false, before: Before::Nothing, salt, tag })
}

fn assemble(
    cost: &str,
    extends_sign: bool,
    before: Before,
    salt: &str,
    tag: &str,
) -> Result<Bcrypt> {
    Ok(Bcrypt {
        cost: bcrypt_cost(cost)?,
        extends_sign,
        before,
        salt: decode::<SALT_LEN>(salt, SALT_TEXT)?,
        tag: decode::<TAG_LEN>(tag, TAG_TEXT)?,
    })
}

fn bcrypt_cost(text: &str) -> Result<u32> {
    let cost = number(text)?;
    if (MIN_BCRYPT_COST..=MAX_BCRYPT_COST).contains(&cost) {
        Ok(cost)
    } else {
        Err(malformed("its cost must be from 4 to 31"))
    }
}

/// Decodes bcrypt's Base64. Ignores the unused bits of the last character, because some libraries
/// set them and bcrypt never checked them.
fn decode<const N: usize>(text: &str, chars: usize) -> Result<[u8; N]> {
    let wrong = || malformed("it has characters that bcrypt does not write");
    if text.len() != chars || !text.is_ascii() {
        return Err(wrong());
    }
    let (text, last) = text.split_at(chars - 1);
    let unused = chars * 6 - N * 8;
    let last = ALPHABET.find(last).ok_or_else(wrong)? >> unused << unused;
    let text = format!("{text}{}", &ALPHABET[last..=last]);
    let mut bytes = [0; N];
    match Base64Bcrypt::decode(&text, &mut bytes) {
        Ok(decoded) if decoded.len() == N => Ok(bytes),
        _ => Err(wrong()),
    }
}

fn key_of_base64(bytes: &[u8]) -> Zeroizing<[u8; KEY_LEN]> {
    key(Zeroizing::new(Base64::encode_string(bytes)).as_bytes(), false)
}

/// The password as PHP's `trim` leaves it.
fn trimmed(password: &[u8]) -> &[u8] {
    let is_kept = |byte: &u8| !b" \t\n\r\0\x0b".contains(byte);
    let start = password.iter().position(is_kept).unwrap_or(password.len());
    let end = password.iter().rposition(is_kept).map_or(start, |last| last + 1);
    &password[start..end]
}

/// The key as the key schedule reads it: the password and a NUL, repeated, in 18 words of four
/// bytes.
fn key(password: &[u8], extends_sign: bool) -> Zeroizing<[u8; KEY_LEN]> {
    let mut key = Zeroizing::new([0; KEY_LEN]);
    let mut bytes = password.iter().chain(&[0]).copied().cycle();
    for word in key.chunks_exact_mut(4) {
        let mut value = 0_u32;
        for byte in bytes.by_ref().take(4) {
            // The sign extension sets every bit of the bytes before.
            let sign = if extends_sign && byte > 0x7f { !0xff } else { 0 };
            value = value << 8 | sign | u32::from(byte);
        }
        word.copy_from_slice(&value.to_be_bytes());
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wordpress_reads_a_password_without_the_space_around_it() {
        let text = "$wp$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
        let hash = parse(text).unwrap().unwrap();
        for (password, respells) in [
            ("pass word", false),
            (" pass word", true),
            ("\t\n\r\x0b\0pass word ", true),
            ("  ", true),
        ] {
            assert_eq!(hash.respells(password.as_bytes()), respells, "{password:?}");
        }
        // A site may have WordPress make Argon2 digests.
        let argon2 = "$wp$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA";
        assert!(parse(argon2).unwrap().is_none());
    }
}
