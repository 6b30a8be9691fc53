//! The purpose that a JWK states: `use`, `key_ops` and `alg` (RFC 7517 section 4).

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::error::invalid;
use crate::error::Result;
use crate::jwt::algorithm::Algorithm;
use crate::jwt::token::compact::MAX_KID_LEN;
use crate::jwt::token::json::scan_object;

/// The longest JWK that is read, in bytes of JSON.
const MAX_JWK_LEN: usize = 64 * 1024;

/// The purpose that a key is imported for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A private key signs.
    Sign,
    /// A public key verifies.
    Verify,
    /// A symmetric key does both.
    Both,
}

/// The algorithm and the `kid` for which a JWK is imported: those of the arguments, or the JWK's
/// own; `None` if neither names an algorithm. `ERR_JWT_KEY` if the JWK does not allow this
/// algorithm and purpose.
pub fn names_of(
    json: &str,
    purpose: Purpose,
    algorithm: Option<Algorithm>,
    kid: Option<String>,
) -> Result<Option<(Algorithm, Option<String>)>> {
    let members = members_of(json)?;
    let own = |name| members.get(name).map(|value| value.as_str().unwrap_or_default());
    let algorithm = match (algorithm, own("alg")) {
        (Some(algorithm), _) => algorithm,
        (None, Some(own)) => Algorithm::named(own).ok_or_else(|| {
            invalid("the JWK's \"alg\" must be a signature algorithm of RFC 7518 or RFC 8037")
        })?,
        (None, None) => return Ok(None),
    };
    if purpose == Purpose::Both && !algorithm.is_symmetric() {
        return Err(invalid("an \"oct\" JWK is a secret: it can only make HMAC keys"));
    }
    check(&members, algorithm, purpose)?;
    Ok(Some((algorithm, kid.or_else(|| own("kid").map(ToOwned::to_owned)))))
}

/// Checks `use` (RFC 7517 section 4.2), `key_ops` (4.3), `alg` (4.4) and `kid` (4.5), each where it
/// is given.
pub(super) fn check(
    members: &Map<String, Value>,
    algorithm: Algorithm,
    purpose: Purpose,
) -> Result<()> {
    let text = |name| members.get(name).map(|value| value.as_str().unwrap_or_default());
    if text("alg").is_some_and(|alg| Algorithm::named(alg).is_none_or(|a| !a.signs_as(algorithm))) {
        return Err(invalid("the JWK is for another algorithm"));
    }
    if text("use").is_some_and(|purpose| purpose != "sig") {
        return Err(invalid("the JWK's \"use\" must be \"sig\""));
    }
    if text("kid").is_some_and(|kid| !(1..=MAX_KID_LEN).contains(&kid.len())) {
        return Err(invalid("the JWK's \"kid\" must be a string of 1 to 256 bytes"));
    }
    let Some(operations) = members.get("key_ops") else { return Ok(()) };
    let operations = operations.as_array().map(Vec::as_slice).unwrap_or_default();
    let wanted: &[&str] = match purpose {
        Purpose::Sign => &["sign"],
        Purpose::Verify => &["verify"],
        Purpose::Both => &["sign", "verify"],
    };
    // Other operations may stand beside them: key vaults list all that the key can do.
    let mut names = HashSet::new();
    let is_distinct =
        operations.iter().all(|own| own.as_str().is_some_and(|own| names.insert(own)));
    if !is_distinct {
        return Err(invalid("the JWK's \"key_ops\" must be an array of distinct strings"));
    }
    if !wanted.iter().all(|name| operations.iter().any(|own| own == name)) {
        return Err(invalid(format!("the JWK's \"key_ops\" must have {}", wanted.join(" and "))));
    }
    Ok(())
}

/// Reads the members of a JWK that say something. Duplicate members are refused.
pub(super) fn members_of(json: &str) -> Result<Map<String, Value>> {
    if json.len() > MAX_JWK_LEN {
        return Err(invalid("a JWK must be at most 64 KiB long"));
    }
    let read = scan_object(json, |_, _| {}).and_then(|()| serde_json::from_str(json).ok());
    read.map(present).ok_or_else(|| {
        invalid("this is not a JWK: a JWK is an object of Unicode text without duplicate members")
    })
}

/// Drops the members that are `null` or an empty text. Some publishers write every member they
/// know, and Go's libraries take an empty text as missing.
pub(in crate::jwt) fn present(mut members: Map<String, Value>) -> Map<String, Value> {
    members.retain(|_, value| !value.is_null() && value != "");
    members
}
