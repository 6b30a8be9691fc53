//! `Sessions`.

mod answer;
pub(super) mod options;
mod reading;
mod remote;
mod remote_place;

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;
use uuid::Uuid;

use self::answer::{Answer, answer};
use self::options::{RefreshOptions, SessionOptions, StartOptions};
use self::reading::{read_claims, read_subject, session_id, this, with_refresh_token};
use super::args::handle::Handle;
use super::args::out::{self, LocalValue};
use super::args::{Arg, Outcome};
use super::guard;
use super::offload::{Offloaded, offload};
use crate::session::{Change, EndAll, Ended, Refreshed, SessionInfo, Sessions, Started, TokenPair};

impl Handle for Sessions {
    const TAG: u128 = 0x1d0c_a1b8_32b7_4f4e_9d02_0d3f_0d63_7706;
    const CLASS: &'static str = "Sessions";
}

impl Handle for EndAll {
    const TAG: u128 = 0x60fe_2d7b_18c4_4c35_8e0b_95d1_7a3f_44e9;
    const CLASS: &'static str = "EndAll";
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

/// A session that has started.
#[napi(object, object_from_js = false)]
pub(super) struct NativeStarted {
    /// Its tokens.
    pub pair: NativeTokenPair,
    /// The ids of the sessions that have ended for it.
    pub ended: Vec<String>,
}

/// The outcome of a refresh.
#[napi(object, object_from_js = false)]
pub(super) struct NativeRefreshed {
    /// `rotated`, `replayed`, `reuse`, `expired`, `unknown` or `asks`.
    pub status: &'static str,
    /// With `rotated` and `replayed`: the pair of tokens.
    pub pair: Option<NativeTokenPair>,
    /// `true` with a `rotated` token that was later than its session.
    pub restored: Option<bool>,
    /// With `reuse` and `expired`: the session that has ended.
    pub session_id: Option<String>,
    /// With `reuse` and `expired`: the subject of that session. With `asks`: that of the token.
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
    /// Its meta data, as JSON.
    pub meta: Option<String>,
}

/// Attaches a table of sessions to the façade object `sessions`.
#[napi(catch_unwind)]
pub(super) fn sessions_attach(
    env: &Env,
    sessions: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let given: SessionOptions = Arg::new(env, &options, "options").read()?;
        let SessionOptions { issuer, revocations, store, limits, clock } = given;
        let limits = limits.with_defaults();
        let core = match &store {
            Some(open) => {
                let on = (&*open.store()?, open.sessions());
                Sessions::on_store(on, limits, issuer, revocations, clock.clock)?
            }
            None => Sessions::new(limits, issuer, revocations, clock.clock)?,
        };
        Arg::new(env, &sessions, "this").attach(Arc::new(core))
    })
}

/// Reads what other processes have written to the store, on another thread.
#[napi(catch_unwind)]
pub(super) fn sessions_catch_up(
    env: &Env,
    sessions: Unknown<'_>,
) -> napi::Result<Outcome<Offloaded<()>>> {
    guard(env, || {
        let sessions = this::<Sessions>(env, &sessions)?;
        Ok(offload(env, move || Ok(sessions.catch_up()?)))
    })
}

/// Starts a session; `claims` is JSON text.
#[napi(catch_unwind)]
pub(super) fn sessions_start<'env>(
    env: &'env Env,
    sessions: Unknown<'_>,
    subject: Unknown<'_>,
    claims: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<Answer<'env, NativeStarted>>> {
    guard(env, || {
        let sessions = this::<Sessions>(env, &sessions)?;
        let subject = read_subject(env, &subject)?;
        let claims = read_claims(env, &claims)?;
        let StartOptions { meta } = Arg::new(env, &options, "options").read()?;
        answer(env, sessions.start(&subject, &claims, meta.as_deref())?, started)
    })
}

/// Exchanges a refresh token. If the caller `asks`, a token that would get a pair only tells its
/// subject, and the façade calls again with claims for it.
#[napi(catch_unwind)]
pub(super) fn sessions_refresh<'env>(
    env: &'env Env,
    sessions: Unknown<'_>,
    token: Unknown<'_>,
    options: Unknown<'_>,
    asks: bool,
) -> napi::Result<Outcome<Answer<'env, NativeRefreshed>>> {
    guard(env, || {
        let sessions = this::<Sessions>(env, &sessions)?;
        let RefreshOptions { claims, meta } = Arg::new(env, &options, "options").read()?;
        let change = Change { claims: claims.as_deref(), meta: meta.as_deref() };
        let attempt =
            with_refresh_token(env, &token, |token| Ok(sessions.refresh(token, change, asks)?))?;
        answer(env, attempt, refreshed)
    })
}

