//! The native part of `RedisSessions`: everything that needs a key, or the list of revocations. The
//! façade talks with the server. This file has its tokens.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use super::options::{RefreshOptions, RemoteSessionOptions, StartOptions};
use super::reading::{
    MAX_SEALED, known_subject, read_claims, read_subject, this, with_refresh_token,
};
use super::remote_place::tag_text;
use crate::binding::args::handle::Handle;
use crate::binding::args::out::{self, LocalValue};
use crate::binding::args::{Arg, Outcome, Result, internal};
use crate::binding::guard;
use crate::session::{
    Change, CurrentRow, OnLimit, Presented, RemotePair, RemoteSessions, RemoteStart, place_of,
};

impl Handle for RemoteSessions {
    const TAG: u128 = 0x95a1_0c7e_4f6b_4d02_b3c8_71e5_20d9_6a4b;
    const CLASS: &'static str = "RedisSessions";
}

/// The options, for the façade. Times are in milliseconds.
#[napi(object, object_from_js = false)]
pub(super) struct NativeRemoteSessionOptions {
    /// The first part of all names on the server.
    pub prefix: String,
    /// The longest wait for the server.
    pub deadline: u32,
    /// How long a session lasts at most.
    pub refresh_ttl: f64,
    /// How long an unused session lasts.
    pub idle_ttl: f64,
    /// How long a rotated token still returns the same successor.
    pub grace: f64,
    /// Whether it returns another one afterwards.
    pub retry_until_used: bool,
    /// The most sessions of one subject.
    pub max_sessions_per_subject: u32,
    /// Whether one more ends the oldest.
    pub ends_oldest: bool,
}

/// A pair of tokens.
#[napi(object, object_from_js = false)]
pub(super) struct NativeRemotePair {
    /// The JWT.
    pub access_token: String,
    /// The refresh token.
    pub refresh_token: String,
    /// The access token's life, in seconds.
    pub expires_in: f64,
    /// The session's id.
    pub session_id: String,
}

/// A session that is to start.
#[napi(object, object_from_js = false)]
pub(super) struct NativeRemoteStart {
    /// The hash tag of the name on the server.
    pub tag: String,
    /// The session's id, the hash of its secret and the rest of the tag of its subject.
    pub ids: Vec<LocalValue>,
    /// When its access token was issued, in milliseconds since 1970.
    pub issued_at: f64,
    /// Its subject, claims and meta data, sealed.
    pub texts: Vec<LocalValue>,
    /// Its tokens.
    pub pair: NativeRemotePair,
}

/// A refresh token, for the server to judge.
#[napi(object, object_from_js = false)]
pub(super) struct NativePresented {
    /// The hash tag of the name on the server.
    pub tag: String,
    /// The session's id and the hash of the secret.
    pub ids: Vec<LocalValue>,
    /// The session's id in its usual form.
    pub sid: String,
    /// The number of exchanges before it.
    pub generation: u32,
    /// The number of tokens of the same generation that it voids.
    pub variant: u32,
    /// The time of issue of an access token now, in milliseconds since 1970.
    pub issued_at: f64,
    /// New claims and meta data, sealed; empty where they stay.
    pub texts: Vec<LocalValue>,
    /// Whether the server must only tell the subject.
    pub asks: bool,
}

