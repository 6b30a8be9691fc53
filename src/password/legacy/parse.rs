//! Finds the scheme of a stored text.

use super::hash::{LegacyHash, ParsedLegacy};
use super::scheme::LegacyScheme;
use super::{aspnet, bcrypt, better_auth, django, dovecot, pbkdf2, scrypt, spring, werkzeug};
use crate::error::Result;
use crate::password::phc::{MAX_DIGEST_LEN, too_long, without_padding};

/// Parses a hash of one of the enabled schemes. Returns `Ok(None)` if it belongs to none of them.
/// Fails with `ERR_PASSWORD_DIGEST` if it belongs to one and is malformed, or if it is longer than
/// [`MAX_DIGEST_LEN`].
pub(crate) fn parse(text: &str, schemes: &[LegacyScheme]) -> Result<Option<ParsedLegacy>> {
    if text.len() > MAX_DIGEST_LEN {
        return Err(too_long());
    }
    let text = without_padding(text);
    // Stored by Dovecot, whichever scheme is within.
    if let Some(parsed) = dovecot::parse(text, schemes)? {
        return Ok(Some(parsed));
    }
    for scheme in schemes {
        let legacy = |hash: Option<_>| hash.map(ParsedLegacy::Legacy);
        let parsed = match scheme {
            LegacyScheme::Bcrypt => legacy(bcrypt::parse(text)?.map(LegacyHash::Bcrypt)),
            LegacyScheme::Scrypt => legacy(scrypt::parse(text)?.map(LegacyHash::Scrypt)),
            LegacyScheme::Pbkdf2 => legacy(pbkdf2::parse(text)?.map(LegacyHash::Pbkdf2)),
            LegacyScheme::Django => django::parse(text)?,
            LegacyScheme::Werkzeug => legacy(werkzeug::parse(text)?),
            LegacyScheme::AspNet => legacy(aspnet::parse(text)?.map(LegacyHash::Pbkdf2)),
            LegacyScheme::BetterAuth => legacy(better_auth::parse(text)?.map(LegacyHash::Scrypt)),
            LegacyScheme::Spring => spring::parse(text)?,
        };
        if parsed.is_some() {
            return Ok(parsed);
        }
    }
    Ok(None)
}