/// Ends a session.
#[napi(catch_unwind)]
pub(super) fn sessions_end<'env>(
    env: &'env Env,
    sessions: Unknown<'_>,
    sid: Unknown<'_>,
) -> napi::Result<Outcome<Answer<'env, ()>>> {
    guard(env, || {
        let sessions = this::<Sessions>(env, &sessions)?;
        let session = session_id(env, &sid)?;
        answer(env, sessions.end(session)?, |()| ())
    })
}

/// A session id in its usual form.
#[napi(catch_unwind)]
pub(super) fn sessions_id(env: &Env, sid: Unknown<'_>) -> napi::Result<Outcome<String>> {
    guard(env, || Ok(session_id(env, &sid)?.to_string()))
}

/// Ends the session of a refresh token and returns its id; `None` if there is no such session.
#[napi(catch_unwind)]
pub(super) fn sessions_end_by_refresh_token<'env>(
    env: &'env Env,
    sessions: Unknown<'_>,
    token: Unknown<'_>,
) -> napi::Result<Outcome<Answer<'env, Option<String>>>> {
    guard(env, || {
        let sessions = this::<Sessions>(env, &sessions)?;
        let attempt =
            with_refresh_token(env, &token, |token| Ok(sessions.end_by_refresh_token(token)?))?;
        answer(env, attempt, |session| session.map(|session| session.to_string()))
    })
}

/// Begins to end every session of a subject, and returns the carrier for `sessionsEndSome`.
#[napi(catch_unwind)]
pub(super) fn sessions_end_all(
    env: &Env,
    sessions: Unknown<'_>,
    subject: Unknown<'_>,
) -> napi::Result<Outcome<LocalValue>> {
    guard(env, || {
        let sessions = this::<Sessions>(env, &sessions)?;
        let subject = read_subject(env, &subject)?;
        out::carrier(env, Arc::new(sessions.end_all(&subject)))
    })
}

/// Ends some more sessions of a subject. Returns whether there may be more.
#[napi(catch_unwind)]
pub(super) fn sessions_end_some<'env>(
    env: &'env Env,
    sessions: Unknown<'_>,
    all: Unknown<'_>,
) -> napi::Result<Outcome<Answer<'env, bool>>> {
    guard(env, || {
        let sessions = this::<Sessions>(env, &sessions)?;
        let all = Arg::new(env, &all, "all").handle::<EndAll>()?;
        answer(env, sessions.end_some(&all)?, |is_more| is_more)
    })
}

/// The sessions of a subject.
#[napi(catch_unwind)]
pub(super) fn sessions_list<'env>(
    env: &'env Env,
    sessions: Unknown<'_>,
    subject: Unknown<'_>,
) -> napi::Result<Outcome<Answer<'env, Vec<NativeSessionInfo>>>> {
    guard(env, || {
        let sessions = this::<Sessions>(env, &sessions)?;
        let subject = read_subject(env, &subject)?;
        answer(env, sessions.list(&subject)?, |list| list.into_iter().map(info).collect())
    })
}

fn started(started: Started) -> NativeStarted {
    let ended = started.ended.iter().map(Uuid::to_string).collect();
    NativeStarted { pair: pair(started.pair), ended }
}

fn refreshed(refreshed: Refreshed) -> NativeRefreshed {
    let restored = matches!(refreshed, Refreshed::Restored(_)).then_some(true);
    let ended = |status, Ended { session, subject }: Ended| {
        (status, None, Some(session.to_string()), Some(subject))
    };
    let (status, tokens, session_id, subject) = match refreshed {
        Refreshed::Rotated(tokens) | Refreshed::Restored(tokens) => {
            ("rotated", Some(tokens), None, None)
        }
        Refreshed::Replayed(tokens) => ("replayed", Some(tokens), None, None),
        Refreshed::Reuse(session) => ended("reuse", session),
        Refreshed::Expired(session) => ended("expired", session),
        Refreshed::Unknown => ("unknown", None, None, None),
        Refreshed::Asks(subject) => ("asks", None, None, Some(subject)),
    };
    let subject = subject.map(|subject| subject.to_string());
    NativeRefreshed { status, pair: tokens.map(pair), restored, session_id, subject }
}

fn info(info: SessionInfo) -> NativeSessionInfo {
    NativeSessionInfo {
        session_id: info.session.to_string(),
        started_at: info.started_at as f64,
        used_at: info.used_at as f64,
        expires_at: info.expires_at as f64,
        meta: info.meta.map(|meta| meta.to_string()),
    }
}

fn pair(pair: TokenPair) -> NativeTokenPair {
    NativeTokenPair {
        access_token: pair.access_token,
        refresh_token: pair.refresh_token,
        expires_in: pair.expires_in as f64,
        refresh_expires_at: pair.refresh_expires_at as f64,
        session_id: pair.session.to_string(),
    }
}
