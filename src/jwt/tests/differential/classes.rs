//! Every difference between the `jsonwebtoken` crate and us, with its reason. A difference that is
//! not listed here fails the test, and so does an entry that never occurs.

use jsonwebtoken::errors::ErrorKind;

use super::document::Document;
use crate::error::Code;
use crate::jwt::token::header::same_type;
use crate::jwt::{Algorithm, Claim, MAX_NUMERIC_DATE, MAX_TOKEN_LEN, Reason, Rejection, TokenForm};

/// A token that one of the two implementations refuses.
pub(super) struct Case<'a> {
    pub token: &'a str,
    /// The JSON of the header, and the document that `serde_json` reads from it.
    pub header_text: &'a str,
    pub header: Result<Document, serde_json::Error>,
    pub payload: Result<Document, serde_json::Error>,
    pub kid: &'a str,
    pub algorithm: Algorithm,
    /// In whole seconds, the same for both.
    pub now: f64,
    pub tolerance: f64,
    pub max_age: Option<f64>,
    pub typ: Option<&'a str>,
    pub form: TokenForm,
}

/// A class of disagreements: its name, the authority for our behaviour, and a test that recognizes
/// it without either implementation.
pub(super) struct Class<Refusal: 'static> {
    pub name: &'static str,
    pub because: &'static str,
    pub explains: fn(&Case<'_>, &Refusal) -> bool,
}

/// The tokens that only we refuse.
pub(super) const STRICTER: [Class<Rejection>; 15] = [
    Class {
        name: "two members of one name",
        because: "RFC 7515 section 4 and RFC 7519 section 4 let a reader refuse them; serde keeps \
                  the last, except in the claims that the crate itself reads",
        explains: |case, rejection| {
            rejection.code() == Code::JwtMalformed && case.any(Document::has_duplicates)
        },
    },
    Class {
        name: "nested deeper than 32",
        because: "RFC 8259 section 9: a parser may limit the depth; serde_json's limit is 128",
        explains: |case, rejection| {
            rejection.code() == Code::JwtMalformed && case.any(|document| document.depth() > 32)
        },
    },
    Class {
        name: "longer than a token may be",
        because: "16 KiB for a token and 8 KiB for its header, or an option, are ours; the crate has \
                  no limit",
        explains: |case, rejection| {
            let header = case.token.split('.').next().map_or(0, str::len);
            let max_len = case.form.max_len;
            rejection.code() == Code::JwtMalformed
                && (case.token.len() > max_len || max_len <= MAX_TOKEN_LEN && header > 8192)
        },
    },
    Class {
        name: "`b64`, `enc` or `zip` in the header",
        because: "RFC 7797 section 6 and RFC 7516: not the payload of a JWT; the crate ignores them",
        explains: |case, rejection| {
            rejection.code() == Code::JwtMalformed
                && ["b64", "enc", "zip"].iter().any(|name| case.header(name).is_some())
        },
    },
    Class {
        name: "`kid` or `typ` is null",
        because: "RFC 7515 sections 4.1.4 and 4.1.9: strings; to the crate null is as good as none",
        explains: |case, rejection| {
            rejection.code() == Code::JwtMalformed
                && ["kid", "typ"]
                    .iter()
                    .any(|name| matches!(case.header(name), Some(Document::Null)))
        },
    },
    Class {
        name: "`alg`, `kid`, `typ` or `crit` spelled with an escape",
        because: "nobody who means well writes it, and readers that compare before they resolve \
                  it (RFC 7515 section 10.13) see another header",
        explains: |case, rejection| {
            let hidden = |name: &&str| {
                case.header(name).is_some() && !case.header_text.contains(&format!("\"{name}\""))
            };
            rejection.code() == Code::JwtMalformed
                && ["alg", "kid", "typ", "crit"].iter().any(hidden)
        },
    },
    Class {
        name: "critical parameters (`crit`)",
        because: "RFC 7515 section 4.1.11: what is critical and not understood, or no list of \
                  names, is invalid; the crate does not look at it",
        explains: |case, rejection| {
            *rejection == Rejection::Critical && case.header("crit").is_some()
        },
    },
    Class {
        name: "a `kid` that no key has",
        because: "RFC 7515 section 4.1.4; the crate is given a key and leaves the kid to its caller",
        explains: |case, rejection| {
            let kid = case.header.as_ref().ok().and_then(|header| header.string("kid"));
            *rejection == Rejection::KeyNotFound && kid.is_some_and(|kid| kid != case.kid)
        },
    },
    Class {
        name: "a `typ` that is not the one asked for",
        because: "RFC 8725 section 3.11; the crate never checks it",
        explains: |case, rejection| {
            let Some(expected) = case.typ else { return false };
            match (rejection, case.header.as_ref().ok().and_then(|header| header.string("typ"))) {
                (Rejection::Claim(Claim::Type, Reason::Missing), None) => true,
                (Rejection::Claim(Claim::Type, Reason::Mismatch), Some(typ)) => {
                    !same_type(typ, expected)
                }
                _ => false,
            }
        },
    },
    Class {
        name: "a registered claim of the wrong type",
        because: "RFC 7519 section 4.1; the crate never reads iat, jti and sid, takes several \
                  issuers, and looks at the others only where the verifier asks for them",
        explains: |case, rejection| {
            let Rejection::Claim(claim, Reason::Type) = rejection else { return false };
            case.claim(claim.name()).is_some_and(|value| match claim {
                Claim::Audience => !value.is_string() && !value.is_strings(),
                Claim::Expiry | Claim::IssuedAt | Claim::NotBefore => {
                    !matches!(value, Document::Number(_))
                }
                _ => !value.is_string(),
            })
        },
    },
    Class {
        name: "a time after the year 5138",
        because: "in milliseconds, most likely: it would never expire; the crate has no limit",
        explains: |case, rejection| {
            let Rejection::Claim(claim, Reason::Type) = rejection else { return false };
            matches!(claim, Claim::Expiry | Claim::IssuedAt | Claim::NotBefore)
                && case.date(claim.name()).is_some_and(|date| date > MAX_NUMERIC_DATE)
        },
    },
    Class {
        name: "issued in the future",
        because: "RFC 7519 section 4.1.6 says when it was issued, which has not come; the crate \
                  never reads it",
        explains: |case, rejection| {
            *rejection == Rejection::Claim(Claim::IssuedAt, Reason::Future)
                && case.date("iat").is_some_and(|iat| iat > case.now + case.tolerance)
        },
    },
    Class {
        name: "older than `maxAge`",
        because: "an option the crate does not have",
        explains: |case, rejection| match (case.max_age, case.date("iat")) {
            (Some(_), None) => {
                *rejection == Rejection::Claim(Claim::IssuedAt, Reason::NeededForAge)
            }
            (Some(max_age), Some(iat)) => {
                *rejection == Rejection::TooOld && case.now - iat >= max_age + case.tolerance
            }
            _ => false,
        },
    },
    Class {
        name: "in the second of its expiry",
        because: "RFC 7519 section 4.1.4: not on or after it; the crate rounds to whole seconds \
                  and refuses after it",
        explains: |case, rejection| {
            let limit = case.now - case.tolerance;
            *rejection == Rejection::Expired
                && case.date("exp").is_some_and(|exp| exp <= limit && exp >= limit - 0.5)
        },
    },
    Class {
        name: "in the half second before it is active",
        because: "RFC 7519 section 4.1.5: not before it; the crate rounds to whole seconds",
        explains: |case, rejection| {
            let limit = case.now + case.tolerance;
            *rejection == Rejection::NotActive
                && case.date("nbf").is_some_and(|nbf| nbf > limit && nbf < limit + 0.5)
        },
    },
];

