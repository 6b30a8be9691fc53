//! Why a token is refused, as a value: refusing is a verifier's ordinary work, and an attacker
//! decides how often it happens, so it costs no allocation and no JavaScript exception.

use crate::error::Code;

/// How many claims a verifier may require.
pub const MAX_REQUIRED: u8 = 100;

/// A registered claim (RFC 7519 section 4.1), or one that this library gives a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Claim {
    /// `aud`
    Audience = 1,
    /// `exp`
    Expiry,
    /// `iat`
    IssuedAt,
    /// `iss`
    Issuer,
    /// `jti`
    Id,
    /// `nbf`
    NotBefore,
    /// `sid` (OpenID Connect Front-Channel Logout 1.0 section 3)
    Session,
    /// `sub`
    Subject,
    /// The `typ` header parameter.
    Type,
    /// `client_id` (RFC 8693 section 4.3), of access tokens only.
    Client,
}

impl Claim {
    const ALL: [Self; 10] = [
        Self::Audience,
        Self::Expiry,
        Self::IssuedAt,
        Self::Issuer,
        Self::Id,
        Self::NotBefore,
        Self::Session,
        Self::Subject,
        Self::Type,
        Self::Client,
    ];

    /// The member name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Audience => "aud",
            Self::Expiry => "exp",
            Self::IssuedAt => "iat",
            Self::Issuer => "iss",
            Self::Id => "jti",
            Self::NotBefore => "nbf",
            Self::Session => "sid",
            Self::Subject => "sub",
            Self::Type => "typ",
            Self::Client => "client_id",
        }
    }
}

/// What is wrong with a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Reason {
    /// It is not there.
    Missing = 1,
    /// It is of the wrong JSON type.
    Type,
    /// It is there and well formed, but not what the verifier expects.
    Mismatch,
}

impl Reason {
    const ALL: [Self; 3] = [Self::Missing, Self::Type, Self::Mismatch];

    /// The text of `reason` in JavaScript.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Type => "type",
            Self::Mismatch => "mismatch",
        }
    }

    /// A sentence about the claim of this name.
    pub fn message(self, claim: &str) -> String {
        match self {
            Self::Missing => format!("the token has no \"{claim}\""),
            Self::Type => format!("the token's \"{claim}\" is of the wrong type"),
            Self::Mismatch => format!("the token's \"{claim}\" is not accepted"),
        }
    }
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// Signed with an algorithm that the verifier does not accept.
    Algorithm,
    /// A claim that is missing, mistyped or not what is expected.
    Claim(Claim, Reason),
    /// `crit` is present: no extension is understood.
    Critical,
    /// `exp` has passed, or the token is older than `maxAge`.
    Expired,
    /// A header parameter that tokens of this kind do not have.
    HeaderParameter,
    /// No key matches.
    KeyNotFound,
    /// Keys that somebody else publishes have not been loaded, or too long ago.
    KeysUnavailable,
    /// Not a compact JWS of JSON objects within the limits.
    Malformed,
    /// `nbf` has not come.
    NotActive,
    /// The claim with this index in the verifier's list of required ones is missing.
    Required(u8),
    /// The revocation list cannot answer.
    RevocationUnavailable,
    /// Revoked by token, session, subject or key.
    Revoked,
    /// The signature does not verify.
    Signature,
}

impl Rejection {
    /// The stable code.
    pub const fn code(self) -> Code {
        match self {
            Self::Algorithm => Code::JwtAlgorithm,
            Self::Claim(..) | Self::Required(_) => Code::JwtClaim,
            Self::Critical => Code::JwtCritical,
            Self::Expired => Code::JwtExpired,
            Self::KeyNotFound => Code::JwtKeyNotFound,
            Self::KeysUnavailable => Code::JwtKeysUnavailable,
            Self::HeaderParameter | Self::Malformed => Code::JwtMalformed,
            Self::NotActive => Code::JwtNotActive,
            Self::RevocationUnavailable => Code::RevocationClosed,
            Self::Revoked => Code::JwtRevoked,
            Self::Signature => Code::JwtSignature,
        }
    }

    /// A sentence that tells a client nothing about keys or policy.
    pub fn message(self) -> String {
        match self {
            Self::Algorithm => "the token's algorithm is not accepted".into(),
            Self::Claim(claim, reason) => reason.message(claim.name()),
            Self::Critical => "the token has critical header parameters".into(),
            Self::Expired => "the token has expired".into(),
            Self::KeyNotFound => "no key matches the token".into(),
            Self::KeysUnavailable => {
                "the keys that tokens are verified with are not available; try again later".into()
            }
            Self::HeaderParameter => {
                "the token's header has a parameter that is not allowed".into()
            }
            Self::Malformed => "this is not a well-formed token".into(),
            Self::NotActive => "the token is not active yet".into(),
            Self::Required(_) => "the token lacks a claim that is required".into(),
            Self::RevocationUnavailable => "the revocation list is closed".into(),
            Self::Revoked => "the token has been revoked".into(),
            Self::Signature => "the token's signature does not verify".into(),
        }
    }

    /// The claim and what is wrong with it, where a claim is the cause.
    pub const fn detail(self) -> Option<(Claim, Reason)> {
        match self {
            Self::Claim(claim, reason) => Some((claim, reason)),
            _ => None,
        }
    }

    /// One number for the border: kind, claim or its index, reason from the low byte up.
    pub const fn to_status(self) -> u32 {
        match self {
            Self::Algorithm => 1,
            Self::Claim(claim, reason) => 0x02 | (claim as u32) << 8 | (reason as u32) << 16,
            Self::Critical => 3,
            Self::Expired => 4,
            Self::KeyNotFound => 5,
            Self::Malformed => 6,
            Self::NotActive => 7,
            Self::Revoked => 8,
            Self::Signature => 9,
            Self::RevocationUnavailable => 10,
            Self::KeysUnavailable => 11,
            Self::HeaderParameter => 13,
            Self::Required(index) => 0x0c | (index as u32) << 8,
        }
    }

    /// The inverse of [`Self::to_status`].
    pub fn from_status(status: u32) -> Option<Self> {
        Self::all().find(|rejection| rejection.to_status() == status)
    }

    /// Every rejection there is.
    pub fn all() -> impl Iterator<Item = Self> {
        let claims = Claim::ALL.into_iter().flat_map(|claim| {
            Reason::ALL.into_iter().map(move |reason| Self::Claim(claim, reason))
        });
        let required = (0..MAX_REQUIRED).map(Self::Required);
        claims.chain(required).chain([
            Self::Algorithm,
            Self::Critical,
            Self::Expired,
            Self::HeaderParameter,
            Self::KeyNotFound,
            Self::KeysUnavailable,
            Self::Malformed,
            Self::NotActive,
            Self::RevocationUnavailable,
            Self::Revoked,
            Self::Signature,
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_distinct_and_reversible() {
        for rejection in Rejection::all() {
            assert_eq!(Rejection::from_status(rejection.to_status()), Some(rejection));
            assert!(!rejection.message().is_empty());
        }
        assert_eq!(Rejection::from_status(0), None);
    }
}
