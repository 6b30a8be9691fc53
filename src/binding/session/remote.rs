//! The native part of `RedisSessions`: everything that needs a key, or the list of revocations. The
//! façade talks with the server.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;
use uuid::Uuid;

use super::options::{RefreshOptions, RemoteSessionOptions, StartOptions};
use super::{session_id, with_refresh_token};
use crate::binding::args::handle::Handle;
use crate::binding::args::out::{self, LocalValue};
use crate::binding::args::{Arg, Outcome, Result, internal};
use crate::binding::guard;
use crate::binding::outbox::revoke;
use crate::jwt::{MAX_TOKEN_LEN, base64url};
use crate::session::{
    Change, CurrentRow, OnLimit, Presented, RemotePair, RemoteSessions, RemoteStart, SubjectTag,
    Text, place_of,
};

/// The longest sealed text, in bytes.
const MAX_SEALED: usize = MAX_TOKEN_LEN + 64;
/// The latest time of issue: the largest exact integer of JavaScript.
const MAX_MILLIS: u64 = 1 << 53;

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

/// The place of sessions on the server.
#[napi(object, object_from_js = false)]
pub(super) struct NativePlace {
    /// The hash tag of the name.
    pub tag: String,
    /// The id of the session, as bytes; with a subject, the rest of its tag.
    pub id: LocalValue,
    /// The id of the session in its usual form.
    pub sid: Option<String>,
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
        let sessions = handle(env, &sessions)?;
        let subject = Arg::new(env, &subject, "subject").string(1..=1024)?;
        let claims = Arg::new(env, &claims, "claims").string(0..=MAX_TOKEN_LEN)?;
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
        let sessions = handle(env, &sessions)?;
        let RefreshOptions { claims, meta } = Arg::new(env, &options, "options").read()?;
        let change = Change { claims: claims.as_deref(), meta: meta.as_deref() };
        let subject = Arg::new(env, &subject, "subject").present()?;
        let subject = subject.map(|subject| subject.string(1..=1024)).transpose()?;
        let presented = with_refresh_token(&Arg::new(env, &token, "refreshToken"), |token| {
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
        let sessions = handle(env, &sessions)?;
        let step = Arg::new(env, &step, "step").array(2)?;
        let number = |at: usize| element(&step, at)?.integer32(0..=u32::MAX);
        let (generation, variant) = (number(0)?, number(1)?);
        let texts = Arg::new(env, &texts, "texts").array(2)?;
        let bytes = |at: usize| element(&texts, at)?.bytes(0..=MAX_SEALED);
        let (subject, claims) = (bytes(0)?, bytes(1)?);
        let row = CurrentRow { generation, variant, subject: &subject, claims: &claims };
        with_refresh_token(&Arg::new(env, &token, "refreshToken"), |token| {
            Ok(pair(sessions.refreshed(token, &row)?))
        })
    })
}

/// The place of a session, by its id.
#[napi(catch_unwind)]
pub(super) fn sessions_remote_place(
    env: &Env,
    sid: Unknown<'_>,
) -> napi::Result<Outcome<NativePlace>> {
    guard(env, || {
        let session = session_id(&Arg::new(env, &sid, "sid"))?;
        Ok(NativePlace {
            tag: tag_text(place_of(session)),
            id: out::buffer(env, session.as_bytes())?,
            sid: Some(session.to_string()),
        })
    })
}

/// The place of the sessions of a subject.
#[napi(catch_unwind)]
pub(super) fn sessions_remote_subject(
    env: &Env,
    sessions: Unknown<'_>,
    subject: Unknown<'_>,
) -> napi::Result<Outcome<NativePlace>> {
    guard(env, || {
        let sessions = handle(env, &sessions)?;
        let subject = Arg::new(env, &subject, "subject").string(1..=1024)?;
        let SubjectTag { place, rest } = sessions.tag(&subject);
        Ok(NativePlace { tag: tag_text(place), id: out::buffer(env, &rest)?, sid: None })
    })
}

/// The subject of a session, or with `isMeta` its meta data, which was sealed.
#[napi(catch_unwind)]
pub(super) fn sessions_remote_open(
    env: &Env,
    sessions: Unknown<'_>,
    id: Unknown<'_>,
    sealed: Unknown<'_>,
    is_meta: bool,
) -> napi::Result<Outcome<String>> {
    guard(env, || {
        let sessions = handle(env, &sessions)?;
        let sealed = Arg::new(env, &sealed, "sealed").bytes(0..=MAX_SEALED)?;
        let kind = if is_meta { Text::Meta } else { Text::Subject };
        Ok(sessions.open(id_of(&Arg::new(env, &id, "id"))?, kind, &sealed)?.as_str().to_owned())
    })
}

/// Revokes the access tokens of a session by the bytes of its id, and returns the ticket of the
/// result. `issuedAt` is the time of issue of the last that is known.
#[napi(catch_unwind)]
pub(super) fn sessions_remote_revoke(
    env: &Env,
    sessions: Unknown<'_>,
    id: Unknown<'_>,
    issued_at: Unknown<'_>,
    patience: u32,
    outbox: Unknown<'_>,
) -> napi::Result<Outcome<Option<u32>>> {
    guard(env, || {
        let outbox = Arg::new(env, &outbox, "outbox");
        let sessions = handle(env, &sessions)?;
        let id = id_of(&Arg::new(env, &id, "id"))?;
        let issued_at = Arg::new(env, &issued_at, "issuedAt").integer(0..=MAX_MILLIS)?;
        sessions.revoke_session(id, issued_at, patience.into(), |revocation| {
            revoke(sessions.revocations(), revocation, &outbox)
        })
    })
}

/// Revokes the access tokens of a subject that were issued before the current second, and returns
/// the ticket of the result.
#[napi(catch_unwind)]
pub(super) fn sessions_remote_revoke_subject(
    env: &Env,
    sessions: Unknown<'_>,
    subject: Unknown<'_>,
    outbox: Unknown<'_>,
) -> napi::Result<Outcome<Option<u32>>> {
    guard(env, || {
        let outbox = Arg::new(env, &outbox, "outbox");
        let sessions = handle(env, &sessions)?;
        let subject = Arg::new(env, &subject, "subject").string(1..=1024)?;
        sessions.revoke_subject(&subject, |revocation| {
            revoke(sessions.revocations(), revocation, &outbox)
        })
    })
}

fn handle(env: &Env, sessions: &Unknown<'_>) -> Result<Arc<RemoteSessions>> {
    Arg::new(env, sessions, "this").handle()
}

fn element<'a, 'b>(array: &'b [Arg<'a>], at: usize) -> Result<&'b Arg<'a>> {
    array.get(at).ok_or_else(|| internal().into())
}

fn id_of(arg: &Arg<'_>) -> Result<Uuid> {
    let bytes = arg.bytes(16..=16)?;
    Uuid::from_slice(&bytes).map_err(|_| internal().into())
}

fn buffers(env: &Env, bytes: &[&[u8]]) -> Result<Vec<LocalValue>> {
    bytes.iter().map(|bytes| out::buffer(env, bytes)).collect()
}

/// The hash tag of a name on the server.
fn tag_text(place: u64) -> String {
    base64url::encode(&place.to_be_bytes())
}

fn pair(pair: RemotePair) -> NativeRemotePair {
    NativeRemotePair {
        access_token: pair.access_token,
        refresh_token: pair.refresh_token,
        expires_in: pair.expires_in as f64,
        session_id: pair.session.to_string(),
    }
}
