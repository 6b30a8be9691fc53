//! The claims that this library knows, and the faults that a claim can have.

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
            pub(super) const ALL: [Self; [$($number),+].len()] = [$(Self::$variant),+];

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
    /// It has none of the exact values that the verifier accepts.
    Inexact,
    /// It is missing, and `maxAge` is counted from it.
    NeededForAge,
    /// It is missing, and without it the token could not be revoked.
    NeededToRevoke,
    /// It is in the future.
    Future,
    /// It is later than the revocation list remembers the token.
    Outlives,
    /// It names an issuer for whom there is no verifier.
    Unknown,
}

impl Reason {
    pub(super) const ALL: [Self; 9] = [
        Self::Missing,
        Self::Type,
        Self::Mismatch,
        Self::Inexact,
        Self::NeededForAge,
        Self::NeededToRevoke,
        Self::Future,
        Self::Outlives,
        Self::Unknown,
    ];

    /// The name of the reason in JavaScript.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing | Self::NeededForAge | Self::NeededToRevoke => "missing",
            Self::Type => "type",
            Self::Mismatch | Self::Inexact | Self::Future | Self::Outlives | Self::Unknown => {
                "mismatch"
            }
        }
    }

    /// A sentence about the claim of this name, which the verifier's options or a standard give.
    pub fn message(self, claim: &str) -> String {
        let fault = match (self, claim) {
            (Self::Missing, _) => return format!("the token has no \"{claim}\""),
            (Self::NeededForAge, _) => {
                return format!("the token has no \"{claim}\", from which maxAge is counted");
            }
            (Self::NeededToRevoke, _) => {
                return format!("the token has no \"{claim}\", so it could not be revoked");
            }
            (Self::Type, "exp" | "iat" | "nbf") => {
                "is not a number of seconds since 1970, up to 1e11"
            }
            (Self::Type, "aud") => "is neither a string nor an array of strings",
            (Self::Type, _) => "is not a string",
            (Self::Mismatch, "iss") => "is none of the names in the verifier's issuer",
            (Self::Mismatch, "aud") => "has none of the names in the verifier's audience",
            (Self::Mismatch, "sub") => "is not a SPIFFE ID of a workload in the trust domain",
            (Self::Mismatch, "typ") => "is not the type that the verifier expects",
            (Self::Mismatch, _) => "is not accepted",
            (Self::Inexact, _) => "has none of the values that the verifier's claims allow",
            (Self::Future, _) => {
                "is in the future: allow for clocks that differ with clockTolerance"
            }
            (Self::Outlives, _) => {
                "is too late: the token lives longer than the revocation list's maxTokenTtl"
            }
            (Self::Unknown, _) => "names an issuer for whom there is no verifier",
        };
        format!("the token's \"{claim}\" {fault}")
    }
}
