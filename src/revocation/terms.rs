//! The bounds of a list, its arguments and its answers.

/// The largest clock tolerance a verifier may have, in seconds, and how long every entry is kept
/// beyond the expiry of the tokens that it revokes.
pub const MAX_CLOCK_TOLERANCE: u64 = 300;

/// The bounds of a list.
#[derive(Clone, Copy, Debug)]
pub struct ListLimits {
    /// Entries of all kinds together; 40 to 70 bytes each.
    pub max_entries: usize,
    /// The longest life of a token that is checked against the list, in seconds.
    pub max_token_ttl: u64,
    /// What happens to a revocation that finds no room.
    pub on_full: OnFull,
}

impl Default for ListLimits {
    /// A million entries, 30 days, an error.
    fn default() -> Self {
        Self { max_entries: 1_000_000, max_token_ttl: 30 * 24 * 3600, on_full: OnFull::Error }
    }
}

/// What happens to a revocation that finds no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFull {
    /// `ERR_REVOCATION_FULL`: the caller learns that nothing was revoked.
    Error,
    /// Every token issued until now is refused, which makes the room.
    RejectOlder,
}

/// Whose ids are meant: those of one issuer (`iss`), or of any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    /// Tokens of every issuer, and tokens without one.
    Any,
    /// Tokens of this issuer.
    Issuer(&'a str),
}

/// What is known of a token when it is asked whether it has been revoked.
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
    /// `iat`, seconds. A revoked subject's token without it counts as revoked.
    pub issued_at: Option<f64>,
    /// `kid` of the key that signed.
    pub kid: Option<&'a str>,
}

/// Counts, for monitoring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Revoked token ids.
    pub ids: usize,
    /// Revoked sessions.
    pub sessions: usize,
    /// Subjects with a moment before which their tokens are refused.
    pub subjects: usize,
    /// Revoked keys.
    pub keys: usize,
    /// The bound of their sum.
    pub max_entries: usize,
    /// Tokens issued at or before this time are refused altogether: 0, unless the list has been
    /// full under [`OnFull::RejectOlder`].
    pub rejects_issued_until: u64,
}
