//! `RevocationList`.

use std::ops::RangeInclusive;
use std::sync::Arc;

use napi::bindgen_prelude::Unknown;
use napi::{Env, sys};
use napi_derive::napi;

use super::args::handle::Handle;
use super::args::{Arg, Outcome, Result, options};
use super::clock::ClockOptions;
use super::fast::{self, Hot, RawCall};
use super::guard;
use crate::jwt::MAX_TOKEN_LEN;
use crate::revocation::{ListLimits, OnFull, Query, Revocation, RevocationList, Scope};

/// The bounds of `maxEntries`.
const ENTRIES: RangeInclusive<usize> = 1..=100_000_000;
/// The bounds of `maxTokenTtl`, in seconds.
pub(super) const TOKEN_TTL: RangeInclusive<u64> = 1..=10 * 366 * 24 * 3600;

const ON_FULL: [(&str, OnFull); 2] =
    [("error", OnFull::Error), ("reject-older", OnFull::RejectOlder)];

impl Handle for RevocationList {
    const TAG: u128 = 0x0b6c_98e4_5e29_4f2a_b05f_6f0c_1df4_2a05;
    const CLASS: &'static str = "RevocationList";
}

options! {
    /// The options of `RevocationList`.
    pub(super) struct ListOptions for "RevocationList" {
        /// The most entries.
        max_entries("maxEntries"): Option<usize> = optional(|entries| entries.length(ENTRIES)),
        /// The longest life of a token, in seconds.
        max_token_ttl("maxTokenTtl"): Option<u64> = optional(|ttl| ttl.duration(TOKEN_TTL)),
        /// The reaction to a full list.
        on_full("onFull"): Option<OnFull> = optional(|on_full| on_full.one_of(&ON_FULL)),
        /// The clock.
        clock: ClockOptions = flatten(ClockOptions),
    }
}

options! {
    /// The options of `revokeId`, `revokeSession` and `revokeSubject`.
    pub(super) struct ScopeOptions for "RevocationList.prototype.revokeId" {
        /// The issuer of the tokens; any issuer unless given.
        issuer("issuer"): Option<String> = optional(|issuer| issuer.string(0..=MAX_TOKEN_LEN)),
    }
}

/// `(jti, sid, sub, iat, kid, iss) => boolean`
impl Hot for RevocationList {
    const NAME: &'static str = "isRevoked";
    const ARGUMENTS: usize = 6;

    fn call(&self, call: &RawCall) -> Result<sys::napi_value> {
        let text = |index, name| -> Result<Option<String>> {
            let argument = call.argument(index, name);
            argument.present()?.map(|text| text.string(0..=MAX_TOKEN_LEN)).transpose()
        };
        let issued_at = call.argument(3, "claims.iat").present()?.map(|iat| iat.numeric_date());
        let (id, session, subject) =
            (text(0, "claims.jti")?, text(1, "claims.sid")?, text(2, "claims.sub")?);
        let (kid, issuer) = (text(4, "claims.kid")?, text(5, "claims.iss")?);
        let revoked = self.is_revoked(&Query {
            issuer: issuer.as_deref(),
            id: id.as_deref(),
            session: session.as_deref(),
            subject: subject.as_deref(),
            issued_at: issued_at.transpose()?,
            kid: kid.as_deref(),
        })?;
        call.boolean(revoked)
    }
}

/// Attaches an empty list to the façade object `list`.
#[napi(catch_unwind)]
pub(super) fn revocation_attach(
    env: &Env,
    list: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let options: ListOptions = Arg::new(env, &options, "options").read()?;
        let default = ListLimits::default();
        let limits = ListLimits {
            max_entries: options.max_entries.unwrap_or(default.max_entries),
            max_token_ttl: options.max_token_ttl.unwrap_or(default.max_token_ttl),
            on_full: options.on_full.unwrap_or(default.on_full),
        };
        let core = RevocationList::new(limits, options.clock.clock)?;
        Arg::new(env, &list, "this").attach(Arc::new(core))
    })
}

/// `isRevoked`, bound to a list.
#[napi(catch_unwind)]
pub(super) fn revocation_bind<'env>(
    env: &'env Env,
    list: Unknown<'_>,
) -> napi::Result<Outcome<Unknown<'env>>> {
    guard(env, || fast::bind(env, Arg::new(env, &list, "this").handle::<RevocationList>()?))
}

