//! `Sessions`.

use std::mem::MaybeUninit;
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;
use uuid::Uuid;

use super::args::handle::Handle;
use super::args::scalars::MAX_DURATION;
use super::args::{Arg, Outcome, Result, options};
use super::clock::ClockOptions;
use super::guard;
use crate::jwt::{Issuer, MAX_TOKEN_LEN};
use crate::revocation::RevocationList;
use crate::session::{Refreshed, SessionLimits, Sessions, TokenPair};

impl Handle for Sessions {
    const TAG: u128 = 0x1d0c_a1b8_32b7_4f4e_9d02_0d3f_0d63_7706;
    const CLASS: &'static str = "Sessions";
}

options! {
    /// The options of `Sessions`.
    pub(super) struct SessionOptions for "Sessions" {
        /// The issuer of the access tokens.
        issuer("issuer"): Arc<Issuer> = required(|issuer| issuer.handle()),
        /// The list on which ended sessions are revoked.
        revocations("revocations"): Arc<RevocationList> = required(|list| list.handle()),
        /// How long a session lasts at most, in seconds.
        refresh_ttl("refreshTtl"): Option<u64> = optional(|ttl| ttl.duration(1..=MAX_DURATION)),
        /// How long an unused session lasts, in seconds; as `refreshTtl` unless given.
        idle_ttl("idleTtl"): Option<u64> = optional(|ttl| ttl.duration(1..=MAX_DURATION)),
        /// How long a rotated token still returns the same successor, in seconds.
        grace("grace"): Option<u64> = optional(|grace| grace.duration(0..=300)),
        /// The most sessions.
        max_sessions("maxSessions"): Option<usize> = optional(|max| max.length(1..=100_000_000)),
        /// The clock.
        clock: ClockOptions = flatten(ClockOptions),
    }
}

/// A pair of tokens.
#[napi(object, object_from_js = false)]
pub(super) struct NativeTokenPair {
    /// The JWT.
    pub access_token: String,
    /// The refresh token.
    pub refresh_token: String,
    /// The access token's life, in seconds.
    pub expires_in: f64,
    /// When the refresh token expires, in milliseconds since 1970.
    pub refresh_expires_at: f64,
    /// The session's id.
    pub session_id: String,
}

/// The outcome of a refresh.
#[napi(object, object_from_js = false)]
pub(super) struct NativeRefreshed {
    /// `rotated`, `replayed`, `reuse`, `expired` or `unknown`.
    pub status: &'static str,
    /// With `rotated` and `replayed`: the pair of tokens.
    pub pair: Option<NativeTokenPair>,
    /// With `reuse` and `expired`: the session that has ended.
    pub session_id: Option<String>,
    /// With `reuse` and `expired`: the subject of that session.
    pub subject: Option<String>,
}

/// One session. Times are milliseconds since 1970.
#[napi(object, object_from_js = false)]
pub(super) struct NativeSessionInfo {
    /// The session's id.
    pub session_id: String,
    /// When it was started.
    pub started_at: f64,
    /// When it was last refreshed, or started.
    pub used_at: f64,
    /// When it ends unless it is refreshed before.
    pub expires_at: f64,
}

/// Attaches an empty table of sessions to the façade object `sessions`.
#[napi(catch_unwind)]
pub(super) fn sessions_attach(
    env: &Env,
    sessions: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let given: SessionOptions = Arg::new(env, &options, "options").read()?;
        let default = SessionLimits::default();
        let own = SessionLimits {
            refresh_ttl: given.refresh_ttl.unwrap_or(default.refresh_ttl),
            idle_ttl: given.idle_ttl.or(given.refresh_ttl).unwrap_or(default.idle_ttl),
            grace: given.grace.unwrap_or(default.grace),
            max_sessions: given.max_sessions.unwrap_or(default.max_sessions),
        };
        let core = Sessions::new(own, given.issuer, given.revocations, given.clock.clock)?;
        Arg::new(env, &sessions, "this").attach(Arc::new(core))
    })
}

/// Starts a session; `claims` is JSON text.
#[napi(catch_unwind)]
pub(super) fn sessions_start(
    env: &Env,
    sessions: Unknown<'_>,
    subject: Unknown<'_>,
    claims: Unknown<'_>,
) -> napi::Result<Outcome<NativeTokenPair>> {
    guard(env, || {
        let sessions = Arg::new(env, &sessions, "this").handle::<Sessions>()?;
        let subject = Arg::new(env, &subject, "subject").string(1..=1024)?;
        let claims = Arg::new(env, &claims, "claims").string(0..=MAX_TOKEN_LEN)?;
        Ok(pair(sessions.start(&subject, &claims)?))
    })
}

