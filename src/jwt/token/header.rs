//! Reads the JOSE header (RFC 7515 section 4): the algorithm, the key and the type of a token.
//!
//! `jku`, `jwk`, `x5u` and `x5c` are never read: a token does not say where its key is.

use std::borrow::Cow;

use super::compact::MAX_KID_LEN;
use super::json::{Raw, Value, read_object};
use super::malformation::{Malformation, STRICT, Segment};
use super::rejection::Rejection;
use crate::jwt::algorithm::Algorithm;

/// The parameters of a header that the verifier uses.
#[derive(Debug, PartialEq)]
pub(crate) struct Header<'a> {
    /// `alg`
    pub algorithm: Algorithm,
    /// `kid`
    pub kid: Option<Cow<'a, str>>,
    /// `typ`
    pub typ: Option<Cow<'a, str>>,
}

impl<'a> Header<'a> {
    /// Reads a decoded header.
    pub(crate) fn parse(json: &'a [u8]) -> Result<Self, Rejection> {
        Self::examine(json)?
    }

    /// As [`Self::parse`]. A header that is malformed is told from one that is refused for another
    /// reason.
    pub(crate) fn examine(json: &'a [u8]) -> Result<Result<Self, Rejection>, Malformation> {
        let text = std::str::from_utf8(json).map_err(|_| Malformation::NotUtf8(Segment::Header))?;
        let (mut alg, mut kid, mut typ) = (None, None, None);
        let (mut malformed, mut critical) = (None, false);
        read_object(text, |name, value| match (name.plain(), value) {
            (Some("alg"), Value::String(raw)) => alg = Some(raw),
            (Some("kid"), Value::String(raw)) => kid = Some(raw),
            (Some("typ"), Value::String(raw)) => typ = Some(raw),
            (Some("crit"), _) => critical = true,
            // Either the parameter has the wrong type, or the payload is encrypted, compressed or
            // unencoded (RFC 7516, RFC 7797). That is not a JWT here: a reader that ignores the
            // parameter would take the payload for something else.
            // One of these names, spelled with escapes, is refused as well.
            _ => {
                if let Some((index, _)) = (0..).zip(STRICT).find(|(_, known)| name.is(known)) {
                    malformed.get_or_insert(index);
                }
            }
        })
        .map_err(|fault| Malformation::Json(Segment::Header, fault))?;
        if critical {
            return Ok(Err(Rejection::Critical));
        }
        if let Some(index) = malformed {
            return Err(Malformation::Parameter(index));
        }
        // The first of the strict parameters.
        let algorithm = alg.ok_or(Malformation::Parameter(0))?;
        let algorithm = Algorithm::ALL.into_iter().find(|known| algorithm.is(known.name()));
        let kid = kid.map(resolve);
        if kid.as_ref().is_some_and(|kid| kid.len() > MAX_KID_LEN) {
            return Ok(Err(Rejection::KeyNotFound));
        }
        let typ = typ.map(resolve);
        Ok(algorithm.ok_or(Rejection::Algorithm).map(|algorithm| Self { algorithm, kid, typ }))
    }
}

/// Whether two media types are the same (RFC 7515 section 4.1.9): case-insensitive, and
/// `application/` may be left out.
pub(crate) fn same_type(one: &str, two: &str) -> bool {
    fn bare(typ: &str) -> &str {
        match typ.split_at_checked("application/".len()) {
            Some((prefix, rest))
                if prefix.eq_ignore_ascii_case("application/") && !rest.contains('/') =>
            {
                rest
            }
            _ => typ,
        }
    }
    bare(one).eq_ignore_ascii_case(bare(two))
}

/// The characters of a string, copied only if there are escapes.
pub(crate) fn resolve(raw: Raw<'_>) -> Cow<'_, str> {
    raw.plain().map_or_else(|| raw.chars().collect::<String>().into(), Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jwt::token::json::JsonFault;

    #[test]
    fn algorithm_kid_and_typ_are_read() {
        let header = Header::parse(br#"{"typ":"JWT","alg":"ES256","kid":"k\u0031","x":[1]}"#);
        let header = header.unwrap();
        assert_eq!(header.algorithm, Algorithm::Es256);
        assert_eq!(header.kid.as_deref(), Some("k1"));
        assert_eq!(header.typ.as_deref(), Some("JWT"));
    }

    #[test]
    fn malformed_headers_are_refused() {
        let strict = |index| Rejection::Malformed(Malformation::Parameter(index));
        let json = |fault| Rejection::Malformed(Malformation::Json(Segment::Header, fault));
        for (text, why) in [
            (r#"{"typ":"JWT"}"#, strict(0)),
            (r#"{"alg":1}"#, strict(0)),
            (r#"{"alg":"HS256","kid":7}"#, strict(1)),
            (r#"{"alg":"none"}"#, Rejection::Algorithm),
            (r#"{"alg":"None"}"#, Rejection::Algorithm),
            (r#"{"alg":"hs256"}"#, Rejection::Algorithm),
            (r#"{"alg":""}"#, Rejection::Algorithm),
            (r#"{"alg":"HS256","alg":"HS256"}"#, json(JsonFault::Duplicate)),
            (r#"{"alg":"HS256","crit":[]}"#, Rejection::Critical),
            (r#"{"alg":"HS256","crit":["exp"],"exp":1}"#, Rejection::Critical),
            (r#"{"alg":"HS256","\u0063rit":["exp"]}"#, strict(3)),
            (r#"{"alg":"HS256","b64":false}"#, strict(4)),
            (r#"{"alg":"HS256","zip":"DEF"}"#, strict(6)),
            ("[]", json(JsonFault::Syntax)),
        ] {
            assert_eq!(Header::parse(text.as_bytes()), Err(why), "{text}");
        }
        let not_utf8 = Malformation::NotUtf8(Segment::Header).into();
        assert_eq!(Header::parse(b"{\"alg\":\"HS256\",\"x\":\"\xff\"}"), Err(not_utf8));
        let long = format!(r#"{{"alg":"HS256","kid":"{}"}}"#, "k".repeat(MAX_KID_LEN + 1));
        assert_eq!(Header::parse(long.as_bytes()), Err(Rejection::KeyNotFound));
    }

    #[test]
    fn media_types_match_without_case_and_prefix() {
        assert!(same_type("at+jwt", "application/AT+JWT"));
        assert!(same_type("JWT", "jwt"));
        assert!(!same_type("JWT", "at+jwt"));
        assert!(!same_type("application/a/b", "a/b"));
        assert!(!same_type("é", "application/"));
    }
}
