//! `Store`.

use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use super::args::handle::Handle;
use super::args::out::{self, LocalValue};
use super::args::{Arg, Fault, Outcome, Result, internal, options};
use super::offload::{Offloaded, offload, offload_into};
use super::revocation::options::Limits;
use super::{CLOCK, guard, path};
use crate::clock::Clock;
use crate::error::Code;
use crate::jwt::{KeyRing, RingOverrides, StoredRing};
use crate::revocation::{ListLimits, RevocationList, StoredList};
use crate::secret::Secret;
use crate::session::StoredSessions;
use crate::store::{self, Durability, Store, StoreOptions};

/// The bounds of `busyMs`.
const BUSY_MS: RangeInclusive<u64> = 1..=600_000;

const DURABILITY: [(&str, Durability); 2] =
    [("power-loss", Durability::PowerLoss), ("process", Durability::Process)];

/// Whether readers answer from memory while the store cannot answer.
const ON_ERROR: [(&str, bool); 2] = [("deny", false), ("allow", true)];

/// The objects that get the rows of a store when it is opened.
type State = (StoredList, (StoredSessions, StoredRing));

/// A store with the list, the sessions and the ring that are on it.
pub(super) struct OpenStore {
    /// `None` once it is closed, so that nothing of it stays mapped until the façade's object is
    /// collected.
    store: Mutex<Option<Arc<Store>>>,
    state: Arc<State>,
}

impl Handle for OpenStore {
    const TAG: u128 = 0xf2a8_17c6_4b3d_4f95_a1d0_6e29_35bc_780e;
    const CLASS: &'static str = "Store";
}

impl OpenStore {
    fn open(path: &Path, options: &StoreFields) -> Result<Self> {
        let default = StoreOptions::default();
        let given = StoreOptions {
            busy: options.busy_ms.map_or(default.busy, Duration::from_millis),
            durability: options.durability.unwrap_or(default.durability),
            allow_filesystem: options.allow_filesystem,
            ..default
        };
        let answers_from_memory = options.on_store_error;
        let make = || -> Box<State> {
            let list = StoredList::new(CLOCK.clone(), answers_from_memory);
            Box::new((list, (StoredSessions::default(), StoredRing::new(answers_from_memory))))
        };
        let store = Arc::new(Store::open(path, &options.key, given, || make() as _)?);
        let state = store.state::<State>().ok_or_else(internal)?;
        if state.0.answers_from_memory() != answers_from_memory {
            return Err(Fault::new(
                Code::InvalidArgValue,
                "this process has the store open with another onStoreError; use the same options",
            ));
        }
        state.0.prepare(&store)?;
        Ok(Self { store: Mutex::new(Some(store)), state })
    }

    /// The store. Fails with `ERR_STORE_CLOSED` if it is closed.
    pub(super) fn store(&self) -> Result<Arc<Store>> {
        Ok(self.slot().clone().ok_or_else(store::closed)?)
    }

