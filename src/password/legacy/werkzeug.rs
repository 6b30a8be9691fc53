//! The hashes of Werkzeug's `generate_password_hash`, which Flask services store: the method with
//! its costs, the salt as text and the hash in hexadecimal.

use super::fields::{TAG_LEN, hex, salt_text};
use super::hash::LegacyHash;
use super::pbkdf2::{Hash, Pbkdf2};
use super::scrypt::Scrypt;
use crate::error::Result;
use crate::password::phc::{malformed, number};

/// Parses `scrypt:N:r:p$salt$hash` and `pbkdf2:function:iterations$salt$hash`; `None` for anything
/// else.
pub(super) fn parse(text: &str) -> Result<Option<LegacyHash>> {
    if !["scrypt:", "pbkdf2:"].iter().any(|method| text.starts_with(method)) {
        return Ok(None);
    }
    let parts: Vec<&str> = text.split('$').collect();
    let [method, salt, tag] = parts.as_slice() else {
        return Err(malformed("it must consist of method, salt and hash"));
    };
    let (salt, tag) = (salt_text(salt)?, hex(tag, TAG_LEN)?);
    let parts: Vec<&str> = method.split(':').collect();
    let hash = match parts.as_slice() {
        ["scrypt", n, r, p] => {
            let hash = Scrypt::of_n(number(n)?, number(r)?, number(p)?, salt, tag)?;
            LegacyHash::Scrypt(hash)
        }
        ["pbkdf2", function, iterations] => {
            let function = Hash::from_name(function)
                .ok_or_else(|| malformed("it names a hash function other than SHA-1 and SHA-2"))?;
            LegacyHash::Pbkdf2(Pbkdf2::new(function, number(iterations)?, salt, tag)?)
        }
        _ => return Err(malformed("its method has costs that Werkzeug does not write")),
    };
    Ok(Some(hash))
}
