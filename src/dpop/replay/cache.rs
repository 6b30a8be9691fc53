//! The cache: a table, its clock, and the keys of its fingerprints and nonces.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;

use siphasher::sip128::SipHasher24;

use super::header::{Fixed, word};
use super::table::Table;
use super::words::Words;
use crate::clock::Clock;
use crate::dpop::nonce::Nonces;
use crate::dpop::refusal::Refusal;
use crate::error::Result;

/// Remembers proofs, so that each counts once, and makes nonces.
///
/// Proofs that were made before the cache, or in its first second, are refused: it may have had a
/// predecessor.
pub struct ReplayCache {
    words: Words,
    max_entries: usize,
    base: u64,
    fingerprints: SipHasher24,
    nonces: Nonces,
    clock: Arc<dyn Clock>,
    number: u32,
}

/// The number of the last cache that was made.
static LAST: AtomicU32 = AtomicU32::new(0);

impl ReplayCache {
    /// A cache in memory of this process, for at least `max_entries` proofs.
    pub fn new(max_entries: usize, clock: Arc<dyn Clock>) -> Result<Self> {
        let fixed = Fixed::new(max_entries, clock.unix_seconds(), String::new())?;
        let len = usize::try_from(fixed.len()).unwrap_or(usize::MAX);
        let words = Words::new(&fixed.encode(), len)?;
        Ok(Self::with(words, &fixed, clock))
    }

    pub(super) fn with(words: Words, fixed: &Fixed, clock: Arc<dyn Clock>) -> Self {
        Self {
            words,
            max_entries: fixed.max_entries,
            base: fixed.base,
            fingerprints: SipHasher24::new_with_key(&fixed.key),
            nonces: Nonces::new(&fixed.nonce_key),
            clock,
            number: LAST.fetch_add(1, SeqCst),
        }
    }

    /// A number that no other cache of this process has.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The number of proofs that fit.
    pub fn max_entries(&self) -> usize {
        self.max_entries
    }

    /// The number of proofs that are remembered. Reads the whole table.
    pub fn entries(&self) -> usize {
        let now = (self.now() / 1000).saturating_sub(self.base);
        Table::new(self.words.get()).entries(now)
    }

    /// A nonce of the present.
    pub fn nonce(&self) -> String {
        self.nonces.at(self.now())
    }

    /// The moment of a nonce, in milliseconds since 1970; `None` if this cache has not made it.
    pub(in crate::dpop) fn time_of(&self, nonce: &str) -> Option<u64> {
        self.nonces.time_of(nonce)
    }

    /// Milliseconds since 1970.
    pub(in crate::dpop) fn now(&self) -> u64 {
        self.clock.unix_millis()
    }

    /// Has the cache remember proofs until they are this old, in seconds.
    pub(in crate::dpop) fn expect_age(&self, seconds: u64) {
        self.words.get()[word::LONGEST_AGE].fetch_max(seconds, SeqCst);
    }

    /// Remembers a proof of a key, unless it is known or may have been. `made` and `now` are
    /// seconds since 1970.
    pub(in crate::dpop) fn remember(
        &self,
        thumbprint: &str,
        jti: &str,
        made: u64,
        now: u64,
    ) -> std::result::Result<(), Refusal> {
        // A thumbprint has 43 characters, so the two cannot be divided in another way.
        let hash = self.fingerprints.hash([thumbprint, jti].concat().as_bytes());
        let made = made.checked_sub(self.base).ok_or(Refusal::Forgotten)?;
        let table = Table::new(self.words.get());
        table.remember(hash.into(), made, now.saturating_sub(self.base))
    }
}
