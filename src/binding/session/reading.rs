//! Reads the arguments that several calls of sessions have.

use std::mem::MaybeUninit;
use std::ops::RangeInclusive;
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::Unknown;
use uuid::Uuid;

use crate::binding::args::handle::Handle;
use crate::binding::args::{Arg, Result, internal};
use crate::jwt::MAX_TOKEN_LEN;

/// The longest sealed text of a session, in bytes.
pub(super) const MAX_SEALED: usize = MAX_TOKEN_LEN + 64;
/// The lengths of a subject, in bytes.
const SUBJECT: RangeInclusive<usize> = 1..=1024;

/// The sessions of the façade object on which a method was called.
pub(super) fn this<T: Handle>(env: &Env, sessions: &Unknown<'_>) -> Result<Arc<T>> {
    Arg::new(env, sessions, "this").handle()
}

pub(super) fn read_subject(env: &Env, subject: &Unknown<'_>) -> Result<String> {
    Arg::new(env, subject, "subject").string(SUBJECT)
}

/// The subject of a session, if the caller knows it.
pub(super) fn known_subject(env: &Env, subject: &Unknown<'_>) -> Result<Option<String>> {
    let subject = Arg::new(env, subject, "subject").present()?;
    subject.map(|subject| subject.string(SUBJECT)).transpose()
}

/// Claims, as JSON text.
pub(super) fn read_claims(env: &Env, claims: &Unknown<'_>) -> Result<String> {
    Arg::new(env, claims, "claims").string(0..=MAX_TOKEN_LEN)
}

/// Lends a refresh token to `body`. Any text is accepted: a client's malformed token is `unknown`,
/// not an error of the server.
pub(super) fn with_refresh_token<T>(
    env: &Env,
    token: &Unknown<'_>,
    body: impl FnOnce(&str) -> Result<T>,
) -> Result<T> {
    let mut buffer = [MaybeUninit::uninit(); 256];
    let token = Arg::new(env, token, "refreshToken");
    let text = token.utf8_in(&mut buffer)?;
    body(text.and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default())
}

/// The id of a session in its usual form.
pub(super) fn session_id(env: &Env, sid: &Unknown<'_>) -> Result<Uuid> {
    let sid = Arg::new(env, sid, "sid");
    let text = sid.string(0..=64)?;
    Uuid::try_parse(&text).map_err(|_| sid.invalid("must be a session id (a UUID)"))
}

/// The id of a session as the server has it.
pub(super) fn session_of_bytes(env: &Env, id: &Unknown<'_>) -> Result<Uuid> {
    let bytes = Arg::new(env, id, "id").bytes(16..=16)?;
    Uuid::from_slice(&bytes).map_err(|_| internal().into())
}
