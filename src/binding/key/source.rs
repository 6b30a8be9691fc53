//! The option `keys`: which keys sign or verify.

use crate::binding::args::{Arg, Result};
use crate::jwt::{Key, KeyRing, KeySet, KeySource, KeyUse};

/// The most keys of a list.
pub(crate) const MAX_KEYS: u32 = 1000;

/// Reads a key ring, one or several keys, or a set that is fetched.
pub(crate) fn keys(keys: Arg<'_>) -> Result<KeySource> {
    if let Some(set) = keys.handle_if::<KeySet>()? {
        if set.purpose() != KeyUse::Sig {
            // JWT-SVIDs have rules of their own, which only `JwtVerifier.spiffe` checks.
            return Err(keys.invalid(
                "must not have the option use: 'jwt-svid', which is for JwtVerifier.spiffe only",
            ));
        }
        return Ok(KeySource::Set(set));
    }
    own_keys(&keys, "a KeyRing, a JwtKey, an array of JwtKeys or a RemoteJwks")
}

/// Reads the keys of an issuer: a key ring or a key. An array is read as well; the issuer refuses
/// it unless it holds exactly one key that can sign.
pub(crate) fn signing_keys(keys: Arg<'_>) -> Result<KeySource> {
    own_keys(&keys, "a KeyRing or a JwtKey")
}

fn own_keys(keys: &Arg<'_>, expected: &str) -> Result<KeySource> {
    if let Some(ring) = keys.handle_if::<KeyRing>()? {
        return Ok(KeySource::Ring(ring));
    }
    if let Some(key) = keys.handle_if::<Key>()? {
        return Ok(KeySource::Keys(vec![key]));
    }
    if !keys.is_array()? {
        return Err(keys.wrong_type(expected));
    }
    Ok(KeySource::Keys(
        keys.array(MAX_KEYS)?.iter().map(Arg::handle::<Key>).collect::<Result<_>>()?,
    ))
}
