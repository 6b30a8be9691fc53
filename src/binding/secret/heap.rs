//! `secureHeap`.

use std::ops::RangeInclusive;

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use super::buffer::dispose_all;
use crate::binding::args::{Arg, Outcome, Result, options};
use crate::binding::guard;
use crate::heap::{OnDegraded, Requirement};
use crate::os::Backend;
use crate::secret::{self, OnFull, Settings};

/// The bounds of `maxBytes`: 4 KiB to 1 GiB.
const MAX_BYTES: RangeInclusive<usize> = 4096..=1 << 30;

const BACKENDS: [(&str, Option<Backend>); 5] = [
    ("auto", None),
    ("memfd_secret", Some(Backend::MemfdSecret)),
    ("mlock", Some(Backend::Mlock)),
    ("dontdump", Some(Backend::DontDump)),
    ("plain", Some(Backend::Plain)),
];

const REQUIREMENTS: [(&str, Requirement); 3] = [
    ("locked", Requirement::Locked),
    ("dumpExcluded", Requirement::DumpExcluded),
    ("kernelUnmapped", Requirement::KernelUnmapped),
];

const ON_DEGRADED: [(&str, OnDegraded); 3] =
    [("warn", OnDegraded::Warn), ("error", OnDegraded::Error), ("ignore", OnDegraded::Ignore)];

const OVERFLOW: [(&str, OnFull); 2] = [("error", OnFull::Error), ("seal", OnFull::Seal)];

options! {
    /// The options of `secureHeap.configure`.
    pub(crate) struct HeapOptions for "secureHeap.configure" {
        /// The most that the heap may grow to, in bytes.
        max_bytes("maxBytes"): Option<usize> = optional(|bytes| bytes.length(MAX_BYTES)),
        /// The kind of memory; the best there is unless given.
        backend("backend"): Option<Option<Backend>> = optional(|name| name.one_of(&BACKENDS)),
        /// The properties without which no secret is stored.
        require("require"): Option<Vec<Requirement>> = optional(requirements),
        /// The reaction if the memory is less protected than it should be.
        on_degraded("onDegraded"): Option<OnDegraded> = optional(|name| name.one_of(&ON_DEGRADED)),
        /// The reaction to a full heap.
        overflow("overflow"): Option<OnFull> = optional(|name| name.one_of(&OVERFLOW)),
    }
}

/// Facts about the secure heap; numbers of bytes unless the name says otherwise.
#[napi(object, object_from_js = false)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts, read as a report")]
pub(crate) struct SecureHeapStatus {
    /// `memfd_secret`, `mlock`, `dontdump` or `plain`.
    pub backend: String,
    /// Why a better backend is not used.
    pub reasons: Vec<String>,
    /// Whether the kernel keeps the memory from swap.
    pub locked: bool,
    /// Whether the kernel leaves the memory out of core dumps.
    pub dump_excluded: bool,
    /// Whether the memory is out of the kernel's own map, so that not even root reads it.
    pub kernel_unmapped: bool,
    /// Whether inaccessible pages lie around the memory.
    pub guard_pages: bool,
    /// Bytes mapped.
    pub capacity_bytes: f64,
    /// Bytes in use, as slots.
    pub used_bytes: f64,
    /// The number of secrets and keys in the heap.
    pub live_secrets: f64,
    /// The number of secrets that are kept outside of the heap, encrypted.
    pub sealed_secrets: f64,
    /// The number of private keys that the crypto library has parsed. They lie outside, on the
    /// ordinary heap.
    pub parsed_private_keys: f64,
    /// The number of secrets so far that were garbage-collected without having been disposed of.
    pub leaked: f64,
    /// The most that the heap may grow to.
    pub max_bytes: f64,
    /// `RLIMIT_MEMLOCK`, soft; absent when unlimited.
    pub memlock_soft: Option<f64>,
    /// `RLIMIT_MEMLOCK`, hard; absent when unlimited.
    pub memlock_hard: Option<f64>,
    /// Whether the machine cannot hibernate while the memory is mapped.
    pub hibernation_blocked: bool,
    /// Whether a secret may reach swap or a core dump: the memory is not both locked and left out
    /// of dumps.
    pub degraded: bool,
}

/// Configures the secure heap.
#[napi(catch_unwind)]
pub(crate) fn secure_heap_configure(env: &Env, options: Unknown<'_>) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let options: HeapOptions = Arg::new(env, &options, "options").read()?;
        Ok(secret::configure(Settings {
            max_bytes: options.max_bytes,
            backend: options.backend,
            require: options.require,
            on_degraded: options.on_degraded,
            on_full: options.overflow,
        })?)
    })
}

/// The state of the secure heap.
#[napi(catch_unwind)]
pub(crate) fn secure_heap_status(env: &Env) -> napi::Result<Outcome<SecureHeapStatus>> {
    guard(env, || {
        // A shared secret that no thread adopted in time does not count as live.
        secret::handovers().expire();
        let secret::Status { heap: status, sealed_secrets } = secret::status()?;
        Ok(SecureHeapStatus {
            backend: status.backend.as_str().into(),
            reasons: status.reasons,
            locked: status.locked,
            dump_excluded: status.dump_excluded,
            kernel_unmapped: status.kernel_unmapped,
            guard_pages: status.guard_pages,
            capacity_bytes: status.capacity_bytes as f64,
            used_bytes: status.used_bytes as f64,
            live_secrets: status.live_secrets as f64,
            sealed_secrets: sealed_secrets as f64,
            parsed_private_keys: secret::parsed_key_count() as f64,
            leaked: secret::leaked() as f64,
            max_bytes: status.max_bytes as f64,
            memlock_soft: status.memlock_soft.map(|bytes| bytes as f64),
            memlock_hard: status.memlock_hard.map(|bytes| bytes as f64),
            hibernation_blocked: status.hibernation_blocked,
            degraded: status.degraded,
        })
    })
}

/// Disposes of every `SecretBuffer` that is held now, in all threads, and of those that wait to be
/// adopted.
#[napi(catch_unwind)]
pub(crate) fn secure_heap_dispose_all(env: &Env) -> napi::Result<Outcome<()>> {
    guard(env, || {
        secret::handovers().clear();
        dispose_all();
        Ok(())
    })
}

/// Checks the canaries of every slot in use in the secure heap. If one has changed, the process
/// ends.
#[napi(catch_unwind)]
pub(crate) fn secure_heap_verify(env: &Env) -> napi::Result<Outcome<()>> {
    guard(env, || {
        secret::verify();
        Ok(())
    })
}

fn requirements(names: Arg<'_>) -> Result<Vec<Requirement>> {
    names.array(8)?.iter().map(|name| name.one_of(&REQUIREMENTS)).collect()
}
