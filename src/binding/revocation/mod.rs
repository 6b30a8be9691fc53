//! `RevocationList`.

pub(super) mod options;
pub(super) mod remote;

use std::iter;
use std::sync::Arc;

use napi::bindgen_prelude::{Function, Unknown};
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi::{Env, sys};
use napi_derive::napi;

use self::options::{AllOptions, Limits, ScopeOptions, SharedListOptions};
use super::args::handle::Handle;
use super::args::{Arg, Fault, Outcome, Result, internal, options};
use super::clock::ClockOptions;
use super::fast::{self, Hot, RawCall};
use super::outbox::revoke;
use super::store::{OpenStore, other_limits};
use super::{CLOCK, guard};
use crate::error::Code;
use crate::jwt::MAX_TOKEN_LEN;
use crate::listeners::{Mail, Mailbox};
use crate::registry::{Registry, Shared};
use crate::revocation::{Query, Revocation, RevocationList, Revoked, Scope, Stats};

/// The most names of `RevocationList.shared`: shared lists are never freed.
const MAX_SHARED: usize = 1000;

/// The lists of `RevocationList.shared`.
static SHARED: Registry<RevocationList> = Registry::new(MAX_SHARED);

impl Handle for RevocationList {
    const TAG: u128 = 0x0b6c_98e4_5e29_4f2a_b05f_6f0c_1df4_2a05;
    const CLASS: &'static str = "RevocationList";
}

options! {
    /// The options of `RevocationList`.
    pub(super) struct ListOptions for "RevocationList" {
        /// The limits.
        limits: Limits = flatten(Limits),
        /// The store that keeps the list; without it the list is in memory.
        store("store"): Option<Arc<OpenStore>> = optional(|store| store.handle()),
        /// The clock.
        clock: ClockOptions = flatten(ClockOptions),
    }
}

/// A revocation, for listeners.
#[napi(object, object_from_js = false)]
pub(super) struct NativeRevoked {
    /// `id`, `session`, `subject`, `key` or `all`.
    pub kind: &'static str,
    /// When the last token that it refuses has expired, in seconds since 1970; absent for a key.
    pub until: Option<f64>,
    /// `local` or `remote`.
    pub origin: &'static str,
    /// The number of revocations before this one that were dropped.
    pub missed: f64,
}

impl NativeRevoked {
    /// The events of a mailbox. The first has the number of those that were dropped.
    fn all(Mail { missed, changes }: Mail<Revoked>) -> Vec<Self> {
        let missed = iter::once(missed).chain(iter::repeat(0));
        let event = |(revoked, missed): (Revoked, u64)| Self {
            kind: revoked.field.name(),
            until: revoked.until.map(|until| until as f64),
            origin: revoked.origin.name(),
            missed: missed as f64,
        };
        changes.into_iter().zip(missed).map(event).collect()
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
        let ListOptions { limits, store, clock } = Arg::new(env, &options, "options").read()?;
        let core = match store {
            Some(store) => {
                let known = store.list(limits.with_defaults(), clock.clock)?;
                known.ok_or_else(other_limits)?
            }
            None => Arc::new(RevocationList::new(limits.with_defaults(), clock.clock)?),
        };
        Arg::new(env, &list, "this").attach(core)
    })
}

