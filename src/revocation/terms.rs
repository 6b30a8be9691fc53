//! The limits, arguments and results of a list.

/// The largest clock tolerance of a verifier, in seconds. Every entry is kept this much longer than
/// the tokens that it revokes.
pub const MAX_CLOCK_TOLERANCE: u64 = 300;

/// The limits of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListLimits {
    /// Entries of all kinds together; at most 64 bytes each.
    pub max_entries: usize,
    /// The longest lifetime of a token that is checked against the list, in seconds.
    pub max_token_ttl: u64,
    /// The reaction to a revocation when the list is full.
    pub on_full: OnFull,
}

impl Default for ListLimits {
    /// One million entries, 30 days, and an error when the list is full.
    fn default() -> Self {
        Self { max_entries: 1_000_000, max_token_ttl: 30 * 24 * 3600, on_full: OnFull::Error }
    }
}

/// The reaction to a revocation when the list is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFull {
    /// Fails with `ERR_REVOCATION_FULL`, so that the caller learns that nothing was revoked.
    Error,
    /// Refuses every token issued until now, which makes room.
    RejectOlder,
}

/// The issuer (`iss`) whose ids are meant, or any issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    /// Tokens of every issuer, and tokens without one.
    Any,
    /// Tokens of this issuer.
    Issuer(&'a str),
}

/// The claims and the key of a token for which revocation is checked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Query<'a> {
    /// `iss`
    pub issuer: Option<&'a str>,
    /// `jti`
    pub id: Option<&'a str>,
    /// `sid`
    pub session: Option<&'a str>,
    /// `sub`
    pub subject: Option<&'a str>,
    /// `iat`, in seconds. Without it, a token of a revoked subject counts as revoked.
    pub issued_at: Option<f64>,
    /// `kid` of the key that signed.
    pub kid: Option<&'a str>,
}

/// Numbers of entries, for monitoring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Revoked token ids.
    pub ids: usize,
    /// Revoked sessions.
    pub sessions: usize,
    /// Subjects whose tokens are refused up to a time of issue.
    pub subjects: usize,
    /// Revoked keys.
    pub keys: usize,
    /// Issuers, or all issuers together, whose tokens are refused up to a time of issue.
    pub all: usize,
    /// The maximum number of entries of all kinds together.
    pub max_entries: usize,
    /// All tokens issued at or before this second are refused, unless their ids prove that they
    /// were issued later; 0 unless the list has been full under [`OnFull::RejectOlder`], or its
    /// store has lost commits.
    pub rejects_issued_until: u64,
}

/// The properties by which a token may be revoked. Each is hashed under its own key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `jti`
    Id = 0,
    /// `sid`
    Session = 1,
    /// `sub`
    Subject = 2,
    /// `kid` of the key that signed.
    Key = 3,
    /// Every token has it; the scope tells the issuer.
    All = 4,
}

impl Field {
    pub(super) const ALL: [Self; 5] =
        [Self::Id, Self::Session, Self::Subject, Self::Key, Self::All];

    /// The name in JavaScript.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Session => "session",
            Self::Subject => "subject",
            Self::Key => "key",
            Self::All => "all",
        }
    }
}

/// A revocation, for listeners. It names no id, because other processes know none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// The property by which tokens are refused.
    pub field: Field,
    /// When the last token that it refuses has expired, in seconds since 1970; `None` for a key.
    pub until: Option<u64>,
    /// Where it was revoked.
    pub origin: Origin,
}

/// Where a token was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In this process, by any of its threads.
    Local,
    /// In another process.
    Remote,
}

impl Origin {
    /// The name in JavaScript.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Remote => "remote",
        }
    }
}
