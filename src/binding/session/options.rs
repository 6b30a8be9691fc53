//! The options of `Sessions`.

use std::sync::Arc;

use crate::binding::args::options;
use crate::binding::args::scalars::MAX_DURATION;
use crate::binding::clock::ClockOptions;
use crate::binding::store::OpenStore;
use crate::jwt::{Issuer, MAX_TOKEN_LEN};
use crate::revocation::RevocationList;
use crate::session::{MAX_META, OnLimit, SessionLimits};

/// The most sessions.
const MAX_SESSIONS: usize = 100_000_000;

const ON_LIMIT: [(&str, OnLimit); 2] =
    [("reject", OnLimit::Reject), ("end-oldest", OnLimit::EndOldest)];

options! {
    /// The options of `Sessions`.
    pub(in crate::binding) struct SessionOptions for "Sessions" {
        /// The issuer of the access tokens.
        issuer("issuer"): Arc<Issuer> = required(|issuer| issuer.handle()),
        /// The list on which ended sessions are revoked.
        revocations("revocations"): Arc<RevocationList> = required(|list| list.handle()),
        /// The store that keeps the sessions; without it they are in memory.
        store("store"): Option<Arc<OpenStore>> = optional(|store| store.handle()),
        /// The limits.
        limits: LimitFields = flatten(LimitFields),
        /// The clock.
        clock: ClockOptions = flatten(ClockOptions),
    }
}

options! {
    /// The limits of sessions.
    pub(in crate::binding) struct LimitFields {
        /// How long a session lasts at most, in seconds.
        refresh_ttl("refreshTtl"): Option<u64> = optional(|ttl| ttl.duration(1..=MAX_DURATION)),
        /// How long an unused session lasts, in seconds; as `refreshTtl` unless given.
        idle_ttl("idleTtl"): Option<u64> = optional(|ttl| ttl.duration(1..=MAX_DURATION)),
        /// How long a rotated token still returns the same successor, in seconds.
        grace("grace"): Option<u64> = optional(|grace| grace.duration(0..=300)),
        /// Whether it returns another one afterwards.
        retry_until_used("retryUntilUsed"): bool = default(false, |retry| retry.boolean()),
        /// The most sessions.
        max_sessions("maxSessions"): Option<usize> = optional(|max| max.length(1..=MAX_SESSIONS)),
        /// The most sessions of one subject.
        max_sessions_per_subject("maxSessionsPerSubject"): Option<usize> =
            optional(|max| max.length(1..=MAX_SESSIONS)),
        /// The reaction to one more.
        on_session_limit("onSessionLimit"): OnLimit =
            default(OnLimit::Reject, |on_limit| on_limit.one_of(&ON_LIMIT)),
    }
}

options! {
    /// The options of `Sessions.prototype.start`, as JSON.
    pub(in crate::binding) struct StartOptions for "Sessions.prototype.start" {
        /// Data for `list`.
        meta("meta"): Option<String> = optional(|meta| meta.string(0..=MAX_META)),
    }
}

options! {
    /// The options of `Sessions.prototype.refresh`, as JSON.
    pub(in crate::binding) struct RefreshOptions for "Sessions.prototype.refresh" {
        /// The new claims.
        claims("claims"): Option<String> = optional(|claims| claims.string(0..=MAX_TOKEN_LEN)),
        /// The new data for `list`.
        meta("meta"): Option<String> = optional(|meta| meta.string(0..=MAX_META)),
    }
}

impl LimitFields {
    /// The limits of sessions.
    pub(in crate::binding) fn with_defaults(&self) -> SessionLimits {
        let default = SessionLimits::default();
        let max_sessions = self.max_sessions.unwrap_or(default.max_sessions);
        SessionLimits {
            refresh_ttl: self.refresh_ttl.unwrap_or(default.refresh_ttl),
            idle_ttl: self.idle_ttl.or(self.refresh_ttl).unwrap_or(default.idle_ttl),
            grace: self.grace.unwrap_or(default.grace),
            retry_until_used: self.retry_until_used,
            max_sessions,
            max_sessions_per_subject: self
                .max_sessions_per_subject
                .unwrap_or_else(|| max_sessions.div_ceil(10)),
            on_limit: self.on_session_limit,
        }
    }
}