/// Attaches the process's shared list of a name to the façade object `list`. The first call with a
/// name makes the list.
#[napi(catch_unwind)]
pub(super) fn revocation_share(
    env: &Env,
    list: Unknown<'_>,
    name: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let SharedListOptions { limits } = Arg::new(env, &options, "options").read()?;
        let name = Arg::new(env, &name, "name");
        let text = name.string(1..=256)?;
        let agrees = |known: &RevocationList| limits.agree_with(known.limits());
        let make = || -> Result<_> {
            Ok(Arc::new(RevocationList::new(limits.with_defaults(), CLOCK.clone())?))
        };
        let core = match SHARED.share(&text, agrees, make)? {
            Shared::Object(known) => known,
            Shared::Conflict => {
                return Err(name.invalid(
                    "names a shared list with other options: pass the same options everywhere, or \
                     none if the list exists",
                ));
            }
            Shared::NoMemory => {
                return Err(Fault::new(
                    Code::RevocationFull,
                    "there is no memory for another shared list; give the process more",
                ));
            }
            Shared::Full => {
                return Err(name.out_of_range(format!("one of at most {MAX_SHARED} names")));
            }
        };
        Arg::new(env, &list, "this").attach(core)
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

/// Whether the list is on a store, so that a revocation takes a while.
#[napi(catch_unwind)]
pub(super) fn revocation_is_durable(env: &Env, list: Unknown<'_>) -> napi::Result<Outcome<bool>> {
    guard(env, || Ok(Arg::new(env, &list, "this").handle::<RevocationList>()?.is_durable()))
}

/// Revokes a token by its claims `jti`, `exp` and, if it has one, `iss`.
#[napi(catch_unwind)]
pub(super) fn revocation_revoke(
    env: &Env,
    list: Unknown<'_>,
    claims: Unknown<'_>,
    outbox: Unknown<'_>,
) -> napi::Result<Outcome<Option<u32>>> {
    guard(env, || {
        let outbox = Arg::new(env, &outbox, "outbox");
        let list = Arg::new(env, &list, "this").handle::<RevocationList>()?;
        let claims = Arg::new(env, &claims, "claims").record()?;
        let id = claims.require("jti")?.string(1..=MAX_TOKEN_LEN)?;
        let expires_at = claims.require("exp")?.moment()?;
        let issuer = claims.get("iss")?.map(|iss| iss.string(0..=MAX_TOKEN_LEN)).transpose()?;
        revoke(&list, &Revocation::id(&id, expires_at, scope(issuer.as_deref())), &outbox)
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
    outbox: Unknown<'_>,
) -> napi::Result<Outcome<Option<u32>>> {
    guard(env, || {
        let outbox = Arg::new(env, &outbox, "outbox");
        let list = Arg::new(env, &list, "this").handle::<RevocationList>()?;
        let id = Arg::new(env, &id, "jti").string(1..=MAX_TOKEN_LEN)?;
        let expires_at = Arg::new(env, &expires_at, "expiresAt").moment()?;
        let ScopeOptions { issuer } = Arg::new(env, &options, "options").read()?;
        revoke(&list, &Revocation::id(&id, expires_at, scope(issuer.as_deref())), &outbox)
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
    outbox: Unknown<'_>,
) -> napi::Result<Outcome<Option<u32>>> {
    guard(env, || {
        let outbox = Arg::new(env, &outbox, "outbox");
        let list = Arg::new(env, &list, "this").handle::<RevocationList>()?;
        let sid = Arg::new(env, &sid, "sid").string(1..=MAX_TOKEN_LEN)?;
        let expires_at = Arg::new(env, &expires_at, "expiresAt").moment()?;
        let ScopeOptions { issuer } = Arg::new(env, &options, "options").read()?;
        revoke(&list, &Revocation::session(&sid, expires_at, scope(issuer.as_deref())), &outbox)
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
    outbox: Unknown<'_>,
) -> napi::Result<Outcome<Option<u32>>> {
    guard(env, || {
        let outbox = Arg::new(env, &outbox, "outbox");
        let list = Arg::new(env, &list, "this").handle::<RevocationList>()?;
        let sub = Arg::new(env, &sub, "sub").string(1..=MAX_TOKEN_LEN)?;
        let until = Arg::new(env, &issued_before, "issuedBefore").present()?;
        let until = until.map(|moment| moment.moment()).transpose()?;
        let ScopeOptions { issuer } = Arg::new(env, &options, "options").read()?;
        let scope = scope(issuer.as_deref());
        let revocation = match until {
            Some(until) => Revocation::subject(&sub, until, scope),
            None => Revocation::subject_now(&sub, scope),
        };
        revoke(&list, &revocation, &outbox)
    })
}

/// Revokes a key.
#[napi(catch_unwind)]
pub(super) fn revocation_revoke_key(
    env: &Env,
    list: Unknown<'_>,
    kid: Unknown<'_>,
    outbox: Unknown<'_>,
) -> napi::Result<Outcome<Option<u32>>> {
    guard(env, || {
        let outbox = Arg::new(env, &outbox, "outbox");
        let list = Arg::new(env, &list, "this").handle::<RevocationList>()?;
        let kid = Arg::new(env, &kid, "kid").string(1..=MAX_TOKEN_LEN)?;
        revoke(&list, &Revocation::key(&kid), &outbox)
    })
}

/// Revokes the tokens that an issuer, or any, has issued until a moment, by default until now.
#[napi(catch_unwind)]
pub(super) fn revocation_revoke_all(
    env: &Env,
    list: Unknown<'_>,
    options: Unknown<'_>,
    outbox: Unknown<'_>,
) -> napi::Result<Outcome<Option<u32>>> {
    guard(env, || {
        let outbox = Arg::new(env, &outbox, "outbox");
        let list = Arg::new(env, &list, "this").handle::<RevocationList>()?;
        let AllOptions { issuer, issued_before } = Arg::new(env, &options, "options").read()?;
        let scope = scope(issuer.as_deref());
        let revocation = match issued_before {
            Some(until) => Revocation::all(until, scope),
            None => Revocation::all_now(scope),
        };
        revoke(&list, &revocation, &outbox)
    })
}

/// Calls `listener`, a function of the façade, with every revocation from now on. The calls happen
/// on the thread of the listener and do not keep its event loop alive. While the thread is busy, a
/// bounded number of revocations waits. Returns the number to pass to `revocationUnlisten`.
#[napi(catch_unwind)]
pub(super) fn revocation_listen(
    env: &Env,
    list: Unknown<'_>,
    listener: Function<'_, Vec<NativeRevoked>, ()>,
) -> napi::Result<Outcome<f64>> {
    guard(env, move || {
        let list = Arg::new(env, &list, "this").handle::<RevocationList>()?;
        let mailbox = Arc::new(Mailbox::default());
        let waiting = mailbox.clone();
        let listener = listener
            .build_threadsafe_function::<()>()
            .weak::<true>()
            .build_callback(move |_| Ok(NativeRevoked::all(waiting.take())))
            .map_err(|_| internal())?;
        let id = list.listen(Box::new(move |revoked| {
            if !mailbox.put(revoked) {
                return !listener.aborted();
            }
            listener.call((), ThreadsafeFunctionCallMode::NonBlocking) == napi::Status::Ok
        }));
        Ok(id as f64)
    })
}

/// Removes a listener that `revocationListen` has added.
#[napi(catch_unwind)]
pub(super) fn revocation_unlisten(
    env: &Env,
    list: Unknown<'_>,
    id: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let list = Arg::new(env, &list, "this").handle::<RevocationList>()?;
        list.unlisten(Arg::new(env, &id, "id").integer(0..=u64::from(u32::MAX))?);
        Ok(())
    })
}

/// `[ids, sessions, subjects, keys, all, maxEntries, rejectsIssuedUntil]`
#[napi(catch_unwind)]
pub(super) fn revocation_stats(env: &Env, list: Unknown<'_>) -> napi::Result<Outcome<Vec<f64>>> {
    guard(env, || {
        let stats = Arg::new(env, &list, "this").handle::<RevocationList>()?.stats();
        let Stats { ids, sessions, subjects, keys, all, max_entries, .. } = stats;
        let counts = [ids, sessions, subjects, keys, all, max_entries];
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
