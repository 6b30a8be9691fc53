//! How long sessions live, and how many there are.

/// How long sessions live.
#[derive(Clone, Copy, Debug)]
pub struct SessionLimits {
    /// The life of a session from its start, however often it is refreshed, in seconds; 30 days.
    pub refresh_ttl: u64,
    /// The longest time between two refreshes, in seconds; `refresh_ttl` when it is longer.
    pub idle_ttl: u64,
    /// For how long after a rotation the token it replaced still gets the same successor, in
    /// seconds; 30, at most 300. Responses get lost, and clients refresh twice at once.
    pub grace: u64,
    /// Sessions at once; a million.
    pub max_sessions: usize,
}

impl Default for SessionLimits {
    fn default() -> Self {
        let refresh_ttl = 30 * 24 * 3600;
        Self { refresh_ttl, idle_ttl: refresh_ttl, grace: 30, max_sessions: 1_000_000 }
    }
}
