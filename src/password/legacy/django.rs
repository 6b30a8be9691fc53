//! The hashes of Django's `django.contrib.auth.hashers`: `algorithm$…`, without a leading `$`, with
//! salts as text and hashes in padded Base64.

use super::bcrypt::{self, Before};
use super::fields::{base64_tag, salt_text};
use super::hash::{LegacyHash, ParsedLegacy};
use super::pbkdf2::{Hash, Pbkdf2};
use super::scrypt::Scrypt;
use crate::error::Result;
use crate::password::phc::{malformed, number};

/// Parses a text that begins with the name of one of Django's algorithms or marks a user without a
/// password; `None` for anything else.
pub(super) fn parse(text: &str) -> Result<Option<ParsedLegacy>> {
    if text.starts_with('!') {
        return Ok(Some(ParsedLegacy::Unusable));
    }
    let Some((algorithm, rest)) = text.split_once('$') else { return Ok(None) };
    let legacy = match algorithm {
        "pbkdf2_sha256" => LegacyHash::Pbkdf2(pbkdf2(Hash::Sha256, rest)?),
        "pbkdf2_sha1" => LegacyHash::Pbkdf2(pbkdf2(Hash::Sha1, rest)?),
        "scrypt" => LegacyHash::Scrypt(scrypt(rest)?),
        "bcrypt" => LegacyHash::Bcrypt(bcrypt::parse_within(rest, Before::Nothing)?),
        "bcrypt_sha256" => LegacyHash::Bcrypt(bcrypt::parse_within(rest, Before::Sha256Hex)?),
        // `argon2$argon2id$v=19$…`: a PHC string follows the name.
        "argon2" => return ParsedLegacy::argon2(&text[algorithm.len()..]).map(Some),
        _ => return Ok(None),
    };
    Ok(Some(ParsedLegacy::Legacy(legacy)))
}

/// `iterations$salt$hash`
fn pbkdf2(hash: Hash, text: &str) -> Result<Pbkdf2> {
    let parts: Vec<&str> = text.split('$').collect();
    let [iterations, salt, tag] = parts.as_slice() else {
        return Err(malformed("it must consist of iterations, salt and hash"));
    };
    Pbkdf2::new(hash, number(iterations)?, salt_text(salt)?, base64_tag(tag)?)
}

/// `N$salt$r$p$hash`
fn scrypt(text: &str) -> Result<Scrypt> {
    let parts: Vec<&str> = text.split('$').collect();
    let [n, salt, r, p, tag] = parts.as_slice() else {
        return Err(malformed("it must consist of N, salt, r, p and hash"));
    };
    Scrypt::of_n(number(n)?, number(r)?, number(p)?, salt_text(salt)?, base64_tag(tag)?)
}
