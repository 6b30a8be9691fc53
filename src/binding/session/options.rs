//! The options of `Sessions`.

use std::sync::Arc;

use crate::binding::args::options;
use crate::binding::args::scalars::MAX_DURATION;
use crate::binding::clock::ClockOptions;
use crate::binding::server_prefix::read_prefix;
use crate::binding::store::OpenStore;
use crate::jwt::{Issuer, MAX_TOKEN_LEN};
use crate::revocation::RevocationList;
use crate::secret::Secret;
use crate::session::{MAX_META, OnLimit, SessionLimits};

/// The most sessions.
const MAX_SESSIONS: usize = 100_000_000;
/// The most sessions of a subject on a server, which reads them all in one step.
const MAX_REMOTE: usize = 1000;
/// How many a subject has on a server by default.
const DEFAULT_REMOTE: usize = 100;
/// The bounds of `deadlineMs`.
const DEADLINE: std::ops::RangeInclusive<u32> = 1..=60_000;

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
    /// The options of `RedisSessions`.
    pub(in crate::binding) struct RemoteSessionOptions for "RedisSessions" {
        facade("client"),
        /// The issuer of the access tokens.
        issuer("issuer"): Arc<Issuer> = required(|issuer| issuer.handle()),
        /// The list on which ended sessions are revoked.
        revocations("revocations"): Arc<RevocationList> = required(|list| list.handle()),
        /// The key of all machines.
        key("key"): Secret = required(|key| key.seal_key()),
        /// The first part of all names on the server.
        prefix("prefix"): String = default("nodesec:sessions".into(), |prefix| read_prefix(&prefix)),
        /// The longest wait for the server, in milliseconds.
        deadline("deadlineMs"): u32 = default(1000, |time| time.integer32(DEADLINE)),
        /// The lifetimes.
        lifetimes: Lifetimes = flatten(Lifetimes),
        /// The most sessions of one subject.
        max_sessions_per_subject("maxSessionsPerSubject"): usize =
            default(DEFAULT_REMOTE, |max| max.length(1..=MAX_REMOTE)),
        /// The reaction to one more.
        on_session_limit("onSessionLimit"): OnLimit =
            default(OnLimit::Reject, |on_limit| on_limit.one_of(&ON_LIMIT)),
        /// The clock.
        clock: ClockOptions = flatten(ClockOptions),
    }
}

options! {
    /// How long sessions and their tokens last.
    pub(in crate::binding) struct Lifetimes {
        /// How long a session lasts at most, in seconds.
        refresh_ttl("refreshTtl"): Option<u64> = optional(|ttl| ttl.duration(1..=MAX_DURATION)),
        /// How long an unused session lasts, in seconds; as `refreshTtl` unless given.
        idle_ttl("idleTtl"): Option<u64> = optional(|ttl| ttl.duration(1..=MAX_DURATION)),
        /// How long a rotated token still returns the same successor, in seconds.
        grace("grace"): Option<u64> = optional(|grace| grace.duration(0..=300)),
        /// Whether it returns another one afterwards.
        retry_until_used("retryUntilUsed"): bool = default(false, |retry| retry.boolean()),
    }
}

options! {
    /// The limits of sessions.
    pub(in crate::binding) struct LimitFields {
        /// The lifetimes.
        lifetimes: Lifetimes = flatten(Lifetimes),
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

impl Lifetimes {
    fn with_defaults(&self, default: SessionLimits) -> SessionLimits {
        SessionLimits {
            refresh_ttl: self.refresh_ttl.unwrap_or(default.refresh_ttl),
            idle_ttl: self.idle_ttl.or(self.refresh_ttl).unwrap_or(default.idle_ttl),
            grace: self.grace.unwrap_or(default.grace),
            retry_until_used: self.retry_until_used,
            ..default
        }
    }
}

impl LimitFields {
    /// The limits of sessions.
    pub(in crate::binding) fn with_defaults(&self) -> SessionLimits {
        let default = SessionLimits::default();
        let max_sessions = self.max_sessions.unwrap_or(default.max_sessions);
        SessionLimits {
            max_sessions,
            max_sessions_per_subject: self
                .max_sessions_per_subject
                .unwrap_or_else(|| max_sessions.div_ceil(10)),
            on_limit: self.on_session_limit,
            ..self.lifetimes.with_defaults(default)
        }
    }
}

impl RemoteSessionOptions {
    /// The limits of sessions on a server, which does not count those of all subjects.
    pub(in crate::binding) fn limits(&self) -> SessionLimits {
        SessionLimits {
            max_sessions: usize::MAX,
            max_sessions_per_subject: self.max_sessions_per_subject,
            on_limit: self.on_session_limit,
            ..self.lifetimes.with_defaults(SessionLimits::default())
        }
    }
}
