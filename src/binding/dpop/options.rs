//! The options of replay caches and proofs.

use std::ops::RangeInclusive;

use crate::binding::args::options;
use crate::binding::clock::ClockOptions;
use crate::dpop::{MAX_ENTRIES, MIN_ENTRIES};

/// The bounds of `maxEntries`.
const ENTRIES: RangeInclusive<usize> = MIN_ENTRIES..=MAX_ENTRIES;
/// The bounds of a method, in bytes.
pub(super) const METHOD: RangeInclusive<usize> = 1..=64;
/// The bounds of an address, in bytes.
pub(super) const URL: RangeInclusive<usize> = 1..=16_384;
/// The bounds of a token, in bytes.
pub(super) const TOKEN: RangeInclusive<usize> = 1..=1_048_576;

options! {
    /// The options of `DpopReplayCache`.
    pub(crate) struct CacheOptions for "DpopReplayCache" {
        /// The number of proofs.
        size: SizeOptions = flatten(SizeOptions),
        /// The clock.
        clock: ClockOptions = flatten(ClockOptions),
    }
}

options! {
    /// The options of `DpopReplayCache.shared`.
    pub(crate) struct SharedCacheOptions for "DpopReplayCache.shared" {
        /// The number of proofs.
        size: SizeOptions = flatten(SizeOptions),
    }
}

options! {
    /// The options of `DpopReplayCache.machine`.
    pub(crate) struct MachineCacheOptions for "DpopReplayCache.machine" {
        /// The number of proofs.
        size: SizeOptions = flatten(SizeOptions),
    }
}

options! {
    /// The size of a cache.
    pub(crate) struct SizeOptions {
        /// The number of proofs that fit.
        max_entries("maxEntries"): Option<usize> = optional(|max| max.length(ENTRIES)),
    }
}

options! {
    /// The options of `createDpopProof`.
    pub(crate) struct ProofOptions for "createDpopProof" {
        /// The method.
        method("method"): String = required(|method| method.string(METHOD)),
        /// The address.
        url("url"): String = required(|url| url.string(URL)),
        /// The token that is sent with the proof.
        access_token("accessToken"): Option<String> = optional(|token| token.string(TOKEN)),
        /// The nonce that the server has given.
        nonce("nonce"): Option<String> = optional(|nonce| nonce.string(1..=1024)),
    }
}