    fn slot(&self) -> MutexGuard<'_, Option<Arc<Store>>> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The list on the store; `None` if it was made with other limits.
    pub(super) fn list(
        &self,
        limits: ListLimits,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Arc<RevocationList>>> {
        Ok(self.state.0.list(&*self.store()?, limits, clock)?)
    }

    /// The sessions on the store.
    pub(super) fn sessions(&self) -> &StoredSessions {
        &self.state.1.0
    }

    /// The ring on the store, which may be made. It waits for the disk.
    pub(super) fn ring(
        &self,
        given: &RingOverrides,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<KeyRing>> {
        Ok(self.state.1.1.open(&*self.store()?, given, clock)?)
    }
}

options! {
    /// The options of `Store.open`.
    pub(super) struct OpenOptions for "Store.open" {
        /// All of them.
        store: StoreFields = flatten(StoreFields),
    }
}

options! {
    /// The options of a store.
    pub(super) struct StoreFields {
        /// The key that seals what must not be read from the files.
        key("key"): Secret = required(|key| key.seal_key()),
        /// The longest wait for the transaction of another process, in milliseconds.
        busy_ms("busyMs"): Option<u64> = optional(|busy| busy.integer(BUSY_MS)),
        /// The losses that a commit survives.
        durability("durability"): Option<Durability> =
            optional(|durability| durability.one_of(&DURABILITY)),
        /// Whether the list answers from memory while the store cannot be read.
        on_store_error("onStoreError"): bool = default(false, |wish| wish.one_of(&ON_ERROR)),
        /// Whether the directory may be on a file system of several machines.
        allow_filesystem("allowFilesystem"): bool = default(false, |allow| allow.boolean()),
    }
}

options! {
    /// The options of `RevocationList.open`.
    pub(super) struct OpenListOptions for "RevocationList.open" {
        /// The limits.
        limits: Limits = flatten(Limits),
        /// The store.
        store: StoreFields = flatten(StoreFields),
    }
}

/// The state of a store.
#[napi(object, object_from_js = false)]
pub(super) struct NativeStoreStats {
    /// Revocations in the log.
    pub entries: f64,
    /// Bytes of all files.
    pub bytes: f64,
    /// The last transaction.
    pub sequence: f64,
    /// Transactions that this process has committed.
    pub commits: f64,
    /// The mean number of rows of these transactions.
    pub mean_group: f64,
    /// The most rows of one of these transactions.
    pub largest_group: f64,
    /// Handles that are open in this process.
    pub openers: f64,
    /// Transactions whose rows the list does not have yet.
    pub lag: f64,
    /// When a loss of commits was noticed last, in milliseconds since 1970.
    pub lost_at: Option<f64>,
}

/// Conditions of a store that the façade tells of.
#[napi(object, object_from_js = false)]
pub(super) struct NativeStoreConditions {
    /// The name of the file system, if only the option `allowFilesystem` permits it.
    pub filesystem: Option<String>,
    /// When a loss was noticed, in milliseconds since 1970, if nobody in this process was told yet.
    pub lost_at: Option<f64>,
}

/// Opens a store on another thread. Returns a promise of its carrier. With `of_list` the options
/// are those of `RevocationList.open`.
#[napi(catch_unwind)]
pub(super) fn store_open(
    env: &Env,
    path: Unknown<'_>,
    options: Unknown<'_>,
    of_list: bool,
) -> napi::Result<Outcome<Offloaded<OpenStore, LocalValue>>> {
    guard(env, || {
        let path = path::read(Arg::new(env, &path, "path"))?;
        let options = Arg::new(env, &options, "options");
        let (fields, limits) = if of_list {
            let OpenListOptions { store, limits } = options.read()?;
            (store, Some(limits.with_defaults()))
        } else {
            let OpenOptions { store } = options.read()?;
            (store, None)
        };
        let open = move || {
            let opened = OpenStore::open(&path, &fields)?;
            if let Some(limits) = limits {
                opened.list(limits, CLOCK.clone())?.ok_or_else(other_limits)?;
            }
            Ok(opened)
        };
        Ok(offload_into(env, open, |env, store| out::carrier(env, Arc::new(store))))
    })
}

/// Attaches the store of a carrier to the façade object `store`.
#[napi(catch_unwind)]
pub(super) fn store_from_carrier(
    env: &Env,
    store: Unknown<'_>,
    carrier: Unknown<'_>,
) -> napi::Result<Outcome<NativeStoreConditions>> {
    guard(env, || {
        let held = Arg::new(env, &carrier, "carrier").handle::<OpenStore>()?;
        let open = held.store()?;
        Arg::new(env, &store, "this").attach(held)?;
        Ok(NativeStoreConditions {
            filesystem: open.shared_filesystem().map(str::to_owned),
            lost_at: open.take_loss().map(|time| time as f64),
        })
    })
}

/// The state of a store.
#[napi(catch_unwind)]
pub(super) fn store_stats(
    env: &Env,
    store: Unknown<'_>,
) -> napi::Result<Outcome<NativeStoreStats>> {
    guard(env, || {
        let held = Arg::new(env, &store, "this").handle::<OpenStore>()?;
        let store = held.store()?;
        let stats = store.stats()?;
        let mean = stats.rows as f64 / stats.transactions.max(1) as f64;
        Ok(NativeStoreStats {
            entries: stats.entries as f64,
            bytes: stats.bytes as f64,
            sequence: stats.sequence as f64,
            commits: stats.transactions as f64,
            mean_group: mean,
            largest_group: stats.largest_group as f64,
            openers: stats.openers as f64,
            lag: held.state.0.lag(&store) as f64,
            lost_at: stats.lost_at.map(|time| time as f64),
        })
    })
}

/// Makes a directory with a copy of the store, on another thread.
#[napi(catch_unwind)]
pub(super) fn store_backup(
    env: &Env,
    store: Unknown<'_>,
    path: Unknown<'_>,
) -> napi::Result<Outcome<Offloaded<()>>> {
    guard(env, || {
        let store = Arg::new(env, &store, "this").handle::<OpenStore>()?.store()?;
        let path = path::read(Arg::new(env, &path, "path"))?;
        Ok(offload(env, move || Ok(store.backup(&path)?)))
    })
}

/// Closes a store, on another thread: changes that wait are written first.
#[napi(catch_unwind)]
pub(super) fn store_close(env: &Env, store: Unknown<'_>) -> napi::Result<Outcome<Offloaded<()>>> {
    guard(env, || {
        let store = Arg::new(env, &store, "this").handle::<OpenStore>()?;
        Ok(offload(env, move || {
            let open = store.slot().take();
            if let Some(open) = open {
                open.close();
            }
            Ok(())
        }))
    })
}

/// The error for a list whose options are not those of the one that the store has.
pub(super) fn other_limits() -> Fault {
    Fault::new(
        Code::InvalidArgValue,
        "options must be those of the store's list, which was made before: pass the same options \
         everywhere",
    )
}
