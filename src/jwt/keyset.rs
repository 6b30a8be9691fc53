//! Public keys that somebody else publishes and replaces: a JWK Set and how long it may be used.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use aws_lc_rs::digest;

use super::import::{ImportRules, KeyUse, import};
use super::source::find;
use super::{Algorithm, Key, Rejection};
use crate::clock::Clock;
use crate::error::Result;

/// Keys that are replaced as a whole, and used for a time only.
///
/// Verifiers share it: what replaces its keys takes effect in all of them at once.
pub struct KeySet {
    rules: ImportRules,
    clock: Arc<dyn Clock>,
    loaded: RwLock<Option<Loaded>>,
    epoch: AtomicU64,
}

/// What the last set that could be read has brought.
struct Loaded {
    keys: Vec<Arc<Key>>,
    /// SHA-256 of the set's text.
    digest: [u8; 32],
    /// Until when it is fresh, in seconds since 1970.
    fresh_until: u64,
    /// Until when its keys are used, in seconds since 1970: as long as it is fresh, or longer.
    usable_until: u64,
}

impl KeySet {
    /// A set of which nothing is known yet.
    pub fn new(rules: ImportRules, clock: Arc<dyn Clock>) -> Self {
        Self { rules, clock, loaded: RwLock::new(None), epoch: AtomicU64::new(0) }
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
        let until = self.in_seconds(seconds);
        let mut loaded = self.write();
        *loaded = Some(Loaded { keys, digest, fresh_until: until, usable_until: until });
        self.epoch.fetch_add(1, Ordering::AcqRel);
        Ok(true)
    }

    /// What is loaded is fresh for so many seconds from now on.
    pub fn renew(&self, seconds: u64) {
        let until = self.in_seconds(seconds);
        if let Some(loaded) = self.write().as_mut() {
            (loaded.fresh_until, loaded.usable_until) = (until, until);
        }
    }

    /// What is loaded may be used for so many seconds after it was fresh.
    pub fn outlast(&self, seconds: u64) {
        if let Some(loaded) = self.write().as_mut() {
            loaded.usable_until = loaded.fresh_until.saturating_add(seconds);
        }
    }

    /// The keys that are used now; `None` when nothing has been loaded,
    /// or what has been is too old.
    pub fn list(&self) -> Option<Vec<Arc<Key>>> {
        let now = self.clock.unix_seconds();
        self.read().as_ref().filter(|loaded| now < loaded.usable_until).map(|it| it.keys.clone())
    }

    /// The key that a token names, and until when, in seconds since 1970, it may be used.
    pub fn find(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> std::result::Result<(Arc<Key>, u64), Rejection> {
        let now = self.clock.unix_seconds();
        let loaded = self.read();
        let usable = loaded.as_ref().filter(|loaded| now < loaded.usable_until);
        let usable = usable.ok_or(Rejection::KeysUnavailable)?;
        Ok((find(&usable.keys, kid, algorithm)?, usable.usable_until))
    }

    /// A number that changes with the keys.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// The end of so many seconds from now on, rounded up: one second is not next to none.
    fn in_seconds(&self, seconds: u64) -> u64 {
        self.clock.unix_millis().div_ceil(1000).saturating_add(seconds)
    }

    fn read(&self) -> RwLockReadGuard<'_, Option<Loaded>> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Option<Loaded>> {
        self.loaded.write().unwrap_or_else(PoisonError::into_inner)
    }
}
