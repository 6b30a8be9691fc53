//! The native part of `RedisRevocations`.

use std::ops::RangeInclusive;
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Function, Unknown};
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;

use crate::binding::args::{Arg, Outcome, internal, options};
use crate::binding::guard;
use crate::binding::server_prefix::read_prefix;
use crate::error::{Code, Error};
use crate::revocation::{Attachment, Found, RemoteKeys, RemoteTerms, RevocationList};
use crate::secret::Secret;

/// The bounds of `maxStaleness`, in seconds.
const STALENESS: RangeInclusive<u64> = 1..=24 * 3600;
/// The bounds of `waitReplicas`.
const REPLICAS: RangeInclusive<u32> = 0..=100;
/// The longest text of rows that are read at once, in bytes.
const MAX_ROWS_LEN: usize = 64 << 20;

/// Whether the list answers from memory when it is stale.
const ON_ERROR: [(&str, bool); 2] = [("deny", false), ("allow", true)];

options! {
    /// The options of `RedisRevocations.open`.
    pub(crate) struct RemoteOptions for "RedisRevocations.open" {
        facade("client"),
        /// The list.
        list("list"): Arc<RevocationList> = required(|list| list.handle()),
        /// The longest time without an answer of the server, in seconds.
        max_staleness("maxStaleness"): u64 = required(|time| time.duration(STALENESS)),
        /// The key of all machines.
        key("key"): Option<Secret> = optional(|key| key.seal_key()),
        /// Whether the list answers from memory when it is stale.
        on_store_error("onStoreError"): bool = default(false, |wish| wish.one_of(&ON_ERROR)),
        /// The number of replicas that must have a revocation.
        wait_replicas("waitReplicas"): u32 = default(0, |count| count.integer32(REPLICAS)),
        /// The first part of all names on the server.
        prefix("prefix"): String = default("nodesec:revocations".into(), |prefix| read_prefix(&prefix)),
    }
}

/// The options, for the façade.
#[napi(object, object_from_js = false)]
pub(super) struct NativeRemoteOptions {
    /// The longest time without an answer of the server, in milliseconds.
    pub max_staleness: f64,
    /// Whether the caller has given a key.
    pub has_key: bool,
    /// The number of replicas that must have a revocation.
    pub wait_replicas: u32,
    /// The first part of all names on the server.
    pub prefix: String,
    /// How long the rows of usual revocations are needed, in milliseconds.
    pub life: f64,
}

/// Rows to be published.
#[napi(object, object_from_js = false)]
pub(super) struct NativeBatch {
    /// The number by which the result is reported.
    pub number: u32,
    /// The texts of the rows, one after another.
    pub rows: String,
    /// The number of rows.
    pub count: u32,
    /// The indexes of the rows that are needed for longer than the stream has its rows.
    pub lasting: Vec<u32>,
}

/// Puts the list of the options on a server. `record` has the keys of fingerprints that are on the
/// server; while it is missing, and the options have no key either, the list takes no revocations.
/// `wake` is called on this thread when rows wait, and does not keep its event loop alive.
#[napi(catch_unwind)]
pub(super) fn revocation_remote_attach(
    env: &Env,
    options: Unknown<'_>,
    record: Unknown<'_>,
    wake: Function<'_, (), ()>,
) -> napi::Result<Outcome<NativeRemoteOptions>> {
    guard(env, || {
        let given: RemoteOptions = Arg::new(env, &options, "options").read()?;
        let record = Arg::new(env, &record, "record").present()?;
        let record = record.map(|record| record.bytes(0..=1024)).transpose()?;
        let keys = match (&given.key, record) {
            (Some(key), _) => RemoteKeys::derive(key, &given.prefix)?,
            (None, Some(record)) => RemoteKeys::shared(&record)?,
            (None, None) => RemoteKeys::provisional()?,
        };
        let max_staleness = given.max_staleness * 1000;
        let terms = RemoteTerms { max_staleness, answers_from_memory: given.on_store_error };
        let wake = wake
            .build_threadsafe_function::<()>()
            .weak::<true>()
            .build_callback(|_| Ok(()))
            .map_err(|_| internal())?;
        let wake =
            move || wake.call((), ThreadsafeFunctionCallMode::NonBlocking) == napi::Status::Ok;
        let attachment = given.list.attach_remote(keys, terms, Box::new(wake))?;
        // A thread may end before it closes its `RedisRevocations`; then another one may open the
        // list. The hook runs before that of the function that wakes, which was made earlier.
        env.add_env_cleanup_hook(attachment, Attachment::end).map_err(|_| internal())?;
        Ok(NativeRemoteOptions {
            max_staleness: max_staleness as f64,
            has_key: given.key.is_some(),
            wait_replicas: given.wait_replicas,
            prefix: given.prefix,
            life: given.list.remote_life() as f64 * 1000.0,
        })
    })
}

/// Whether the list is on a server.
#[napi(catch_unwind)]
pub(super) fn revocation_is_remote(env: &Env, list: Unknown<'_>) -> napi::Result<Outcome<bool>> {
    guard(env, || Ok(Arg::new(env, &list, "this").handle::<RevocationList>()?.is_remote()))
}

