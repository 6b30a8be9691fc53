//! `secureHeap`.

use napi::Env;
use napi_derive::napi;

use super::guard;
use crate::mem;

/// Facts about the secure heap; numbers of bytes unless the name says otherwise.
#[napi(object, object_from_js = false)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts, read as a report")]
pub struct SecureHeapStatus {
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
    /// Whether inaccessible pages lie around it.
    pub guard_pages: bool,
    /// Bytes mapped.
    pub capacity_bytes: f64,
    /// Bytes in use, as slots.
    pub used_bytes: f64,
    /// Secrets and keys in it, a number.
    pub live_secrets: f64,
    /// The most it may grow to.
    pub max_bytes: f64,
    /// `RLIMIT_MEMLOCK`, soft; absent when unlimited.
    pub memlock_soft: Option<f64>,
    /// `RLIMIT_MEMLOCK`, hard; absent when unlimited.
    pub memlock_hard: Option<f64>,
    /// Whether the machine cannot hibernate while the memory is mapped.
    pub hibernation_blocked: bool,
    /// Whether it is neither locked nor out of dumps as it should be.
    pub degraded: bool,
}

/// What the secure heap is made of.
#[napi(catch_unwind)]
pub fn secure_heap_status(env: &Env) -> napi::Result<SecureHeapStatus> {
    guard(env, || {
        let status = mem::status();
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
            max_bytes: status.max_bytes as f64,
            memlock_soft: status.memlock_soft.map(|bytes| bytes as f64),
            memlock_hard: status.memlock_hard.map(|bytes| bytes as f64),
            hibernation_blocked: status.hibernation_blocked,
            degraded: status.degraded,
        })
    })
}

/// Looks at the canaries of everything in the secure heap.
#[napi(catch_unwind)]
pub fn secure_heap_verify(env: &Env) -> napi::Result<()> {
    guard(env, || {
        mem::verify();
        Ok(())
    })
}
