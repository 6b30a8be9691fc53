//! The limits on the lifetime and the number of sessions.

/// The limits on the lifetime and the number of sessions.
#[derive(Clone, Copy, Debug)]
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
    /// The most sessions at a time; one million.
    pub max_sessions: usize,
}

impl Default for SessionLimits {
    fn default() -> Self {
        let refresh_ttl = 30 * 24 * 3600;
        Self { refresh_ttl, idle_ttl: refresh_ttl, grace: 30, max_sessions: 1_000_000 }
    }
}
