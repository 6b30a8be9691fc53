//! The reasons for refusing a token, as values. Refusing is a verifier's ordinary work, and an
//! attacker decides how often it happens, so a refusal costs no allocation and no JavaScript
//! exception.

use crate::error::Code;

/// The most claims that a verifier may require.
pub const MAX_REQUIRED: u8 = 100;

/// The most claims for which a verifier may name exact values.
pub const MAX_EXACT: u8 = 100;

/// Makes the claims from rows: the variant, its number in a status, and the member's name.
macro_rules! claims {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal;)+) => {
        /// A registered claim (RFC 7519 section 4.1), or one that this library gives a meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Claim {
            $($(#[$doc])* $variant = $number,)+
        }

        impl Claim {
            const ALL: [Self; [$($number),+].len()] = [$(Self::$variant),+];

            /// The length of the longest member name.
            pub const LONGEST_NAME: usize = {
                let (names, mut longest, mut at) = ([$($name),+], 0, 0);
                while at < names.len() {
                    if names[at].len() > longest {
                        longest = names[at].len();
                    }
                    at += 1;
                }
                longest
            };

            /// The member name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// The claim with this member name.
            pub fn named(name: &str) -> Option<Self> {
                Some(match name {
                    $($name => Self::$variant,)+
                    _ => return None,
                })
            }
        }
    };
}

claims! {
    /// `aud`
    Audience = 1, "aud";
    /// `exp`
    Expiry = 2, "exp";
    /// `iat`
    IssuedAt = 3, "iat";
    /// `iss`
    Issuer = 4, "iss";
    /// `jti`
    Id = 5, "jti";
    /// `nbf`
    NotBefore = 6, "nbf";
    /// `sid` (OpenID Connect Front-Channel Logout 1.0 section 3)
    Session = 7, "sid";
    /// `sub`
    Subject = 8, "sub";
    /// The `typ` header parameter.
    Type = 9, "typ";
    /// `client_id` (RFC 8693 section 4.3), of access tokens only.
    Client = 10, "client_id";
}

/// The fault of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Reason {
    /// It is missing.
    Missing = 1,
    /// It has the wrong JSON type.
    Type,
    /// It is present and well formed, but not what the verifier expects.
    Mismatch,
}

impl Reason {
    const ALL: [Self; 3] = [Self::Missing, Self::Type, Self::Mismatch];

    /// The name of the reason in JavaScript.
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
            Self::Type => format!("the token's \"{claim}\" has the wrong type"),
            Self::Mismatch => format!("the token's \"{claim}\" is not accepted"),
        }
    }
}

/// Makes the rejections from rows: the variant, its status, its stable code, and a sentence that
/// tells a client nothing about keys or policy. The rejections that are about a claim are added
/// separately.
macro_rules! rejections {
    ($($(#[$doc:meta])* $variant:ident = $status:literal, $code:ident, $message:literal;)+) => {
        /// Why a token is refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Rejection {
            /// A claim is missing, has the wrong type, or does not have the expected value.
            Claim(Claim, Reason),
            /// The claim with this index in the verifier's list of required ones is missing.
            Required(u8),
            /// The claim with this index in the verifier's list of exact ones is missing, or has
            /// another value.
            Exact(u8, Reason),
            $($(#[$doc])* $variant,)+
        }

        impl Rejection {
            /// The rejections that are not about a claim.
            const OTHERS: [Self; [$($status),+].len()] = [$(Self::$variant),+];

            /// The stable code.
            pub const fn code(self) -> Code {
                match self {
                    Self::Claim(..) | Self::Required(_) | Self::Exact(..) => Code::JwtClaim,
                    $(Self::$variant => Code::$code,)+
                }
            }

            /// A sentence that tells a client nothing about keys or policy.
            pub fn message(self) -> String {
                match self {
                    Self::Claim(claim, reason) => reason.message(claim.name()),
                    Self::Required(_) => "the token lacks a required claim".into(),
                    Self::Exact(..) => "the token lacks a claim with an accepted value".into(),
                    $(Self::$variant => $message.into(),)+
                }
            }

            /// The status that JavaScript gets. From the low byte up: the kind, the claim or the
            /// index of the claim in the verifier's list, the reason.
            pub const fn to_status(self) -> u32 {
                match self {
                    Self::Claim(claim, reason) => 2 | (claim as u32) << 8 | (reason as u32) << 16,
                    Self::Required(index) => 12 | (index as u32) << 8,
                    Self::Exact(index, reason) => 20 | (index as u32) << 8 | (reason as u32) << 16,
                    $(Self::$variant => $status,)+
                }
            }
        }
    };
}

rejections! {
    /// The token names an algorithm that the verifier does not accept.
    Algorithm = 1, JwtAlgorithm, "the token's algorithm is not accepted";
    /// `crit` is present, and no extension is supported.
    Critical = 3, JwtCritical, "the token has critical header parameters";
    /// `exp` has passed, or the token is older than `maxAge`.
    Expired = 4, JwtExpired, "the token has expired";
    /// No key matches.
    KeyNotFound = 5, JwtKeyNotFound, "no key matches the token";
    /// Not a compact JWS of JSON objects within the limits.
    Malformed = 6, JwtMalformed, "this is not a well-formed token";
    /// The time in `nbf` has not come yet.
    NotActive = 7, JwtNotActive, "the token is not active yet";
    /// Revoked by token, session, subject or key.
    Revoked = 8, JwtRevoked, "the token has been revoked";
    /// The signature does not verify.
    Signature = 9, JwtSignature, "the token's signature does not verify";
    /// The revocation list cannot answer.
    RevocationUnavailable = 10, RevocationClosed, "the revocation list is closed";
    /// The keys that another service publishes have not been loaded, or were loaded too long ago.
    KeysUnavailable = 11, JwtKeysUnavailable,
        "the verification keys are not available; try again later";
    /// The header has a parameter that tokens of this kind must not have.
    HeaderParameter = 13, JwtMalformed, "the token's header has a parameter that is not allowed";
    /// The key is published for another issuer.
    KeyIssuer = 40, JwtClaim,
        "the token's \"iss\" is not the \"issuer\" for which its key is published";
}

impl Rejection {
    /// The claim and its fault, if a claim is the cause. `None` for [`Self::Required`] and
    /// [`Self::Exact`], whose claims the verifier knows.
    pub const fn detail(self) -> Option<(Claim, Reason)> {
        match self {
            Self::Claim(claim, reason) => Some((claim, reason)),
            Self::KeyIssuer => Some((Claim::Issuer, Reason::Mismatch)),
            _ => None,
        }
    }

    /// The inverse of [`Self::to_status`].
    pub fn from_status(status: u32) -> Option<Self> {
        Self::all().find(|rejection| rejection.to_status() == status)
    }

    /// Every possible rejection.
    pub fn all() -> impl Iterator<Item = Self> {
        let claims = Claim::ALL.into_iter().flat_map(|claim| {
            Reason::ALL.into_iter().map(move |reason| Self::Claim(claim, reason))
        });
        let required = (0..MAX_REQUIRED).map(Self::Required);
        let exact = (0..MAX_EXACT).flat_map(|index| {
            Reason::ALL.into_iter().map(move |reason| Self::Exact(index, reason))
        });
        claims.chain(required).chain(exact).chain(Self::OTHERS)
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
