//! The hashes of Werkzeug's `generate_password_hash`, which Flask services store: the method with
//! its costs, the salt as text and the hash in hexadecimal.

use super::fields::{TAG_LEN, hex, salt_text};
use super::hash::LegacyHash;
use super::pbkdf2::{Hash, Pbkdf2};
use super::salted::Salted;
use super::scrypt::Scrypt;
use crate::error::{Error, Result};
use crate::password::phc::{malformed, number};

/// Parses `scrypt:N:r:p$salt$hash`, `pbkdf2:function:iterations$salt$hash` and, from before version
/// 3, `function$salt$hash`; `None` for anything else, also for hash functions that are not read.
pub(super) fn parse(text: &str) -> Result<Option<LegacyHash>> {
    let (method, rest) = text.split_once('$').unwrap_or((text, ""));
    let costs: Vec<&str> = method.split(':').collect();
    let hash = match costs.as_slice() {
        // Django's `sha1$` has the same form, and any other tool's is none of ours.
        [function] => Hash::from_name(function).and_then(|hash| salted(hash, rest)),
        ["scrypt", costs @ ..] => {
            let [n, r, p] = costs else { return Err(wrong_costs()) };
            let (salt, tag) = salt_and_tag(rest)?;
            let hash = Scrypt::of_n(number(n)?, number(r)?, number(p)?, salt, tag)?;
            Some(LegacyHash::Scrypt(hash))
        }
        ["pbkdf2", function, costs @ ..] => {
            // Werkzeug takes any function of `hashlib`.
            let Some(function) = Hash::from_name(function) else { return Ok(None) };
            let [iterations] = costs else { return Err(wrong_costs()) };
            let (salt, tag) = salt_and_tag(rest)?;
            Some(LegacyHash::Pbkdf2(Pbkdf2::new(function, number(iterations)?, salt, tag)?))
        }
        _ => None,
    };
    Ok(hash)
}

fn salt_and_tag(text: &str) -> Result<(Vec<u8>, Vec<u8>)> {
    match text.split_once('$') {
        Some((salt, tag)) => Ok((salt_text(salt)?, hex(tag, TAG_LEN)?)),
        None => Err(malformed("it must consist of method, salt and hash")),
    }
}

fn salted(hash: Hash, text: &str) -> Option<LegacyHash> {
    let (salt, tag) = salt_and_tag(text).ok()?;
    // Without a salt it was no HMAC.
    let hash = Salted::new(hash, salt, tag).filter(|_| !text.starts_with('$'));
    hash.map(LegacyHash::Salted)
}

fn wrong_costs() -> Error {
    malformed("its method has costs that Werkzeug does not write")
}
