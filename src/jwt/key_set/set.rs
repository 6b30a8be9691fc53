//! Public keys that somebody else publishes and replaces: a JWK Set and how long it may be used.
//!
//! ```text
//! load, renew              0.8 of it      fresh_until     usable_until
//!      |------- fresh -------|----- due ------|---- stale ----|---- unavailable
//! ```
//!
//! `load` and `renew` set both ends to one time; `outlast`, after a request that failed, moves the
//! second one on. When to ask is the façade's affair (lib/key-set/refresher.js): `use`, from
//! 0.8 on, does so while the keys are still good, `need` when a token names a key that is not here
//! or none is left.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use aws_lc_rs::digest;

use super::import::{ImportRules, KeyUse, import};
use crate::clock::Clock;
use crate::error::Result;
use crate::jwt::algorithm::Algorithm;
use crate::jwt::key::key::Key;
use crate::jwt::key_lookup;
use crate::jwt::token::rejection::Rejection;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// Keys that are replaced as a whole, and used for a time only.
///
/// Verifiers share it: what replaces its keys takes effect in all of them at once.
pub struct KeySet {
    rules: ImportRules,
    clock: Arc<dyn Clock>,
    loaded: RwLock<Option<Loaded>>,
    epoch: AtomicU64,
    /// Where the monotonic clock stands when what is loaded runs out; nowhere when it has, or
    /// nothing is.
    runs_out_at: AtomicU64,
}

/// What the last set that could be read has brought.
struct Loaded {
    keys: Vec<Arc<Key>>,
    /// SHA-256 of the set's text.
    digest: [u8; 32],
    /// Until when it is fresh.
    fresh_until: Deadline,
    /// Until when its keys are used: as long as it is fresh, or longer.
    usable_until: Deadline,
}

/// An end by two clocks, whichever gets there first: setting the system's clock back lengthens
/// nothing.
#[derive(Clone, Copy)]
struct Deadline {
    unix_seconds: u64,
    monotonic_nanos: u64,
}

impl KeySet {
    /// A set of which nothing is known yet.
    pub fn new(rules: ImportRules, clock: Arc<dyn Clock>) -> Self {
        Self {
            rules,
            clock,
            loaded: RwLock::new(None),
            epoch: AtomicU64::new(0),
            runs_out_at: AtomicU64::new(u64::MAX),
        }
    }

    /// What its keys are for.
    pub fn purpose(&self) -> KeyUse {
        self.rules.purpose
    }

    /// Replaces the keys by those of a JWK Set's text, which is fresh for so many seconds; gives
    /// whether the text has changed. One without a key that can be used replaces them, too: it
    /// says that all of them are revoked. What is refused leaves everything as it was.
    pub fn load(&self, json: &str, seconds: u64) -> Result<bool> {
        let mut digest = [0; 32];
        digest.copy_from_slice(digest::digest(&digest::SHA256, json.as_bytes()).as_ref());
        if self.read().as_ref().is_some_and(|loaded| loaded.digest == digest) {
            self.renew(seconds);
            return Ok(false);
        }
        let keys = import(json, &self.rules)?.into_iter().map(Arc::new).collect();
        let until = Deadline::after(seconds, &*self.clock);
        let mut loaded = self.write();
        *loaded = Some(Loaded { keys, digest, fresh_until: until, usable_until: until });
        self.runs_out_at.store(until.monotonic_nanos, Ordering::Release);
        self.epoch.fetch_add(1, Ordering::AcqRel);
        Ok(true)
    }

    /// What is loaded is fresh for so many seconds from now on.
    pub fn renew(&self, seconds: u64) {
        let until = Deadline::after(seconds, &*self.clock);
        if let Some(loaded) = self.write().as_mut() {
            loaded.fresh_until = until;
            self.set_end(loaded, until);
        }
    }

    /// What is loaded may be used for so many seconds after it was fresh.
    pub fn outlast(&self, seconds: u64) {
        if let Some(loaded) = self.write().as_mut() {
            self.set_end(loaded, loaded.fresh_until.later_by(seconds));
        }
    }

    /// The keys that are used now; `None` when nothing has been loaded,
    /// or what has been is too old.
    pub fn list(&self) -> Option<Vec<Arc<Key>>> {
        self.read().as_ref().filter(|loaded| self.is_usable(loaded)).map(|it| it.keys.clone())
    }

    /// The key that a token names, and until when, in seconds since 1970, it may be used: no
    /// longer than the epoch lasts, either.
    pub fn find(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> std::result::Result<(Arc<Key>, u64), Rejection> {
        let loaded = self.read();
        let usable = loaded.as_ref().filter(|loaded| self.is_usable(loaded));
        let usable = usable.ok_or(Rejection::KeysUnavailable)?;
        let until = usable.usable_until.unix_seconds;
        key_lookup::find(usable.keys.iter().map(|key| (key, until)), kid, algorithm)
    }

    /// Ends the epoch when the keys have run out by the monotonic clock.
    pub fn catch_up(&self) {
        let has_run_out =
            || self.clock.monotonic_nanos() >= self.runs_out_at.load(Ordering::Acquire);
        if has_run_out() {
            let _loaded = self.write();
            // Somebody else may have been here, or new keys.
            if has_run_out() {
                self.runs_out_at.store(u64::MAX, Ordering::Release);
                self.epoch.fetch_add(1, Ordering::AcqRel);
            }
        }
    }

    /// A number that changes with the keys, and when they end sooner than was said before.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// What was found before remembers the end that it was told.
    fn set_end(&self, loaded: &mut Loaded, until: Deadline) {
        if until.unix_seconds < loaded.usable_until.unix_seconds {
            self.epoch.fetch_add(1, Ordering::AcqRel);
        }
        loaded.usable_until = until;
        self.runs_out_at.store(until.monotonic_nanos, Ordering::Release);
    }

    fn is_usable(&self, loaded: &Loaded) -> bool {
        !loaded.usable_until.is_past(&*self.clock)
    }

    fn read(&self) -> RwLockReadGuard<'_, Option<Loaded>> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Option<Loaded>> {
        self.loaded.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deadline {
    /// The end of so many seconds from now on, rounded up: one second is not next to none. By the
    /// monotonic clock it is a second later, so that the wall clock decides unless it was set.
    fn after(seconds: u64, clock: &dyn Clock) -> Self {
        let now = Self {
            unix_seconds: clock.unix_millis().div_ceil(1000),
            monotonic_nanos: clock.monotonic_nanos().saturating_add(NANOS_PER_SECOND),
        };
        now.later_by(seconds)
    }

    fn later_by(self, seconds: u64) -> Self {
        Self {
            unix_seconds: self.unix_seconds.saturating_add(seconds),
            monotonic_nanos: self
                .monotonic_nanos
                .saturating_add(seconds.saturating_mul(NANOS_PER_SECOND)),
        }
    }

    fn is_past(self, clock: &dyn Clock) -> bool {
        clock.unix_seconds() >= self.unix_seconds || clock.monotonic_nanos() >= self.monotonic_nanos
    }
}