/// The tokens that only we accept. In none of these classes do we leave out a check.
pub(super) const LAXER: [Class<ErrorKind>; 5] = [
    Class {
        name: "padded",
        because: "an option for load balancers of AWS, signed over the padding (RFC 4648 section \
                  3.2); the crate refuses padding",
        explains: |case, kind| {
            let is_whole = |segment: &str| {
                let bare = segment.trim_end_matches('=');
                let padding = segment.len() - bare.len();
                padding == 0 || padding == (4 - bare.len() % 4) % 4
            };
            matches!(kind, ErrorKind::Base64(_))
                && case.form.may_be_padded
                && case.token.contains('=')
                && case.token.split('.').all(is_whole)
        },
    },
    Class {
        name: "ES512 and the name Ed25519",
        because: "RFC 7518 section 3.4 and RFC 9864; the crate has neither",
        explains: |case, kind| {
            let alg = case.header.as_ref().ok().and_then(|header| header.string("alg"));
            let is_lacking = match case.algorithm {
                Algorithm::Es512 => alg == Some("ES512"),
                Algorithm::EdDsa | Algorithm::Ed25519 => alg == Some("Ed25519"),
                _ => false,
            };
            // The crate gets no further than the name.
            is_lacking
                && matches!(kind, ErrorKind::Json(error)
                    if error.to_string().starts_with("unknown variant"))
        },
    },
    Class {
        name: "a header parameter that is not read has another type",
        because: "RFC 7515 section 4: what is not understood must be ignored; where a token says \
                  its key is (jku, jwk, x5u, x5c) we never look; the crate reads them into types",
        explains: |case, kind| {
            let strings = ["jku", "x5u", "x5t", "x5t#S256", "cty", "url", "nonce"];
            let is_other = |name: &&str| case.header(name).is_some_and(|value| !value.is_string());
            matches!(kind, ErrorKind::Json(_))
                && (strings.iter().any(is_other)
                    || case.header("x5c").is_some_and(|value| !value.is_strings())
                    // The generator makes no value that is a JWK.
                    || case.header("jwk").is_some())
        },
    },
    Class {
        name: "not before a time before 1970",
        because: "RFC 7519 section 2: a NumericDate is a number; the crate's are u64",
        explains: |case, kind| {
            matches!(kind, ErrorKind::InvalidClaimFormat(claim) if claim == "nbf")
                && case.date("nbf").is_some_and(|nbf| nbf < 0.0)
        },
    },
    Class {
        name: "a number beyond a double",
        because: "RFC 8259 section 6: JSON has no limit, and JSON.parse says Infinity; where a \
                  date has it we refuse, too",
        explains: |case, kind| {
            let beyond = |read: &Result<Document, serde_json::Error>| {
                read.as_ref().is_err_and(|error| error.to_string().contains("out of range"))
            };
            matches!(kind, ErrorKind::Json(_)) && (beyond(&case.header) || beyond(&case.payload))
        },
    },
];

impl Case<'_> {
    fn header(&self, name: &str) -> Option<&Document> {
        self.header.as_ref().ok()?.get(name)
    }

    fn claim(&self, name: &str) -> Option<&Document> {
        self.payload.as_ref().ok()?.get(name)
    }

    fn date(&self, name: &str) -> Option<f64> {
        self.payload.as_ref().ok()?.number(name)
    }

    fn any(&self, holds: fn(&Document) -> bool) -> bool {
        [&self.header, &self.payload].into_iter().flatten().any(holds)
    }
}
