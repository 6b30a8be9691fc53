//! The compact serialization (RFC 7515 section 3.1) and whose signature it carries: what every
//! token goes through, whatever its payload is.

use std::sync::Arc;

use memchr::memchr;

use super::header::Header;
use super::{Algorithm, Key, KeySource, MAX_TOKEN_LEN, Rejection, base64url};

/// The longest encoded header that is read, in bytes: room for every `kid` and `typ` that an
/// issuer may have, escaped.
const MAX_HEADER_LEN: usize = 8192;

/// The segments of a token.
pub struct Segments<'t> {
    /// The encoded header.
    pub header: &'t [u8],
    /// The encoded payload.
    pub payload: &'t [u8],
    /// What has been signed: the two and the dot between them.
    pub signed: &'t [u8],
}

/// A signature that verifies, and under what.
pub struct Authentic<'h> {
    /// The header.
    pub header: Header<'h>,
    /// The key.
    pub key: Arc<Key>,
    /// Until when the key may be used, in seconds since 1970.
    pub usable_until: u64,
}

/// Verifies a compact JWS with a payload of any kind, which replaces the contents of `payload`.
/// Unencoded (RFC 7797) and detached payloads, `crit` and the JSON serializations are refused.
pub fn verify_jws(
    token: &[u8],
    keys: &KeySource,
    algorithms: &[Algorithm],
    payload: &mut Vec<u8>,
) -> Result<(), Rejection> {
    let mut signature = Vec::new();
    let segments = split(token, &mut signature)?;
    let header = decode_header(segments.header)?;
    authenticate(&header, segments.signed, &signature, keys, Some(algorithms))?;
    base64url::decode_into(segments.payload, payload).ok_or(Rejection::Malformed)
}

/// Takes a token apart and decodes its signature.
pub fn split<'t>(token: &'t [u8], signature: &mut Vec<u8>) -> Result<Segments<'t>, Rejection> {
    if token.len() > MAX_TOKEN_LEN {
        return Err(Rejection::Malformed);
    }
    let first = memchr(b'.', token).ok_or(Rejection::Malformed)?;
    let second = memchr(b'.', &token[first + 1..]).ok_or(Rejection::Malformed)? + first + 1;
    // A fourth segment would show up here: the alphabet has no dot.
    base64url::decode_into(&token[second + 1..], signature).ok_or(Rejection::Malformed)?;
    Ok(Segments {
        header: &token[..first],
        payload: &token[first + 1..second],
        signed: &token[..second],
    })
}

/// The JSON of a header.
pub fn decode_header(segment: &[u8]) -> Result<Vec<u8>, Rejection> {
    if segment.len() > MAX_HEADER_LEN {
        return Err(Rejection::Malformed);
    }
    base64url::decode(segment).ok_or(Rejection::Malformed)
}

/// Reads the header and verifies the signature with the key it names; `accepted` are the
/// algorithms, those of the keys when `None`.
pub fn authenticate<'h>(
    header: &'h [u8],
    signed: &[u8],
    signature: &[u8],
    keys: &KeySource,
    accepted: Option<&[Algorithm]>,
) -> Result<Authentic<'h>, Rejection> {
    let header = Header::parse(header)?;
    if accepted.is_some_and(|accepted| !accepted.contains(&header.algorithm)) {
        return Err(Rejection::Algorithm);
    }
    let (key, usable_until) = keys.find(header.kid.as_deref(), header.algorithm)?;
    check_signature(&key, signed, signature)?;
    Ok(Authentic { header, key, usable_until })
}

/// Whether a signature is the key's.
pub fn check_signature(key: &Key, signed: &[u8], signature: &[u8]) -> Result<(), Rejection> {
    if key.verifies(signed, signature) { Ok(()) } else { Err(Rejection::Signature) }
}
