//! Makes the payload of a token: splices the registered claims (RFC 7519 section 4.1) and the
//! caller's JSON as text.

use crate::error::Result;
use crate::id::uuid_v7;

/// How far before the present `iat` may be, in seconds.
pub const MAX_BACKDATING: u32 = 300;

/// The claims and header parameters of one token that replace or complement those of its issuer.
#[derive(Debug, Default)]
pub struct Overrides<'a> {
    /// `aud`
    pub audience: Option<Vec<String>>,
    /// `exp`, in seconds from now.
    pub expires_in: Option<u64>,
    /// `nbf`, in seconds from now.
    pub not_before: Option<u64>,
    /// How long ago `iat` is, in seconds.
    pub backdated: u64,
    /// More header parameters, a JSON object as text.
    pub header: Option<&'a str>,
    /// `sub`
    pub subject: Option<&'a str>,
    /// `sid`
    pub session: Option<&'a str>,
}

/// The registered claims that an issuer adds to a token, as JSON.
pub(crate) struct Registered<'a> {
    /// `iss`
    pub issuer: Option<&'a str>,
    /// `aud`
    pub audience: Option<&'a str>,
    /// `exp`, in seconds from now.
    pub life: u64,
    /// Whether the token gets a `jti`.
    pub jti: bool,
}

impl Registered<'_> {
    /// Appends the payload: these claims, then the members of `claims`, a JSON object as text.
    pub(crate) fn splice(
        &self,
        claims: &str,
        overrides: &Overrides<'_>,
        millis: u64,
        payload: &mut Vec<u8>,
    ) -> Result<()> {
        let now = millis / 1000;
        let mut digits = Digits::default();
        payload.extend_from_slice(b"{\"iat\":");
        payload.extend_from_slice(digits.of(now.saturating_sub(overrides.backdated)));
        payload.extend_from_slice(b",\"exp\":");
        payload.extend_from_slice(digits.of(now.saturating_add(self.life)));
        if let Some(delay) = overrides.not_before {
            payload.extend_from_slice(b",\"nbf\":");
            payload.extend_from_slice(digits.of(now.saturating_add(delay)));
        }
        if let Some(issuer) = self.issuer {
            payload.extend_from_slice(b",\"iss\":");
            payload.extend_from_slice(issuer.as_bytes());
        }
        let own_audience = overrides.audience.as_deref().and_then(json_strings);
        if let Some(audience) = own_audience.as_deref().or(self.audience) {
            payload.extend_from_slice(b",\"aud\":");
            payload.extend_from_slice(audience.as_bytes());
        }
        if self.jti {
            let mut buffer = uuid::Uuid::encode_buffer();
            payload.extend_from_slice(b",\"jti\":\"");
            payload.extend_from_slice(
                uuid_v7(millis)?.hyphenated().encode_lower(&mut buffer).as_bytes(),
            );
            payload.push(b'"');
        }
        for (member, value) in [("\"sub\":", overrides.subject), ("\"sid\":", overrides.session)] {
            if let Some(value) = value {
                payload.push(b',');
                payload.extend_from_slice(member.as_bytes());
                payload.extend_from_slice(json_string(value).as_bytes());
            }
        }
        let members = claims.trim_start().strip_prefix('{').unwrap_or(claims).trim();
        if members != "}" {
            payload.push(b',');
        }
        payload.extend_from_slice(members.as_bytes());
        Ok(())
    }
}

/// Encodes a string as JSON.
pub(crate) fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Encodes `aud` as JSON: a string if there is one, an array if there are several.
pub(crate) fn json_strings(audience: &[String]) -> Option<String> {
    match audience {
        [] => None,
        [one] => Some(json_string(one)),
        several => Some(serde_json::Value::from(several).to_string()),
    }
}

/// Space for the decimal digits of a number, without an allocation.
#[derive(Default)]
struct Digits([u8; 20]);

impl Digits {
    fn of(&mut self, mut number: u64) -> &[u8] {
        let mut start = self.0.len();
        loop {
            start -= 1;
            self.0[start] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                return &self.0[start..];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_to_string() {
        for number in [0, 9, 10, 1_700_000_000, u64::MAX] {
            assert_eq!(Digits::default().of(number), number.to_string().as_bytes());
        }
    }

    #[test]
    fn one_audience_is_a_string_and_several_are_an_array() {
        assert_eq!(json_strings(&[]), None);
        assert_eq!(json_strings(&["a\"b".into()]).unwrap(), r#""a\"b""#);
        assert_eq!(json_strings(&["a".into(), "b".into()]).unwrap(), r#"["a","b"]"#);
    }
}
