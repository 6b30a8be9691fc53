//! The hashes of ASP.NET Identity's `PasswordHasher`: padded Base64 of a format number, the costs,
//! salt and subkey of PBKDF2.
//!
//! - Version 2: `0 ‖ salt (16) ‖ subkey (32)`, SHA-1 and 1,000 iterations.
//! - Version 3: `1 ‖ function (4) ‖ iterations (4) ‖ length of the salt (4) ‖ salt ‖ subkey`, with
//!   numbers in big-endian order. A hash of this version begins with `AQAAAA`.

use base64ct::{Base64, Encoding};

use super::fields::{SALT_LEN, TAG_LEN};
use super::pbkdf2::{Hash, Pbkdf2};
use crate::error::Result;
use crate::password::phc::malformed;

const V2_LEN: usize = 1 + V2_SALT + V2_SUBKEY;
const V2_SALT: usize = 16;
const V2_SUBKEY: usize = 32;
const V2_ITERATIONS: u32 = 1000;

/// Parses a hash of version 2 or 3; `None` for anything else.
pub(super) fn parse(text: &str) -> Result<Option<Pbkdf2>> {
    let claims_v3 = text.starts_with("AQAAAA");
    let Ok(bytes) = Base64::decode_vec(text) else {
        return if claims_v3 {
            Err(malformed("it has Base64 that is not canonical"))
        } else {
            Ok(None)
        };
    };
    match bytes.split_first() {
        Some((0, rest)) if bytes.len() == V2_LEN => {
            let (salt, subkey) = rest.split_at(V2_SALT);
            Pbkdf2::new(Hash::Sha1, V2_ITERATIONS, salt.into(), subkey.into()).map(Some)
        }
        Some((1, rest)) if claims_v3 => version3(rest).map(Some),
        _ => Ok(None),
    }
}

fn version3(rest: &[u8]) -> Result<Pbkdf2> {
    let cut_off = || malformed("it ends before its salt or its hash");
    let (head, rest) = rest.split_first_chunk::<12>().ok_or_else(cut_off)?;
    let [function, iterations, salt_len] = [0, 4, 8].map(|at| {
        let [a, b, c, d] = [head[at], head[at + 1], head[at + 2], head[at + 3]];
        u32::from_be_bytes([a, b, c, d])
    });
    let function = match function {
        0 => Hash::Sha1,
        1 => Hash::Sha256,
        2 => Hash::Sha512,
        _ => return Err(malformed("it names a hash function that ASP.NET does not have")),
    };
    let (salt, subkey) = usize::try_from(salt_len)
        .ok()
        .and_then(|salt_len| rest.split_at_checked(salt_len))
        .filter(|(salt, subkey)| SALT_LEN.contains(&salt.len()) && TAG_LEN.contains(&subkey.len()))
        .ok_or_else(cut_off)?;
    Pbkdf2::new(function, iterations, salt.into(), subkey.into())
}
