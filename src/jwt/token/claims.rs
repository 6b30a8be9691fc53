//! Reads the registered claims of a payload (RFC 7519 section 4.1) in one scan.
//!
//! A claim of the wrong type always fails, whether or not the verifier asks for it. If two readers
//! disagree about a malformed claim, a token can get past one of them.

use super::json::{Raw, Value, read_object, scan_strings};
use super::malformation::{Malformation, Segment};
use super::rejection::{Claim, Reason, Rejection};

/// The latest date of a claim, in seconds since 1970. Dates that JavaScript passes have the same
/// limit.
pub const MAX_NUMERIC_DATE: f64 = 1e11;

/// The claims of a payload that the issuer and the verifier use.
#[derive(Debug, Default)]
pub(crate) struct Claims<'a> {
    /// `aud`: a string, or an array of strings as its text.
    pub audience: Option<Audience<'a>>,
    /// `jti`
    pub id: Option<Raw<'a>>,
    /// `iss`
    pub issuer: Option<Raw<'a>>,
    /// `sid`
    pub session: Option<Raw<'a>>,
    /// `sub`
    pub subject: Option<Raw<'a>>,
    /// `exp`, `iat` and `nbf`
    pub times: Times,
}

/// The times of a token, in seconds since 1970.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Times {
    /// `exp`
    pub expiry: Option<f64>,
    /// `iat`
    pub issued_at: Option<f64>,
    /// `nbf`
    pub not_before: Option<f64>,
}

/// `aud`, in either of its forms.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Audience<'a> {
    /// One recipient.
    One(Raw<'a>),
    /// The text of an array of strings.
    Many(&'a str),
}

impl Audience<'_> {
    /// Whether one of `accepted` is among the recipients.
    pub(crate) fn intersects(self, accepted: &[String]) -> bool {
        let is_accepted = |raw: Raw<'_>| accepted.iter().any(|name| raw.is(name));
        match self {
            Self::One(raw) => is_accepted(raw),
            Self::Many(array) => {
                let mut found = false;
                // The array was read once already, so it holds only strings.
                let _ = scan_strings(array, |raw| found |= is_accepted(raw));
                found
            }
        }
    }
}

impl<'a> Claims<'a> {
    /// Reads a payload.
    pub(crate) fn parse(text: &'a str) -> Result<Self, Rejection> {
        Self::read_others(text, |_, _| {})
    }

    /// As [`Self::parse`]; in the same scan it shows to `other` every member that is none of
    /// these claims. This is faster than [`Self::read`].
    pub(crate) fn read_others(
        text: &'a str,
        mut other: impl FnMut(Raw<'a>, Value<'a>),
    ) -> Result<Self, Rejection> {
        let mut claims = Self::default();
        let mut wrong = None;
        read_object(text, |name, value| match claim_named(name) {
            None | Some(Claim::Client | Claim::Type) => other(name, value),
            Some(claim) => {
                if claims.set(claim, value).is_none() {
                    wrong.get_or_insert(claim);
                }
            }
        })
        .map_err(|fault| Malformation::Json(Segment::Payload, fault))?;
        wrong.map_or(Ok(claims), |claim| Err(Rejection::Claim(claim, Reason::Type)))
    }

    /// As [`Self::parse`]; in the same scan it shows every member to `see`.
    pub(crate) fn read(
        text: &'a str,
        mut see: impl FnMut(Raw<'a>, Value<'a>),
    ) -> Result<Self, Rejection> {
        let mut claims = Self::default();
        let mut wrong = None;
        read_object(text, |name, value| {
            see(name, value);
            let Some(claim) = claim_named(name) else { return };
            if claims.set(claim, value).is_none() {
                wrong.get_or_insert(claim);
            }
        })
        .map_err(|fault| Malformation::Json(Segment::Payload, fault))?;
        wrong.map_or(Ok(claims), |claim| Err(Rejection::Claim(claim, Reason::Type)))
    }

    fn set(&mut self, claim: Claim, value: Value<'a>) -> Option<()> {
        match claim {
            Claim::Audience => self.audience = Some(audience(value)?),
            Claim::Expiry => self.times.expiry = Some(numeric_date(value)?),
            Claim::Id => self.id = Some(string(value)?),
            Claim::IssuedAt => self.times.issued_at = Some(numeric_date(value)?),
            Claim::Issuer => self.issuer = Some(string(value)?),
            Claim::NotBefore => self.times.not_before = Some(numeric_date(value)?),
            Claim::Session => self.session = Some(string(value)?),
            Claim::Subject => self.subject = Some(string(value)?),
            Claim::Client | Claim::Type => {}
        }
        Some(())
    }
}

