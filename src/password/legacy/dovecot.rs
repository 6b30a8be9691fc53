//! The hashes of Dovecot: the name of a scheme in braces, then the hash as others write it.

use super::bcrypt;
use super::fields::{TAG_LEN, hex, salt_text};
use super::hash::{LegacyHash, ParsedLegacy};
use super::pbkdf2::{Hash, Pbkdf2};
use super::scheme::LegacyScheme;
use crate::error::Result;
use crate::password::phc::{malformed, number};

/// Parses `{ARGON2ID}…`, `{ARGON2I}…`, `{BLF-CRYPT}…`, `{CRYPT}…` and `{PBKDF2}…`, if the scheme
/// within is enabled; Argon2 always is. `None` for anything else.
pub(super) fn parse(text: &str, schemes: &[LegacyScheme]) -> Result<Option<ParsedLegacy>> {
    let Some((name, rest)) = text.strip_prefix('{').and_then(|text| text.split_once('}')) else {
        return Ok(None);
    };
    let legacy = match name {
        "ARGON2ID" | "ARGON2I" => return ParsedLegacy::argon2(rest).map(Some),
        "BLF-CRYPT" | "CRYPT" if schemes.contains(&LegacyScheme::Bcrypt) => {
            bcrypt::parse(rest)?.map(LegacyHash::Bcrypt)
        }
        // OpenLDAP and Elasticsearch write the same name before other texts.
        "PBKDF2" if schemes.contains(&LegacyScheme::Pbkdf2) && rest.starts_with("$1$") => {
            Some(LegacyHash::Pbkdf2(pbkdf2(rest)?))
        }
        _ => None,
    };
    Ok(legacy.map(ParsedLegacy::Legacy))
}

/// `$1$salt$iterations$hash`, with SHA-1, the salt as text and the hash in hexadecimal.
fn pbkdf2(text: &str) -> Result<Pbkdf2> {
    let parts: Vec<&str> = text.split('$').collect();
    let ["", "1", salt, iterations, tag] = parts.as_slice() else {
        return Err(malformed("it must consist of salt, iterations and hash"));
    };
    Pbkdf2::new(Hash::Sha1, number(iterations)?, salt_text(salt)?, hex(tag, TAG_LEN)?)
}
