//! `RevocationList`.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use super::args::handle::Handle;
use super::args::{Arg, Result};
use super::{CLOCK, fast, guard};
use crate::jwt::MAX_TOKEN_LEN;
use crate::revocation::{ListLimits, OnFull, RevocationList, Scope};

/// The bounds of `maxEntries`.
const ENTRIES: std::ops::RangeInclusive<u64> = 1..=100_000_000;
/// The bounds of `maxTokenTtl`, in seconds.
pub const TOKEN_TTL: std::ops::RangeInclusive<u64> = 1..=10 * 366 * 24 * 3600;

impl Handle for RevocationList {
    const TAG: u128 = 0x0b6c_98e4_5e29_4f2a_b05f_6f0c_1df4_2a05;
    const CLASS: &'static str = "RevocationList";
}

/// `list` becomes an empty list.
#[napi(catch_unwind)]
pub fn revocation_attach(env: &Env, list: Unknown<'_>, options: Unknown<'_>) -> napi::Result<()> {
    guard(env, || {
        let options =
            Arg::new(env, &options, "options").options(&["maxEntries", "maxTokenTtl", "onFull"])?;
        let mut limits = ListLimits::default();
        if let Some(entries) = options.get("maxEntries")? {
            limits.max_entries = usize::try_from(entries.integer(ENTRIES)?).unwrap_or(usize::MAX);
        }
        if let Some(ttl) = options.get("maxTokenTtl")? {
            limits.max_token_ttl = ttl.duration(TOKEN_TTL)?;
        }
        if let Some(on_full) = options.get("onFull")? {
            limits.on_full = on_full
                .one_of(&[("error", OnFull::Error), ("reject-older", OnFull::RejectOlder)])?;
        }
        let core = RevocationList::new(limits, CLOCK.clone())?;
        Arg::new(env, &list, "this").attach(Arc::new(core))
    })
}

/// `isRevoked`, bound to a list.
#[napi(catch_unwind)]
pub fn revocation_bind<'env>(env: &'env Env, list: Unknown<'_>) -> napi::Result<Unknown<'env>> {
    guard(env, || fast::bind(env, Arg::new(env, &list, "this").handle::<RevocationList>()?))
}

/// Revokes a token by its claims `jti`, `exp` and, where it has one, `iss`.
#[napi(catch_unwind)]
pub fn revocation_revoke(env: &Env, list: Unknown<'_>, claims: Unknown<'_>) -> napi::Result<()> {
    guard(env, || {
        let list = Arg::new(env, &list, "this").handle::<RevocationList>()?;
        let claims = Arg::new(env, &claims, "claims").record()?;
        let id = claims.require("jti")?.string(1..=MAX_TOKEN_LEN)?;
        let expires_at = claims.require("exp")?.moment()?;
        let issuer = claims.get("iss")?.map(|iss| iss.string(0..=MAX_TOKEN_LEN)).transpose()?;
        Ok(list.revoke_id(&id, expires_at, scope(issuer.as_deref()))?)
    })
}

/// Revokes a token by its id.
#[napi(catch_unwind)]
pub fn revocation_revoke_id(
    env: &Env,
    list: Unknown<'_>,
    id: Unknown<'_>,
    expires_at: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<()> {
    guard(env, || {
        let list = Arg::new(env, &list, "this").handle::<RevocationList>()?;
        let id = Arg::new(env, &id, "jti").string(1..=MAX_TOKEN_LEN)?;
        let expires_at = Arg::new(env, &expires_at, "expiresAt").moment()?;
        let issuer = issuer(env, &options)?;
        Ok(list.revoke_id(&id, expires_at, scope(issuer.as_deref()))?)
    })
}

/// Revokes a session by its id.
#[napi(catch_unwind)]
pub fn revocation_revoke_session(
    env: &Env,
    list: Unknown<'_>,
    sid: Unknown<'_>,
    expires_at: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<()> {
    guard(env, || {
        let list = Arg::new(env, &list, "this").handle::<RevocationList>()?;
        let sid = Arg::new(env, &sid, "sid").string(1..=MAX_TOKEN_LEN)?;
        let expires_at = Arg::new(env, &expires_at, "expiresAt").moment()?;
        let issuer = issuer(env, &options)?;
        Ok(list.revoke_session(&sid, expires_at, scope(issuer.as_deref()))?)
    })
}

/// Revokes what a subject was issued until a moment, now unless said otherwise.
#[napi(catch_unwind)]
pub fn revocation_revoke_subject(
    env: &Env,
    list: Unknown<'_>,
    sub: Unknown<'_>,
    issued_before: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<()> {
    guard(env, || {
        let list = Arg::new(env, &list, "this").handle::<RevocationList>()?;
        let sub = Arg::new(env, &sub, "sub").string(1..=MAX_TOKEN_LEN)?;
        let until = match Arg::new(env, &issued_before, "issuedBefore").present()? {
            Some(moment) => moment.moment()?,
            None => CLOCK.unix_seconds(),
        };
        let issuer = issuer(env, &options)?;
        Ok(list.revoke_subject(&sub, until, scope(issuer.as_deref()))?)
    })
}

/// Revokes a key.
#[napi(catch_unwind)]
pub fn revocation_revoke_key(env: &Env, list: Unknown<'_>, kid: Unknown<'_>) -> napi::Result<()> {
    guard(env, || {
        let list = Arg::new(env, &list, "this").handle::<RevocationList>()?;
        Ok(list.revoke_key(&Arg::new(env, &kid, "kid").string(1..=MAX_TOKEN_LEN)?)?)
    })
}

/// `[ids, sessions, subjects, keys, maxEntries, rejectsIssuedUntil]`
#[napi(catch_unwind)]
pub fn revocation_stats(env: &Env, list: Unknown<'_>) -> napi::Result<Vec<f64>> {
    guard(env, || {
        let stats = Arg::new(env, &list, "this").handle::<RevocationList>()?.stats();
        let counts = [stats.ids, stats.sessions, stats.subjects, stats.keys, stats.max_entries];
        let counts = counts.map(|count| count as f64);
        Ok([&counts[..], &[stats.rejects_issued_until as f64]].concat())
    })
}

/// Frees the entries and refuses every later call.
#[napi(catch_unwind)]
pub fn revocation_close(env: &Env, list: Unknown<'_>) -> napi::Result<()> {
    guard(env, || {
        Arg::new(env, &list, "this").handle::<RevocationList>()?.close();
        Ok(())
    })
}

fn issuer(env: &Env, options: &Unknown<'_>) -> Result<Option<String>> {
    let options = Arg::new(env, options, "options").options(&["issuer"])?;
    options.get("issuer")?.map(|issuer| issuer.string(0..=MAX_TOKEN_LEN)).transpose()
}

fn scope(issuer: Option<&str>) -> Scope<'_> {
    issuer.map_or(Scope::Any, Scope::Issuer)
}