/// The claim with this member name.
fn claim_named(name: Raw<'_>) -> Option<Claim> {
    match name.plain() {
        Some(name) => Claim::named(name),
        // A longer name is not the name of a claim.
        None => Claim::named(&name.chars().take(Claim::LONGEST_NAME + 1).collect::<String>()),
    }
}

fn string(value: Value<'_>) -> Option<Raw<'_>> {
    match value {
        Value::String(raw) => Some(raw),
        _ => None,
    }
}

fn audience(value: Value<'_>) -> Option<Audience<'_>> {
    match value {
        Value::String(raw) => Some(Audience::One(raw)),
        Value::Array(text) => {
            scan_strings(text, |_| {})?;
            Some(Audience::Many(text))
        }
        _ => None,
    }
}

/// Reads a `NumericDate` (RFC 7519 section 2): seconds, which need not be whole, up to the year
/// 5138. A later date was meant in milliseconds, or was meant never to come.
fn numeric_date(value: Value<'_>) -> Option<f64> {
    let Value::Number(text) = value else { return None };
    let seconds = match few_digits(text) {
        Some(seconds) => seconds,
        None => text.parse().ok()?,
    };
    (f64::MIN..=MAX_NUMERIC_DATE).contains(&seconds).then_some(seconds)
}

/// Reads a whole number of at most 15 digits. This is the usual case, and the result is exact.
fn few_digits(text: &str) -> Option<f64> {
    if text.len() > 15 {
        return None;
    }
    let mut number = 0_u64;
    for byte in text.bytes() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number.wrapping_mul(10).wrapping_add(digit.into());
    }
    #[expect(clippy::cast_precision_loss, reason = "below 10¹⁵")]
    Some(number as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_registered_claims() {
        let claims = Claims::parse(
            r#"{"iss":"i","sub":"s","aud":["a","b"],"exp":2,"nbf":1.5,"iat":1e0,"jti":"j","sid":"x","other":{}}"#,
        )
        .unwrap();
        assert_eq!(
            (claims.times.expiry, claims.times.not_before, claims.times.issued_at),
            (Some(2.0), Some(1.5), Some(1.0))
        );
        assert!(claims.issuer.unwrap().is("i") && claims.subject.unwrap().is("s"));
        assert!(claims.id.unwrap().is("j") && claims.session.unwrap().is("x"));
        let audience = claims.audience.unwrap();
        assert!(audience.intersects(&["z".into(), "b".into()]));
        assert!(!audience.intersects(&["ab".into()]) && !audience.intersects(&[]));
    }

    #[test]
    fn wrong_types_always_fail() {
        for (text, claim) in [
            (r#"{"exp":"1"}"#, Claim::Expiry),
            (r#"{"exp":null}"#, Claim::Expiry),
            (r#"{"exp":1e400}"#, Claim::Expiry),
            (r#"{"exp":-1e400}"#, Claim::Expiry),
            (r#"{"exp":100000000001}"#, Claim::Expiry),
            (r#"{"nbf":1.00000000001e11}"#, Claim::NotBefore),
            (r#"{"iat":1700000000000}"#, Claim::IssuedAt),
            (r#"{"nbf":true}"#, Claim::NotBefore),
            (r#"{"iat":[1]}"#, Claim::IssuedAt),
            (r#"{"iss":["i"]}"#, Claim::Issuer),
            (r#"{"sub":1}"#, Claim::Subject),
            (r#"{"jti":{}}"#, Claim::Id),
            (r#"{"sid":1}"#, Claim::Session),
            (r#"{"aud":1}"#, Claim::Audience),
            (r#"{"aud":["a",1]}"#, Claim::Audience),
            (r#"{"\u0065xp":"1"}"#, Claim::Expiry),
        ] {
            let rejection = Claims::parse(text).unwrap_err();
            assert_eq!(rejection, Rejection::Claim(claim, Reason::Type), "{text}");
        }
        assert!(Claims::parse(r#"{"exp":100000000000,"nbf":1e11,"iat":-1e300}"#).is_ok());
        let fault = Malformation::Json(Segment::Payload, crate::jwt::json::JsonFault::Syntax);
        assert_eq!(Claims::parse("[]").unwrap_err(), fault.into());
    }
}
