//! The hashes of Better Auth: `salt:hash`, both in hexadecimal, by scrypt with fixed costs. The
//! salt's text is the salt, and the password is normalized (NFKC).

use super::fields::hex;
use super::scrypt::Scrypt;
use crate::error::Result;

const SALT_LEN: usize = 16;
const TAG_LEN: usize = 64;
/// N, r and p of RFC 7914.
const COSTS: (u32, u32, u32) = (16384, 16, 1);

/// Parses `salt:hash`; `None` for anything else.
pub(super) fn parse(text: &str) -> Result<Option<Scrypt>> {
    let Some((salt, tag)) = text.split_once(':') else { return Ok(None) };
    // Another scheme may write two numbers, too.
    let (Ok(_), Ok(tag)) = (hex(salt, SALT_LEN..=SALT_LEN), hex(tag, TAG_LEN..=TAG_LEN)) else {
        return Ok(None);
    };
    let (n, r, p) = COSTS;
    Scrypt::of_n(n, r, p, salt.into(), tag).map(Scrypt::normalizing).map(Some)
}
