//! Verifies a JWS with any payload (RFC 7515).

use super::authenticate::authenticate;
use crate::jwt::algorithm::Algorithm;
use crate::jwt::key_source::KeySource;
use crate::jwt::token::compact::TokenForm;
use crate::jwt::token::rejection::Rejection;

/// Verifies a compact JWS with a payload of any kind, which replaces the contents of `payload`.
/// Unencoded (RFC 7797) and detached payloads, `crit` and the JSON serializations are refused.
pub fn verify_jws(
    token: &[u8],
    keys: &KeySource,
    algorithms: &[Algorithm],
    form: TokenForm,
    payload: &mut Vec<u8>,
) -> Result<(), Rejection> {
    let mut signature = Vec::new();
    let segments = form.split(token, &mut signature)?;
    let header = form.decode_header(segments.header)?;
    authenticate(&header, segments.signed, &signature, keys, Some(algorithms))?;
    Ok(form.decode_payload(segments.payload, payload)?)
}
