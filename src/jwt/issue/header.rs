//! Composes the header of a token: the parameters that the signer sets, then the caller's members.

use std::borrow::Cow;

use super::payload::json_string;
use crate::error::{Code, Error, Result};
use crate::jwt::key::key::Key;
use crate::jwt::key_set::import::PRIVATE;
use crate::jwt::token::base64url;
use crate::jwt::token::compact::MAX_KID_LEN;
use crate::jwt::token::json::{Raw, Value, scan_object};

/// The members that no caller sets, and the reason.
const NEVER: [(&str, &str); 5] = [
    ("alg", "the key sets it"),
    ("b64", "the payload is always encoded"),
    ("crit", "no extension is supported, so a verifier would refuse the token"),
    ("enc", "the payload is not encrypted"),
    ("zip", "the payload is not compressed"),
];

/// The member that the caller of `signJws` sets only if the header does not name the key.
const NOT_BESIDE_KID: [(&str, &str); 1] =
    [("kid", "the key sets it; set the option kid to false, or give the key this kid")];

/// The members that the caller of an issuer does not set either, and the reason.
const NOT_IN_JWTS: [(&str, &str); 6] = [
    ("jku", NOT_READ),
    ("jwk", NOT_READ),
    ("kid", "the key sets it; give the key this kid"),
    ("typ", "it is an option of the issuer"),
    ("x5c", NOT_READ),
    ("x5u", NOT_READ),
];
const NOT_READ: &str = "a JWT does not say where its key is; use signJws if a protocol demands it";

/// Encodes the header of a JWS, and appends the dot. `members` is a JSON object as text. It may
/// have a `kid` if the header does not name the key.
pub(super) fn jws_header(key: &Key, names_key: bool, members: &str) -> Result<Vec<u8>> {
    check(members, if names_key { &NOT_BESIDE_KID } else { &[] })?;
    let kid = names_key.then(|| kid(key));
    Ok(encode([alg(key)].into_iter().chain(kid).collect(), members))
}

/// Encodes the header of a JWT, and appends the dot. `members` is a JSON object as text.
pub(super) fn jwt_header(key: &Key, typ: &str, members: &str) -> Result<Vec<u8>> {
    check(members, &NOT_IN_JWTS)?;
    Ok(encode(vec![alg(key), format!("\"typ\":{}", json_string(typ)), kid(key)], members))
}

fn alg(key: &Key) -> String {
    format!("\"alg\":\"{}\"", key.algorithm().name())
}

fn kid(key: &Key) -> String {
    format!("\"kid\":{}", json_string(key.kid()))
}

/// Encodes the signer's parameters and the caller's members.
fn encode(mut parameters: Vec<String>, members: &str) -> Vec<u8> {
    let inside = members.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    if let Some(inside) = inside.map(str::trim).filter(|inside| !inside.is_empty()) {
        parameters.push(inside.to_owned());
    }
    let header = format!("{{{}}}", parameters.join(","));
    let mut encoded = base64url::encode(header.as_bytes()).into_bytes();
    encoded.push(b'.');
    encoded
}

/// Checks the caller's members: a JSON object without members that are `refused`.
fn check(members: &str, refused: &[(&str, &str)]) -> Result<()> {
    let mut found = None;
    let (mut typ, mut jwk, mut kid) = (None, None, None);
    scan_object(members, |name, value| {
        if name.is("typ") {
            typ = Some(value);
        } else if name.is("jwk") {
            jwk = Some(value);
        } else if name.is("kid") {
            kid = Some(value);
        }
        let all = NEVER.iter().chain(refused);
        found = found.or_else(|| all.clone().find(|(refused, _)| name.is(refused)));
    })
    .ok_or_else(|| {
        invalid("header must hold JSON values, nested at most 32 deep, without lone surrogates")
    })?;
    if let Some((name, why)) = found {
        return Err(invalid(format!("header must not have the member \"{name}\": {why}")));
    }
    match typ {
        None | Some(Value::String(_)) => {}
        Some(_) => return Err(invalid("\"typ\" in header must be a string")),
    }
    let len = |kid: Raw<'_>| kid.chars().map(char::len_utf8).sum();
    match kid {
        None => {}
        Some(Value::String(kid)) if (1..=MAX_KID_LEN).contains(&len(kid)) => {}
        Some(_) => {
            return Err(invalid(format!(
                "\"kid\" in header must be a string of 1 to {MAX_KID_LEN} bytes"
            )));
        }
    }
    match jwk {
        None => Ok(()),
        Some(Value::Object(jwk)) => check_public(jwk),
        Some(_) => Err(invalid("\"jwk\" in header must be an object")),
    }
}

/// Refuses a JWK that has private members: a header is not encrypted (RFC 7515 section 4.1.3).
fn check_public(jwk: &str) -> Result<()> {
    let mut is_private = false;
    let scanned = scan_object(jwk, |name, _| {
        is_private |= PRIVATE.iter().any(|member| name.is(member));
    });
    if scanned.is_none() || is_private {
        return Err(invalid("\"jwk\" in header must be a public key, as toPublicJwk gives it"));
    }
    Ok(())
}

fn invalid(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(Code::InvalidArgValue, message)
}
