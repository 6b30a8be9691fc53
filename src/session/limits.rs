//! The limits on the lifetime and the number of sessions.

/// The limits on the lifetime and the number of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// The lifetime of a session from its start, however often it is refreshed, in seconds; 30
    /// days.
    pub refresh_ttl: u64,
    /// The longest time between two refreshes, in seconds. If it is longer than `refresh_ttl`,
    /// `refresh_ttl` applies.
    pub idle_ttl: u64,
    /// How long after a rotation the replaced token still gets the same successor, in seconds; 30,
    /// at most 300. Needed because responses get lost and clients refresh twice at once.
    pub grace: u64,
    /// Whether the replaced token gets another successor after that time, as long as the last one
    /// has not been used. The last one is then void.
    pub retry_until_used: bool,
    /// The most sessions at a time; one million.
    pub max_sessions: usize,
    /// The most sessions of one subject; a tenth of that.
    pub max_sessions_per_subject: usize,
    /// The reaction to one more session of a subject.
    pub on_limit: OnLimit,
}

/// The reaction to one more session of a subject that has as many as it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnLimit {
    /// Fails with `ERR_SESSION_LIMIT`.
    Reject,
    /// Ends the subject's oldest session.
    EndOldest,
}

impl Default for SessionLimits {
    fn default() -> Self {
        let refresh_ttl = 30 * 24 * 3600;
        Self {
            refresh_ttl,
            idle_ttl: refresh_ttl,
            grace: 30,
            retry_until_used: false,
            max_sessions: 1_000_000,
            max_sessions_per_subject: 100_000,
            on_limit: OnLimit::Reject,
        }
    }
}