/// The present, for `revocationRemoteConfirm`, in milliseconds.
#[napi(catch_unwind)]
pub(super) fn revocation_remote_now() -> f64 {
    RevocationList::remote_now() as f64
}

/// Notes that the list has every row that the server had at a moment of `revocationRemoteNow`.
#[napi(catch_unwind)]
pub(super) fn revocation_remote_confirm(
    env: &Env,
    list: Unknown<'_>,
    moment: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let moment = Arg::new(env, &moment, "moment").integer(0..=1 << 53)?;
        let list = Arg::new(env, &list, "this").handle::<RevocationList>()?;
        Ok(list.confirm_remote(moment)?)
    })
}

/// Adds rows, whose texts are separated by commas. Returns the numbers of rows that are new,
/// forged, under other keys and of a later release.
#[napi(catch_unwind)]
pub(super) fn revocation_remote_apply(
    env: &Env,
    list: Unknown<'_>,
    rows: Unknown<'_>,
) -> napi::Result<Outcome<Vec<f64>>> {
    guard(env, || {
        let list = Arg::new(env, &list, "this").handle::<RevocationList>()?;
        let rows = Arg::new(env, &rows, "rows").string(0..=MAX_ROWS_LEN)?;
        let Found { added, forged, foreign, newer } = list.apply_remote(&rows)?;
        Ok([added, forged, foreign, newer].map(|count| count as f64).to_vec())
    })
}

/// Notes that the server may lack any entry of the list.
#[napi(catch_unwind)]
pub(super) fn revocation_remote_doubt(env: &Env, list: Unknown<'_>) -> napi::Result<Outcome<()>> {
    guard(env, || Ok(Arg::new(env, &list, "this").handle::<RevocationList>()?.doubt_remote()?))
}

/// Takes at most `most` rows to be published: those that callers wait for, or with `unconfirmed`
/// those that the server may lack.
#[napi(catch_unwind)]
pub(super) fn revocation_remote_take(
    env: &Env,
    list: Unknown<'_>,
    most: u32,
    unconfirmed: bool,
) -> napi::Result<Outcome<Option<NativeBatch>>> {
    guard(env, || {
        let Some(list) = Arg::new(env, &list, "this").handle_unless_ended::<RevocationList>()?
        else {
            return Ok(None);
        };
        let batch = list.take_remote(most as usize, unconfirmed)?;
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Ok(batch.map(|batch| NativeBatch {
            number: batch.number,
            rows: batch.rows,
            count: small(batch.count),
            lasting: batch.lasting.into_iter().map(small).collect(),
        }))
    })
}

/// Reports that the server has a batch or, with a message, that it is not known to have it.
#[napi(catch_unwind)]
pub(super) fn revocation_remote_settle(
    env: &Env,
    list: Unknown<'_>,
    number: u32,
    failure: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let list = Arg::new(env, &list, "this").handle::<RevocationList>()?;
        let failure = Arg::new(env, &failure, "failure").present()?;
        let result = match failure.map(|failure| failure.string(0..=1024)).transpose()? {
            None => Ok(()),
            Some(message) => Err(Error::new(Code::RevocationStore, message)),
        };
        Ok(list.settle_remote(number, &result)?)
    })
}

/// The numbers of rows whose callers wait, and of those that the server may lack.
#[napi(catch_unwind)]
pub(super) fn revocation_remote_count(
    env: &Env,
    list: Unknown<'_>,
) -> napi::Result<Outcome<Vec<f64>>> {
    guard(env, || {
        let list = Arg::new(env, &list, "this").handle::<RevocationList>()?;
        let (waiting, unconfirmed) = list.count_remote()?;
        Ok(vec![waiting as f64, unconfirmed as f64])
    })
}

/// Whether a row is needed at the proven time.
#[napi(catch_unwind)]
pub(super) fn revocation_remote_needs(
    env: &Env,
    list: Unknown<'_>,
    row: Unknown<'_>,
) -> napi::Result<Outcome<bool>> {
    guard(env, || {
        let list = Arg::new(env, &list, "this").handle::<RevocationList>()?;
        let row = Arg::new(env, &row, "row").string(0..=MAX_ROWS_LEN)?;
        Ok(list.needs_remote(&row)?)
    })
}

/// The time that has certainly passed, in milliseconds since 1970; 0 if none is proven.
#[napi(catch_unwind)]
pub(super) fn revocation_remote_proven(env: &Env, list: Unknown<'_>) -> napi::Result<Outcome<f64>> {
    guard(env, || {
        Ok(Arg::new(env, &list, "this").handle::<RevocationList>()?.moment().proven as f64)
    })
}

/// Ends publishing.
#[napi(catch_unwind)]
pub(super) fn revocation_remote_detach(env: &Env, list: Unknown<'_>) -> napi::Result<Outcome<()>> {
    guard(env, || Ok(Arg::new(env, &list, "this").handle::<RevocationList>()?.detach_remote()?))
}
