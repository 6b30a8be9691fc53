//! The error for a request that an arena has no room for.

use super::canary::OVERHEAD;
use super::config::Config;
use super::runs::MAX_RUNS;
use super::slabs::BLOCK;
use super::store::Store;
use crate::error::{Code, Error};
use crate::os::{Native, Platform};

/// `ERR_SECRET_EXHAUSTED` for `span` bytes, including canaries, with the numbers and the remedy.
pub(super) fn exhausted(config: &Config, store: &Store, span: usize) -> Error {
    let len = span - OVERHEAD;
    let (used, capacity, max) = (store.used_bytes(), store.capacity(), config.max_bytes);
    let numbers = format!(
        "the secure heap has no room for {len} bytes: {used} of {capacity} bytes are in use"
    );
    let message = if store.is_one_too_many(span) {
        format!(
            "the secure heap has no room for {len} bytes: it holds at most {MAX_RUNS} secrets \
             longer than {} bytes; dispose of secrets that are no longer needed",
            BLOCK - OVERHEAD
        )
    } else if max.saturating_sub(capacity) < span.next_multiple_of(BLOCK) {
        format!(
            "{numbers}, and it cannot grow beyond {max} bytes; dispose of secrets that are no \
             longer needed, or raise maxBytes with secureHeap.configure()"
        )
    } else {
        let soft = config.memory.memlock().soft;
        let limit = soft.map_or_else(|| "unlimited".to_owned(), |b| format!("{b} bytes"));
        format!(
            "{numbers}, and the operating system refuses more (limit on locked memory: {limit}); \
             dispose of secrets that are no longer needed, or {}",
            Native::REMEDY
        )
    };
    Error::new(Code::SecretExhausted, message)
}
