//! Splits a token in the compact serialization (RFC 7515 section 3.1) into its segments.

use memchr::memchr;

use super::base64url;
use super::rejection::Rejection;

/// The longest token that is read, in bytes. RFC 7519 sets no limit; in Node header lines
/// end at 16 KiB.
pub const MAX_TOKEN_LEN: usize = 16 * 1024;

/// The longest `kid` of a key, in bytes.
pub const MAX_KID_LEN: usize = 256;

/// The longest encoded header that is read, in bytes: enough for every `kid` and `typ` that an
/// issuer may have, with escapes.
const MAX_HEADER_LEN: usize = 8192;

/// The segments of a token.
pub(crate) struct Segments<'t> {
    /// The encoded header.
    pub header: &'t [u8],
    /// The encoded payload.
    pub payload: &'t [u8],
    /// The signing input: header and payload, and the dot between them.
    pub signed: &'t [u8],
}

/// Splits a token and decodes its signature.
pub(crate) fn split<'t>(
    token: &'t [u8],
    signature: &mut Vec<u8>,
) -> Result<Segments<'t>, Rejection> {
    if token.len() > MAX_TOKEN_LEN {
        return Err(Rejection::Malformed);
    }
    let first = memchr(b'.', token).ok_or(Rejection::Malformed)?;
    let second = memchr(b'.', &token[first + 1..]).ok_or(Rejection::Malformed)? + first + 1;
    // A fourth segment would fail here, because the alphabet has no dot.
    base64url::decode_into(&token[second + 1..], signature).ok_or(Rejection::Malformed)?;
    Ok(Segments {
        header: &token[..first],
        payload: &token[first + 1..second],
        signed: &token[..second],
    })
}

/// Decodes a header to its JSON.
pub(crate) fn decode_header(segment: &[u8]) -> Result<Vec<u8>, Rejection> {
    if segment.len() > MAX_HEADER_LEN {
        return Err(Rejection::Malformed);
    }
    base64url::decode(segment).ok_or(Rejection::Malformed)
}
