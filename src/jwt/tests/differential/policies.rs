//! The policies, and the demands of each in the words of RFC 7519. Accepted tokens are compared
//! with these demands, as another reader sees the tokens.

use super::document::Document;
use crate::jwt::TokenForm;
use crate::jwt::token::compact::MAX_TOKEN_LEN;
use crate::jwt::token::header::same_type;

#[derive(Clone, Copy)]
pub(super) struct Policy {
    pub issuer: bool,
    pub audience: bool,
    pub tolerance: u64,
    pub max_age: Option<u64>,
    pub typ: Option<&'static str>,
    /// The one claim that must be present even if no party is checked.
    pub required: &'static str,
    /// The only subject.
    pub subject: Option<&'static str>,
    pub form: TokenForm,
}

const PLAIN: Policy = Policy {
    issuer: true,
    audience: true,
    tolerance: 0,
    max_age: None,
    typ: None,
    required: "exp",
    subject: None,
    form: TokenForm { max_len: MAX_TOKEN_LEN, may_be_padded: false },
};

pub(super) const POLICIES: [Policy; 5] = [
    PLAIN,
    Policy { tolerance: 60, max_age: Some(3600), typ: Some("JWT"), ..PLAIN },
    Policy { issuer: false, audience: false, tolerance: 300, ..PLAIN },
    Policy { required: "sub", ..PLAIN },
    Policy {
        subject: Some("s"),
        form: TokenForm { max_len: 32 * 1024, may_be_padded: true },
        ..PLAIN
    },
];

impl Policy {
    /// A demand that a token does not meet, although it was accepted at `now`, in seconds.
    #[expect(clippy::cast_precision_loss, reason = "seconds")]
    pub(super) fn unmet(
        &self,
        header: &Document,
        payload: &Document,
        now: u64,
    ) -> Option<&'static str> {
        let tolerance = self.tolerance as f64;
        let (earliest, latest) = (now as f64 - tolerance, now as f64 + tolerance);
        let is_young = |max_age: u64| {
            payload.number("iat").is_some_and(|iat| iat >= earliest - max_age as f64)
        };
        let audience = match payload.get("aud") {
            Some(Document::Array(names)) => names.iter().collect(),
            other => Vec::from_iter(other),
        };
        let is_ours =
            |name: &&Document| matches!(name, Document::String(name) if name == "a" || name == "z");
        let has_type = |expected| header.string("typ").is_some_and(|typ| same_type(typ, expected));
        let demands = [
            ("required", !matches!(payload.get(self.required), None | Some(Document::Null))),
            ("exp", payload.number("exp").is_none_or(|exp| exp > earliest)),
            ("nbf", payload.number("nbf").is_none_or(|nbf| nbf <= latest)),
            ("iat", payload.number("iat").is_none_or(|iat| iat <= latest)),
            ("max_age", self.max_age.is_none_or(is_young)),
            ("sub", self.subject.is_none_or(|own| payload.string("sub") == Some(own))),
            ("iss", !self.issuer || payload.string("iss") == Some("i")),
            ("aud", !self.audience || audience.iter().any(is_ours)),
            ("typ", self.typ.is_none_or(has_type)),
        ];
        demands.iter().find(|(_, is_met)| !is_met).map(|(name, _)| *name)
    }
}
