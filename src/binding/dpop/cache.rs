//! `new DpopReplayCache`, `DpopReplayCache.shared` and `DpopReplayCache.machine`.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use super::options::{CacheOptions, MachineCacheOptions, SharedCacheOptions};
use crate::binding::args::handle::Handle;
use crate::binding::args::{Arg, Fault, Outcome};
use crate::binding::{CLOCK, guard, path};
use crate::dpop::{DEFAULT_ENTRIES, ReplayCache};
use crate::error::Code;
use crate::registry::{Registry, Shared};

/// The most names of `DpopReplayCache.shared`, because shared caches are never freed.
const MAX_SHARED: usize = 1000;

/// The caches of `DpopReplayCache.shared`.
static SHARED: Registry<ReplayCache> = Registry::new(MAX_SHARED);

impl Handle for ReplayCache {
    const TAG: u128 = 0x1c5e_80a7_3f2b_4d96_b1d4_7e60_29c8_f513;
    const CLASS: &'static str = "DpopReplayCache";

    fn external_len(&self) -> u32 {
        u32::try_from(self.max_entries() * 16).unwrap_or(u32::MAX)
    }
}

/// The state of a cache.
#[napi(object, object_from_js = false)]
pub(crate) struct NativeCacheStats {
    /// The number of proofs that fit.
    pub capacity: f64,
    /// The number of proofs that are remembered.
    pub entries: f64,
}

/// Attaches a new cache to the façade object `cache`.
#[napi(catch_unwind)]
pub(crate) fn dpop_cache_attach(
    env: &Env,
    cache: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let options: CacheOptions = Arg::new(env, &options, "options").read()?;
        let size = options.size.max_entries.unwrap_or(DEFAULT_ENTRIES);
        let core = ReplayCache::new(size, options.clock.clock)?;
        Arg::new(env, &cache, "this").attach(Arc::new(core))
    })
}

/// Attaches the process's shared cache of a name to the façade object `cache`. The first call with
/// a name makes the cache.
#[napi(catch_unwind)]
pub(crate) fn dpop_cache_share(
    env: &Env,
    cache: Unknown<'_>,
    name: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let options: SharedCacheOptions = Arg::new(env, &options, "options").read()?;
        let given = options.size.max_entries;
        let agrees = |known: &ReplayCache| given.is_none_or(|given| given == known.max_entries());
        let make =
            || ReplayCache::new(given.unwrap_or(DEFAULT_ENTRIES), CLOCK.clone()).map(Arc::new);
        let name = Arg::new(env, &name, "name");
        let core = match SHARED.share(&name.string(1..=256)?, agrees, make)? {
            Shared::Object(cache) => cache,
            Shared::Conflict => {
                return Err(name.invalid(
                    "names a shared replay cache with another maxEntries: pass the same number \
                     everywhere, or none if the cache exists",
                ));
            }
            Shared::NoMemory => {
                return Err(Fault::new(
                    Code::DpopFull,
                    "there is no memory for another shared replay cache; give the process more",
                ));
            }
            Shared::Full => {
                return Err(name.out_of_range(format!("one of at most {MAX_SHARED} names")));
            }
        };
        Arg::new(env, &cache, "this").attach(core)
    })
}

/// Attaches the cache of a file to the façade object `cache`.
#[napi(catch_unwind)]
pub(crate) fn dpop_cache_machine(
    env: &Env,
    cache: Unknown<'_>,
    path: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let options: MachineCacheOptions = Arg::new(env, &options, "options").read()?;
        let path = path::read(Arg::new(env, &path, "path"))?;
        let core = ReplayCache::machine(&path, options.size.max_entries, &CLOCK)?;
        Arg::new(env, &cache, "this").attach(core)
    })
}

/// The state of a cache.
#[napi(catch_unwind)]
pub(crate) fn dpop_cache_stats(
    env: &Env,
    cache: Unknown<'_>,
) -> napi::Result<Outcome<NativeCacheStats>> {
    guard(env, || {
        let cache = Arg::new(env, &cache, "this").handle::<ReplayCache>()?;
        let (capacity, entries) = (cache.max_entries() as f64, cache.entries() as f64);
        Ok(NativeCacheStats { capacity, entries })
    })
}

/// The number of a cache, which tells whether two façade objects have the same one.
#[napi(catch_unwind)]
pub(crate) fn dpop_cache_number(env: &Env, cache: Unknown<'_>) -> napi::Result<Outcome<u32>> {
    guard(env, || Ok(Arg::new(env, &cache, "cache").handle::<ReplayCache>()?.number()))
}

/// A nonce of a cache.
#[napi(catch_unwind)]
pub(crate) fn dpop_nonce(env: &Env, cache: Unknown<'_>) -> napi::Result<Outcome<String>> {
    guard(env, || Ok(Arg::new(env, &cache, "cache").handle::<ReplayCache>()?.nonce()))
}
