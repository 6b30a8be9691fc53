//! Public keys that another service publishes and replaces: a set, and how long it may be used.
//!
//! ```text
//! load, renew              0.8 of it      fresh_until     usable_until
//!      |------- fresh -------|----- due ------|---- stale ----|---- unavailable
//! ```
//!
//! `load` and `renew` set both ends to one time; `outlast`, after a failed request, moves the
//! second end to a later time. The façade decides when to fetch (lib/key-set/refresher.js): from
//! 0.8 on `use` fetches while the keys are still good, and `need` fetches when a token names a key
//! that is not here or when no keys are left.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use aws_lc_rs::digest;

use super::certificates::import_certificates;
use super::import::{ImportRules, KeyUse, import};
use super::imported::{Ignored, Imported};
use crate::clock::Clock;
use crate::error::Result;
use crate::jwt::algorithm::Algorithm;
use crate::jwt::key::key::Key;
use crate::jwt::key_lookup;
use crate::jwt::token::rejection::Rejection;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// The format of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetFormat {
    /// A JWK Set (RFC 7517 section 5).
    Jwks,
    /// An object of PEM certificates by `kid`.
    X509,
}

/// Keys that are replaced as a whole and are used for a limited time.
///
/// Verifiers share the set: new keys take effect in all of them at once.
pub struct KeySet {
    rules: ImportRules,
    format: SetFormat,
    clock: Arc<dyn Clock>,
    loaded: RwLock<Option<Loaded>>,
    epoch: AtomicU64,
    /// The monotonic time at which the loaded keys run out; `u64::MAX` if they have run out
    /// already, or if nothing is loaded.
    runs_out_at: AtomicU64,
}

/// The keys of the last set that could be read.
struct Loaded {
    keys: Vec<Arc<Key>>,
    /// The entries of the set that are left out.
    ignored: Vec<Ignored>,
    /// SHA-256 of the set's text.
    digest: [u8; 32],
    /// The time until which the set is fresh.
    fresh_until: Deadline,
    /// The time until which the keys are used: as long as the set is fresh, or longer.
    usable_until: Deadline,
}

/// A time limit by two clocks. The first clock to reach its limit ends it, so setting the system
/// clock back extends nothing.
#[derive(Clone, Copy)]
struct Deadline {
    unix_seconds: u64,
    monotonic_nanos: u64,
}

impl KeySet {
    /// Makes a set without keys.
    pub fn new(rules: ImportRules, format: SetFormat, clock: Arc<dyn Clock>) -> Self {
        Self {
            rules,
            format,
            clock,
            loaded: RwLock::new(None),
            epoch: AtomicU64::new(0),
            runs_out_at: AtomicU64::new(u64::MAX),
        }
    }

    /// The use of the keys.
    pub fn purpose(&self) -> KeyUse {
        self.rules.purpose
    }

    /// Replaces the keys by those of a set's text, which is fresh for so many seconds; returns
    /// whether the text has changed. A set without a usable key also replaces them: it says that
    /// all of them are revoked. If the text is refused with `ERR_JWT_KEY`, the keys stay as they
    /// were.
    pub fn load(&self, json: &str, seconds: u64) -> Result<bool> {
        let mut digest = [0; 32];
        digest.copy_from_slice(digest::digest(&digest::SHA256, json.as_bytes()).as_ref());
        if self.read().as_ref().is_some_and(|loaded| loaded.digest == digest) {
            self.renew(seconds);
            return Ok(false);
        }
        let Imported { keys, ignored } = match self.format {
            SetFormat::Jwks => import(json, &self.rules),
            SetFormat::X509 => import_certificates(json, &self.rules),
        }?;
        let keys = keys.into_iter().map(Arc::new).collect();
        let until = Deadline::after(seconds, &*self.clock);
        let mut loaded = self.write();
        *loaded = Some(Loaded { keys, ignored, digest, fresh_until: until, usable_until: until });
        self.runs_out_at.store(until.monotonic_nanos, Ordering::Release);
        self.epoch.fetch_add(1, Ordering::AcqRel);
        Ok(true)
    }

    /// Makes the loaded set fresh for so many seconds from now on.
    pub fn renew(&self, seconds: u64) {
        let until = Deadline::after(seconds, &*self.clock);
        if let Some(loaded) = self.write().as_mut() {
            loaded.fresh_until = until;
            self.set_end(loaded, until);
        }
    }

    /// Lets the loaded keys be used for so many seconds after the set was fresh.
    pub fn outlast(&self, seconds: u64) {
        if let Some(loaded) = self.write().as_mut() {
            self.set_end(loaded, loaded.fresh_until.later_by(seconds));
        }
    }

    /// The keys that are used now; `None` if nothing has been loaded, or if the set is too old.
    pub fn list(&self) -> Option<Vec<Arc<Key>>> {
        self.read().as_ref().filter(|loaded| self.is_usable(loaded)).map(|it| it.keys.clone())
    }

    /// The entries of the last readable set that are left out; none before the first.
    pub fn ignored(&self) -> Vec<Ignored> {
        self.read().as_ref().map(|loaded| loaded.ignored.clone()).unwrap_or_default()
    }

    /// The key that a token names, and until when it may be used, in seconds since 1970. The result
    /// is also valid only as long as the epoch lasts.
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

    /// Ends the epoch if the keys have run out by the monotonic clock.
    pub fn catch_up(&self) {
        let has_run_out =
            || self.clock.monotonic_nanos() >= self.runs_out_at.load(Ordering::Acquire);
        if has_run_out() {
            let _loaded = self.write();
            // Another thread may have done this, or loaded new keys.
            if has_run_out() {
                self.runs_out_at.store(u64::MAX, Ordering::Release);
                self.epoch.fetch_add(1, Ordering::AcqRel);
            }
        }
    }

    /// A number that changes with the keys, and when the time limit of the keys is shortened.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Sets the time limit of the keys. Verifiers remember the earlier limit with their cached
    /// results, so a shorter limit begins a new epoch.
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
    /// The limit that is so many seconds from now. The wall clock is rounded up, so that one second
    /// does not shrink to almost none. The monotonic limit is a second later, so that the wall
    /// clock decides unless it was set.
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
