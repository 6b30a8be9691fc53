//! The hashes of Spring Security's `DelegatingPasswordEncoder`: the id of an encoder in braces,
//! then the encoder's own text. An id may name the version whose defaults the encoder had.

use base64ct::{Base64, Encoding};

use super::bcrypt::{self, Before};
use super::fields::{SALT_LEN, base64_tag, hex};
use super::hash::{LegacyHash, ParsedLegacy};
use super::pbkdf2::{Hash, Pbkdf2};
use super::scrypt::Scrypt;
use crate::error::Result;
use crate::password::phc::malformed;

/// Bytes of a hash by PBKDF2.
const PBKDF2_TAG: usize = 32;

/// Parses `{bcrypt}…`, `{argon2}…`, `{scrypt}…` and `{pbkdf2}…`; `None` for anything else.
pub(super) fn parse(text: &str) -> Result<Option<ParsedLegacy>> {
    let Some((id, rest)) = text.strip_prefix('{').and_then(|text| text.split_once('}')) else {
        return Ok(None);
    };
    let legacy = match id {
        "bcrypt" => LegacyHash::Bcrypt(bcrypt::parse_within(rest, Before::Nothing)?),
        "argon2" | "argon2@SpringSecurity_v5_8" => return ParsedLegacy::argon2(rest).map(Some),
        "scrypt" | "scrypt@SpringSecurity_v5_8" => LegacyHash::Scrypt(scrypt(rest)?),
        // The text has no costs: they are those of the encoder's version.
        "pbkdf2" => LegacyHash::Pbkdf2(pbkdf2(rest, Hash::Sha1, 185_000, 8)?),
        "pbkdf2@SpringSecurity_v5_8" => {
            LegacyHash::Pbkdf2(pbkdf2(rest, Hash::Sha256, 310_000, 16)?)
        }
        _ => return Ok(None),
    };
    Ok(Some(ParsedLegacy::Legacy(legacy)))
}

/// `$costs$salt$hash`: log₂ N, r and p are 16, 8 and 8 bits of one hexadecimal number.
fn scrypt(text: &str) -> Result<Scrypt> {
    let parts: Vec<&str> = text.split('$').collect();
    let ["", costs, salt, tag] = parts.as_slice() else {
        return Err(malformed("it must consist of parameters, salt and hash"));
    };
    let costs = u32::from_str_radix(costs, 16)
        .ok()
        .filter(|number| format!("{number:x}") == *costs)
        .ok_or_else(|| malformed("it has costs that Spring does not write"))?;
    let salt = Base64::decode_vec(salt).ok().filter(|salt| SALT_LEN.contains(&salt.len()));
    let salt = salt.ok_or_else(|| malformed("its salt is too long, or not canonical Base64"))?;
    let [r, p] = [costs >> 8 & 0xff, costs & 0xff];
    if r == 0 || p == 0 {
        return Err(malformed("it has costs that scrypt does not allow"));
    }
    Scrypt::new(costs >> 16, r, p, salt, base64_tag(tag)?)
}

/// Salt and hash in hexadecimal, as one text.
fn pbkdf2(text: &str, hash: Hash, iterations: u32, salt_len: usize) -> Result<Pbkdf2> {
    let len = salt_len + PBKDF2_TAG;
    let bytes = hex(text, len..=len)?;
    let (salt, tag) = bytes.split_at(salt_len);
    Pbkdf2::new(hash, iterations, salt.into(), tag.into())
}
