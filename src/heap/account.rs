//! What an arena says of itself: the facts of its status, and why it has no room.

use super::arena::Config;
use super::canary::OVERHEAD;
use super::runs::MAX_RUNS;
use super::slabs::BLOCK;
use super::status::{self, Status};
use super::store::Store;
use crate::error::{Code, Error};
use crate::os::{Backend, REMEDY};

/// What is known without asking the kernel about the mappings.
pub fn facts(config: &Config, store: &Store) -> Status {
    // Without any memory there is no capacity, and the reasons say why.
    let backend = store.backend().unwrap_or(Backend::Plain);
    let secret = backend == Backend::MemfdSecret;
    let memlock = config.os.memlock();
    Status {
        backend,
        reasons: store.reasons().to_vec(),
        // The pages of memfd_secret are in no swap and no dump by construction, whatever the
        // flags say.
        locked: secret,
        dump_excluded: secret,
        kernel_unmapped: secret,
        guard_pages: store.guarded(),
        capacity_bytes: store.capacity(),
        used_bytes: store.used_bytes(),
        live_secrets: store.live(),
        sealed_secrets: 0,
        max_bytes: config.max_bytes,
        memlock_soft: memlock.soft,
        memlock_hard: memlock.hard,
        hibernation_blocked: secret,
        leaked: status::leaked(),
        degraded: !secret,
    }
}

/// The error for `span` bytes, canaries included, that there is no room for, with the numbers and
/// the remedy.
pub fn exhausted(config: &Config, store: &Store, span: usize) -> Error {
    let len = span - OVERHEAD;
    let (used, capacity, max) = (store.used_bytes(), store.capacity(), config.max_bytes);
    let numbers = format!(
        "the secure heap has no room for {len} bytes: {used} of {capacity} bytes are in use"
    );
    let message = if store.is_one_too_many(span) {
        format!(
            "the secure heap has no place for {len} bytes: of secrets above {} bytes it holds at \
             most {MAX_RUNS}; dispose of those that are no longer needed",
            BLOCK - OVERHEAD
        )
    } else if max.saturating_sub(capacity) < span.next_multiple_of(BLOCK) {
        format!(
            "{numbers}, and it may not grow beyond {max} bytes; dispose of secrets that are no \
             longer needed, or raise maxBytes with secureHeap.configure()"
        )
    } else {
        let soft = config.os.memlock().soft;
        let limit = soft.map_or_else(|| "unlimited".to_owned(), |b| format!("{b} bytes"));
        format!(
            "{numbers}, and the system gives no more (limit on locked memory: {limit}); dispose \
             of secrets that are no longer needed, or {REMEDY}"
        )
    };
    Error::new(Code::SecretExhausted, message)
}
