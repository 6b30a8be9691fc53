//! The reasons for refusing a token, as values. Refusing is a verifier's ordinary work, and an
//! attacker decides how often it happens, so a refusal costs no allocation and no JavaScript
//! exception.

pub use super::claim::{Claim, Reason};
use super::malformation::Malformation;
use crate::error::Code;

/// The most claims that a verifier may require.
pub const MAX_REQUIRED: u8 = 100;

/// The most claims for which a verifier may name exact values.
pub const MAX_EXACT: u8 = 100;

/// Makes the rejections from rows: the variant, its status, its stable code, and a sentence that
/// tells a developer the reason and holds nothing of the token. The rejections that are about a
/// claim are added separately.
macro_rules! rejections {
    ($($(#[$doc:meta])* $variant:ident = $status:literal, $code:ident, $message:literal;)+) => {
        /// Why a token is refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Rejection {
            /// A claim is missing, has the wrong type, or does not have the expected value.
            Claim(Claim, Reason),
            /// Not a compact JWS of JSON objects within the limits.
            Malformed(Malformation),
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
                    Self::Malformed(_) => Code::JwtMalformed,
                    $(Self::$variant => Code::$code,)+
                }
            }

            /// A sentence for a developer, without anything of the token.
            pub fn message(self) -> String {
                match self {
                    Self::Claim(claim, reason) => reason.message(claim.name()),
                    Self::Required(_) => "the token lacks a required claim".into(),
                    Self::Exact(..) => "the token lacks a claim with an accepted value".into(),
                    Self::Malformed(fault) => fault.message(),
                    $(Self::$variant => $message.into(),)+
                }
            }

            /// The status that JavaScript gets. From the low byte up: the kind; the claim, the
            /// index of the claim in the verifier's list or the malformation; the reason.
            pub const fn to_status(self) -> u32 {
                match self {
                    Self::Claim(claim, reason) => 2 | (claim as u32) << 8 | (reason as u32) << 16,
                    Self::Required(index) => 12 | (index as u32) << 8,
                    Self::Exact(index, reason) => 20 | (index as u32) << 8 | (reason as u32) << 16,
                    Self::Malformed(fault) => 6 | fault.number() << 8,
                    $(Self::$variant => $status,)+
                }
            }
        }
    };
}

rejections! {
    /// The token names an algorithm that the verifier does not accept.
    Algorithm = 1, JwtAlgorithm, "the token's \"alg\" is none of the accepted algorithms";
    /// `crit` is present, and no extension is supported.
    Critical = 3, JwtCritical,
        "the token has critical header parameters (\"crit\"), and none is supported";
    /// `exp` has passed.
    Expired = 4, JwtExpired, "the token has expired: its \"exp\" has passed";
    /// No key has the token's `kid`.
    KeyNotFound = 5, JwtKeyNotFound, "no key has the token's \"kid\"";
    /// The time in `nbf` has not come yet.
    NotActive = 7, JwtNotActive, "the token is not active yet: its \"nbf\" is in the future";
    /// Revoked by token, session, subject or key.
    Revoked = 8, JwtRevoked,
        "the token has been revoked, or its session, its subject or its key";
    /// The signature does not verify.
    Signature = 9, JwtSignature, "the token's signature does not verify";
    /// The revocation list cannot answer.
    RevocationUnavailable = 10, RevocationClosed,
        "the verifier's revocation list is closed, so no token is accepted";
    /// The store of the revocation list cannot answer.
    RevocationStore = 29, RevocationStore,
        "the store of the verifier's revocation list cannot answer, so no token is accepted";
    /// The server of the revocation list was silent for too long.
    RevocationStale = 34, RevocationStale,
        "the server of the verifier's revocation list has not answered for maxStaleness, so no \
         token is accepted";
    /// The store of the key ring cannot answer.
    KeyringStore = 33, RevocationStore,
        "the store of the verifier's key ring cannot answer, so no token is accepted";
    /// The keys that another service publishes have not been loaded, or were loaded too long ago.
    KeysUnavailable = 11, JwtKeysUnavailable,
        "the keys of the RemoteJwks have not been fetched, or too long ago; try again later";
    /// The token is older than `maxAge`.
    TooOld = 24, JwtExpired, "the token is older than maxAge";
    /// The key with the token's `kid` has another algorithm.
    KeyAlgorithm = 25, JwtAlgorithm,
        "the key with the token's \"kid\" is for another algorithm than the token's \"alg\"";
    /// The token names no key, and not exactly one key has its algorithm.
    Nameless = 26, JwtKeyNotFound,
        "the token has no \"kid\", and not exactly one key is for its \"alg\"";
    /// The key is published for another issuer.
    KeyIssuer = 28, JwtClaim,
        "the token's \"iss\" is not the \"issuer\" for which its key is published";
    /// The key ring has revoked the key.
    KeyRevoked = 27, JwtRevoked, "the key with the token's \"kid\" has been revoked";
}

impl From<Malformation> for Rejection {
    fn from(fault: Malformation) -> Self {
        Self::Malformed(fault)
    }
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

    /// Whether a verifier that gives this rejection has verified the signature before, so that the
    /// claims of the token are its issuer's.
    pub const fn follows_signature(self) -> bool {
        match self {
            Self::Claim(..)
            | Self::Exact(..)
            | Self::Expired
            | Self::KeyIssuer
            | Self::NotActive
            | Self::Required(_)
            | Self::RevocationUnavailable
            | Self::RevocationStale
            | Self::RevocationStore
            | Self::Revoked
            | Self::TooOld => true,
            // The payload is decoded after the signature has been verified, and the rest before.
            Self::Malformed(_)
            | Self::Algorithm
            | Self::Critical
            | Self::KeyAlgorithm
            | Self::KeyNotFound
            | Self::KeyRevoked
            | Self::KeyringStore
            | Self::KeysUnavailable
            | Self::Nameless
            | Self::Signature => false,
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
        let malformed = Malformation::all().map(Self::Malformed);
        claims.chain(required).chain(exact).chain(malformed).chain(Self::OTHERS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_distinct_and_reversible() {
        for rejection in Rejection::all() {
            assert_eq!(Rejection::from_status(rejection.to_status()), Some(rejection));
        }
        assert_eq!(Rejection::from_status(0), None);
    }

    #[test]
    fn no_two_reasons_have_the_same_message() {
        let distinct = Claim::ALL.len() * Reason::ALL.len()
            + Malformation::all().count()
            + Rejection::OTHERS.len();
        let messages: std::collections::HashSet<_> = Rejection::all()
            .filter(|rejection| !matches!(rejection, Rejection::Required(_) | Rejection::Exact(..)))
            .map(Rejection::message)
            .collect();
        assert_eq!(messages.len(), distinct);
    }
}