/// Exchanges a refresh token.
#[napi(catch_unwind)]
pub(super) fn sessions_refresh(
    env: &Env,
    sessions: Unknown<'_>,
    token: Unknown<'_>,
) -> napi::Result<Outcome<NativeRefreshed>> {
    guard(env, || {
        let sessions = Arg::new(env, &sessions, "this").handle::<Sessions>()?;
        let refreshed = with_refresh_token(&Arg::new(env, &token, "refreshToken"), |token| {
            Ok(sessions.refresh(token)?)
        })?;
        let (status, tokens, ended) = match refreshed {
            Refreshed::Rotated(tokens) => ("rotated", Some(tokens), None),
            Refreshed::Replayed(tokens) => ("replayed", Some(tokens), None),
            Refreshed::Reuse(ended) => ("reuse", None, Some(ended)),
            Refreshed::Expired(ended) => ("expired", None, Some(ended)),
            Refreshed::Unknown => ("unknown", None, None),
        };
        Ok(NativeRefreshed {
            status,
            pair: tokens.map(pair),
            session_id: ended.as_ref().map(|ended| ended.session.to_string()),
            subject: ended.map(|ended| ended.subject.to_string()),
        })
    })
}

/// Ends a session and returns its id in the usual form.
#[napi(catch_unwind)]
pub(super) fn sessions_end(
    env: &Env,
    sessions: Unknown<'_>,
    sid: Unknown<'_>,
) -> napi::Result<Outcome<String>> {
    guard(env, || {
        let sessions = Arg::new(env, &sessions, "this").handle::<Sessions>()?;
        let session = session_id(&Arg::new(env, &sid, "sid"))?;
        sessions.end(session)?;
        Ok(session.to_string())
    })
}

/// Ends the session of a refresh token and returns its id; `None` if there is no such session.
#[napi(catch_unwind)]
pub(super) fn sessions_end_by_refresh_token(
    env: &Env,
    sessions: Unknown<'_>,
    token: Unknown<'_>,
) -> napi::Result<Outcome<Option<String>>> {
    guard(env, || {
        let sessions = Arg::new(env, &sessions, "this").handle::<Sessions>()?;
        with_refresh_token(&Arg::new(env, &token, "refreshToken"), |token| {
            Ok(sessions.end_by_refresh_token(token)?.map(|session| session.to_string()))
        })
    })
}

/// Ends every session of a subject.
#[napi(catch_unwind)]
pub(super) fn sessions_end_all(
    env: &Env,
    sessions: Unknown<'_>,
    subject: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let sessions = Arg::new(env, &sessions, "this").handle::<Sessions>()?;
        Ok(sessions.end_all(&Arg::new(env, &subject, "subject").string(1..=1024)?)?)
    })
}

/// The sessions of a subject.
#[napi(catch_unwind)]
pub(super) fn sessions_list(
    env: &Env,
    sessions: Unknown<'_>,
    subject: Unknown<'_>,
) -> napi::Result<Outcome<Vec<NativeSessionInfo>>> {
    guard(env, || {
        let sessions = Arg::new(env, &sessions, "this").handle::<Sessions>()?;
        let subject = Arg::new(env, &subject, "subject").string(1..=1024)?;
        let info = sessions.list(&subject).into_iter().map(|info| NativeSessionInfo {
            session_id: info.session.to_string(),
            started_at: info.started_at as f64,
            used_at: info.used_at as f64,
            expires_at: info.expires_at as f64,
        });
        Ok(info.collect())
    })
}

/// Lends a refresh token to `body`. Any text is accepted: a client's malformed token is `unknown`,
/// not an error of the server.
fn with_refresh_token<T>(arg: &Arg<'_>, body: impl FnOnce(&str) -> Result<T>) -> Result<T> {
    let mut buffer = [MaybeUninit::uninit(); 256];
    let text = arg.utf8_in(&mut buffer)?;
    body(text.and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default())
}

fn session_id(arg: &Arg<'_>) -> Result<Uuid> {
    let text = arg.string(0..=64)?;
    Uuid::try_parse(&text).map_err(|_| arg.invalid("must be a session id (a UUID)"))
}

#[expect(clippy::cast_precision_loss, reason = "a duration in seconds and a time")]
fn pair(pair: TokenPair) -> NativeTokenPair {
    NativeTokenPair {
        access_token: pair.access_token,
        refresh_token: pair.refresh_token,
        expires_in: pair.expires_in as f64,
        refresh_expires_at: pair.refresh_expires_at as f64,
        session_id: pair.session.to_string(),
    }
}