/// Attaches sessions on a server to the façade object `sessions`. Returns the options.
#[napi(catch_unwind)]
pub(super) fn sessions_remote_attach(
    env: &Env,
    sessions: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<NativeRemoteSessionOptions>> {
    guard(env, || {
        let given: RemoteSessionOptions = Arg::new(env, &options, "options").read()?;
        let limits = given.limits();
        let RemoteSessionOptions { issuer, revocations, key, prefix, deadline, clock, .. } = given;
        let core = RemoteSessions::new((&key, &prefix), limits, issuer, revocations, clock.clock)?;
        Arg::new(env, &sessions, "this").attach(Arc::new(core))?;
        let millis = |seconds: u64| seconds as f64 * 1000.0;
        Ok(NativeRemoteSessionOptions {
            prefix,
            deadline,
            refresh_ttl: millis(limits.refresh_ttl),
            idle_ttl: millis(limits.idle_ttl),
            grace: millis(limits.grace),
            retry_until_used: limits.retry_until_used,
            max_sessions_per_subject: u32::try_from(limits.max_sessions_per_subject)
                .unwrap_or(u32::MAX),
            ends_oldest: limits.on_limit == OnLimit::EndOldest,
        })
    })
}

/// Makes a session; `claims` is JSON text.
#[napi(catch_unwind)]
pub(super) fn sessions_remote_start(
    env: &Env,
    sessions: Unknown<'_>,
    subject: Unknown<'_>,
    claims: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<NativeRemoteStart>> {
    guard(env, || {
        let sessions = this::<RemoteSessions>(env, &sessions)?;
        let subject = read_subject(env, &subject)?;
        let claims = read_claims(env, &claims)?;
        let StartOptions { meta } = Arg::new(env, &options, "options").read()?;
        let start = sessions.start(&subject, &claims, meta.as_deref())?;
        let RemoteStart { tag, secret, issued_at, subject, claims, meta, pair: tokens } = start;
        let ids = [&tokens.session.as_bytes()[..], &secret, &tag.rest];
        Ok(NativeRemoteStart {
            tag: tag_text(tag.place),
            ids: buffers(env, &ids)?,
            issued_at: issued_at as f64,
            texts: buffers(env, &[&subject, &claims, &meta])?,
            pair: pair(tokens),
        })
    })
}

/// Reads a refresh token; `None` for a text that is none. `asks` is as in `sessionsRefresh`;
/// `subject` is that of the session, once the server has told it.
#[napi(catch_unwind)]
pub(super) fn sessions_remote_present(
    env: &Env,
    sessions: Unknown<'_>,
    token: Unknown<'_>,
    options: Unknown<'_>,
    asks: bool,
    subject: Unknown<'_>,
) -> napi::Result<Outcome<Option<NativePresented>>> {
    guard(env, || {
        let sessions = this::<RemoteSessions>(env, &sessions)?;
        let RefreshOptions { claims, meta } = Arg::new(env, &options, "options").read()?;
        let change = Change { claims: claims.as_deref(), meta: meta.as_deref() };
        let subject = known_subject(env, &subject)?;
        let presented = with_refresh_token(env, &token, |token| {
            Ok(sessions.present(token, change, asks, subject.as_deref())?)
        })?;
        let Some(presented) = presented else { return Ok(None) };
        let Presented { session, generation, variant, secret, issued_at, claims, meta, asks } =
            presented;
        let ids = [&session.as_bytes()[..], &secret];
        Ok(Some(NativePresented {
            tag: tag_text(place_of(session)),
            ids: buffers(env, &ids)?,
            sid: session.to_string(),
            generation,
            variant,
            issued_at: issued_at as f64,
            texts: buffers(env, &[&claims, &meta])?,
            asks,
        }))
    })
}

/// Makes the next pair for a token that the server has accepted.
#[napi(catch_unwind)]
pub(super) fn sessions_remote_refreshed(
    env: &Env,
    sessions: Unknown<'_>,
    token: Unknown<'_>,
    step: Unknown<'_>,
    texts: Unknown<'_>,
) -> napi::Result<Outcome<NativeRemotePair>> {
    guard(env, || {
        let sessions = this::<RemoteSessions>(env, &sessions)?;
        let step = Arg::new(env, &step, "step").array(2)?;
        let number = |at: usize| element(&step, at)?.integer32(0..=u32::MAX);
        let (generation, variant) = (number(0)?, number(1)?);
        let texts = Arg::new(env, &texts, "texts").array(2)?;
        let bytes = |at: usize| element(&texts, at)?.bytes(0..=MAX_SEALED);
        let (subject, claims) = (bytes(0)?, bytes(1)?);
        let row = CurrentRow { generation, variant, subject: &subject, claims: &claims };
        with_refresh_token(env, &token, |token| Ok(pair(sessions.refreshed(token, &row)?)))
    })
}

fn element<'a, 'b>(array: &'b [Arg<'a>], at: usize) -> Result<&'b Arg<'a>> {
    array.get(at).ok_or_else(|| internal().into())
}

fn buffers(env: &Env, bytes: &[&[u8]]) -> Result<Vec<LocalValue>> {
    bytes.iter().map(|bytes| out::buffer(env, bytes)).collect()
}

fn pair(pair: RemotePair) -> NativeRemotePair {
    NativeRemotePair {
        access_token: pair.access_token,
        refresh_token: pair.refresh_token,
        expires_in: pair.expires_in as f64,
        session_id: pair.session.to_string(),
    }
}
