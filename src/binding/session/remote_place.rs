//! Names, ids and ends of the sessions of `RedisSessions`.

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use super::reading::{MAX_SEALED, read_subject, session_id, session_of_bytes, this};
use crate::binding::args::out::{self, LocalValue};
use crate::binding::args::{Arg, Outcome};
use crate::binding::guard;
use crate::binding::outbox::revoke;
use crate::jwt::base64url;
use crate::session::{RemoteSessions, SubjectTag, Text, place_of};

/// The latest time of issue: the largest exact integer of JavaScript.
const MAX_MILLIS: u64 = 1 << 53;

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

/// The place of a session, by its id.
#[napi(catch_unwind)]
pub(super) fn sessions_remote_place(
    env: &Env,
    sid: Unknown<'_>,
) -> napi::Result<Outcome<NativePlace>> {
    guard(env, || {
        let session = session_id(env, &sid)?;
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
        let sessions = this::<RemoteSessions>(env, &sessions)?;
        let subject = read_subject(env, &subject)?;
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
        let sessions = this::<RemoteSessions>(env, &sessions)?;
        let sealed = Arg::new(env, &sealed, "sealed").bytes(0..=MAX_SEALED)?;
        let kind = if is_meta { Text::Meta } else { Text::Subject };
        Ok(sessions.open(session_of_bytes(env, &id)?, kind, &sealed)?.as_str().to_owned())
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
        let sessions = this::<RemoteSessions>(env, &sessions)?;
        let id = session_of_bytes(env, &id)?;
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
        let sessions = this::<RemoteSessions>(env, &sessions)?;
        let subject = read_subject(env, &subject)?;
        sessions.revoke_subject(&subject, |revocation| {
            revoke(sessions.revocations(), revocation, &outbox)
        })
    })
}

/// The hash tag of a name on the server.
pub(super) fn tag_text(place: u64) -> String {
    base64url::encode(&place.to_be_bytes())
}
