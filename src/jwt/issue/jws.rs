//! Signs a JWS with any payload (RFC 7515).

use super::header::jws_header;
use super::issuer::finish;
use crate::error::{Code, Error, Result};
use crate::jwt::key::key::Key;
use crate::jwt::token::base64url;
use crate::jwt::token::compact::MAX_LONG_TOKEN_LEN;

/// Signs a payload of any kind. `members` are the caller's header parameters, a JSON object as
/// text; `names_key` says whether the header has the key's `kid`. `ERR_INVALID_ARG_VALUE` for
/// members that the caller must not set, `ERR_OUT_OF_RANGE` for a token of more than 1 MiB,
/// `ERR_JWT_KEY` for a public key.
pub fn sign_jws(key: &Key, payload: &[u8], names_key: bool, members: &str) -> Result<Vec<u8>> {
    let mut token = jws_header(key, names_key, members)?;
    if token.len() + base64url::encoded_len(payload.len()) > MAX_LONG_TOKEN_LEN {
        return Err(too_long());
    }
    base64url::encode_into(payload, &mut token);
    finish(key, &mut token, &mut Vec::new())?;
    if token.len() > MAX_LONG_TOKEN_LEN { Err(too_long()) } else { Ok(token) }
}

fn too_long() -> Error {
    let message = format!("the JWS must be at most {MAX_LONG_TOKEN_LEN} bytes long");
    Error::new(Code::OutOfRange, message)
}