/// Revokes a token by its claims `jti`, `exp` and, if it has one, `iss`.
#[napi(catch_unwind)]
pub(super) fn revocation_revoke(
    env: &Env,
    list: Unknown<'_>,
    claims: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let list = Arg::new(env, &list, "this").handle::<RevocationList>()?;
        let claims = Arg::new(env, &claims, "claims").record()?;
        let id = claims.require("jti")?.string(1..=MAX_TOKEN_LEN)?;
        let expires_at = claims.require("exp")?.moment()?;
        let issuer = claims.get("iss")?.map(|iss| iss.string(0..=MAX_TOKEN_LEN)).transpose()?;
        Ok(list.revoke(&Revocation::id(&id, expires_at, scope(issuer.as_deref())))?)
    })
}

/// Revokes a token by its id.
#[napi(catch_unwind)]
pub(super) fn revocation_revoke_id(
    env: &Env,
    list: Unknown<'_>,
    id: Unknown<'_>,
    expires_at: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let list = Arg::new(env, &list, "this").handle::<RevocationList>()?;
        let id = Arg::new(env, &id, "jti").string(1..=MAX_TOKEN_LEN)?;
        let expires_at = Arg::new(env, &expires_at, "expiresAt").moment()?;
        let ScopeOptions { issuer } = Arg::new(env, &options, "options").read()?;
        Ok(list.revoke(&Revocation::id(&id, expires_at, scope(issuer.as_deref())))?)
    })
}

/// Revokes a session by its id.
#[napi(catch_unwind)]
pub(super) fn revocation_revoke_session(
    env: &Env,
    list: Unknown<'_>,
    sid: Unknown<'_>,
    expires_at: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let list = Arg::new(env, &list, "this").handle::<RevocationList>()?;
        let sid = Arg::new(env, &sid, "sid").string(1..=MAX_TOKEN_LEN)?;
        let expires_at = Arg::new(env, &expires_at, "expiresAt").moment()?;
        let ScopeOptions { issuer } = Arg::new(env, &options, "options").read()?;
        Ok(list.revoke(&Revocation::session(&sid, expires_at, scope(issuer.as_deref())))?)
    })
}

/// Revokes the tokens that a subject was issued until a moment, by default until now.
#[napi(catch_unwind)]
pub(super) fn revocation_revoke_subject(
    env: &Env,
    list: Unknown<'_>,
    sub: Unknown<'_>,
    issued_before: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let list = Arg::new(env, &list, "this").handle::<RevocationList>()?;
        let sub = Arg::new(env, &sub, "sub").string(1..=MAX_TOKEN_LEN)?;
        let until = Arg::new(env, &issued_before, "issuedBefore").present()?;
        let until = until.map(|moment| moment.moment()).transpose()?;
        let ScopeOptions { issuer } = Arg::new(env, &options, "options").read()?;
        let scope = scope(issuer.as_deref());
        match until {
            Some(until) => list.revoke(&Revocation::subject(&sub, until, scope))?,
            None => list.revoke(&Revocation::subject_now(&sub, scope))?,
        }
        Ok(())
    })
}

/// Revokes a key.
#[napi(catch_unwind)]
pub(super) fn revocation_revoke_key(
    env: &Env,
    list: Unknown<'_>,
    kid: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let list = Arg::new(env, &list, "this").handle::<RevocationList>()?;
        Ok(list.revoke(&Revocation::key(&Arg::new(env, &kid, "kid").string(1..=MAX_TOKEN_LEN)?))?)
    })
}

/// `[ids, sessions, subjects, keys, maxEntries, rejectsIssuedUntil]`
#[napi(catch_unwind)]
pub(super) fn revocation_stats(env: &Env, list: Unknown<'_>) -> napi::Result<Outcome<Vec<f64>>> {
    guard(env, || {
        let stats = Arg::new(env, &list, "this").handle::<RevocationList>()?.stats();
        let counts = [stats.ids, stats.sessions, stats.subjects, stats.keys, stats.max_entries];
        let counts = counts.map(|count| count as f64);
        Ok([&counts[..], &[stats.rejects_issued_until as f64]].concat())
    })
}

/// Frees the entries and refuses every later call.
#[napi(catch_unwind)]
pub(super) fn revocation_close(env: &Env, list: Unknown<'_>) -> napi::Result<Outcome<()>> {
    guard(env, || {
        Arg::new(env, &list, "this").handle::<RevocationList>()?.close();
        Ok(())
    })
}

fn scope(issuer: Option<&str>) -> Scope<'_> {
    issuer.map_or(Scope::Any, Scope::Issuer)
}
