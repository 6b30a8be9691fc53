//! The key ring: which key signs, which verify, and what is published.
//!
//! A key is published as `next` before it signs, so that verifiers which cache the JWKS know it
//! by then; it verifies as `retired` for as long as a token it signed can live; `revoked` it is
//! gone at once, and its id is never used again.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use aws_lc_rs::digest;

use super::{Algorithm, Key, MAX_CLOCK_TOLERANCE, Rejection, base64url};
use crate::clock::Clock;
use crate::error::{Code, Error, Result};

/// How a ring rotates.
#[derive(Clone, Copy, Debug)]
pub struct RingOptions {
    /// The algorithm of the keys that rotation makes. ES256 by default.
    pub algorithm: Algorithm,
    /// The longest life of a token signed with the ring, in seconds; a day by default.
    pub max_token_ttl: u64,
    /// How long verifiers may cache the JWKS, in seconds; ten minutes by default.
    pub jwks_max_age: u64,
}

impl Default for RingOptions {
    fn default() -> Self {
        Self { algorithm: Algorithm::Es256, max_token_ttl: 24 * 3600, jwks_max_age: 600 }
    }
}

/// Where a key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Published, verifies, does not sign yet.
    Next,
    /// Signs.
    Active,
    /// Verifies what it has signed until the last of it has expired.
    Retired,
    /// Refused.
    Revoked,
}

impl KeyState {
    /// The text of `state` in JavaScript.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
        }
    }
}

/// One key, without its material.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// The key's id.
    pub kid: String,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// Where it is in its life.
    pub state: KeyState,
    /// Since when it has been in that state, seconds since 1970.
    pub since: u64,
}

/// A JWK Set (RFC 7517 section 5) and how to serve it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwks {
    /// The JSON.
    pub body: String,
    /// A strong entity tag (RFC 9110 section 8.8.3), quotes included.
    pub etag: String,
    /// For `Cache-Control: max-age`, seconds.
    pub max_age: u64,
}

/// A set of keys in their states, shared by issuers and verifiers.
pub struct KeyRing {
    options: RingOptions,
    clock: Arc<dyn Clock>,
    entries: RwLock<Vec<Entry>>,
    epoch: AtomicU64,
}

struct Entry {
    info: KeyInfo,
    /// Dropped, and with it wiped, when the key is revoked.
    key: Option<Arc<Key>>,
}

impl KeyRing {
    /// A ring without keys: add some, or rotate.
    pub fn new(options: RingOptions, clock: Arc<dyn Clock>) -> Self {
        Self { options, clock, entries: RwLock::default(), epoch: AtomicU64::new(0) }
    }

    /// How the ring rotates.
    pub fn options(&self) -> &RingOptions {
        &self.options
    }

    /// Adds a key. Without a state it is the active one if there is none, else the next one.
    /// What it displaces is retired.
    pub fn add(&self, key: Arc<Key>, state: Option<KeyState>) -> Result<()> {
        let mut entries = self.write();
        let state = state.unwrap_or_else(|| {
            if find_state(&entries, KeyState::Active).is_some() {
                KeyState::Next
            } else {
                KeyState::Active
            }
        });
        if entries.iter().any(|entry| entry.info.kid == key.kid()) {
            return Err(Error::new(
                Code::KeyringDuplicate,
                "the ring holds, or held, a key with this kid; give every key its own",
            ));
        }
        if matches!(state, KeyState::Next | KeyState::Active) && !key.is_private() {
            return Err(Error::new(
                Code::JwtKey,
                "a public key cannot sign; add it with state 'retired', which verifies only",
            ));
        }
        self.put(&mut entries, key, state);
        Ok(())
    }

    /// Refuses a key from now on, in every issuer and verifier that uses the ring.
    pub fn revoke(&self, kid: &str) -> Result<()> {
        let mut entries = self.write();
        let Some(entry) = entries.iter_mut().find(|entry| entry.info.kid == kid) else {
            return Err(Error::new(
                Code::KeyringUnknownKey,
                "the ring has no key with this kid; list() names those it has",
            ));
        };
        entry.set(KeyState::Revoked, self.clock.unix_seconds());
        entry.key = None;
        self.changed();
        Ok(())
    }

    /// Promotes the next key and publishes a new one; gives the id of the key that now signs.
    ///
    /// The next key must have been published for `jwks_max_age`, unless `force`d. A ring without
    /// keys gets an active one at once, since no token is verified by any other yet; a ring
    /// without a next key only publishes one. `generate` is called without the ring being locked.
    pub fn rotate(&self, force: bool, generate: impl Fn() -> Result<Key>) -> Result<String> {
        loop {
            let epoch = self.epoch();
            let now = self.clock.unix_seconds();
            let (has_active, has_next) = {
                let entries = self.read();
                let next = find_state(&entries, KeyState::Next);
                if let Some(next) = next.filter(|_| !force) {
                    self.check_published(next, now)?;
                }
                (find_state(&entries, KeyState::Active).is_some(), next.is_some())
            };
            let immediate =
                if !has_next && (force || !has_active) { Some(generate()?) } else { None };
            let next = generate()?;

            let mut entries = self.write();
            if epoch != self.epoch() {
                continue;
            }
            if let Some(key) = immediate {
                self.put(&mut entries, Arc::new(key), KeyState::Active);
            } else if has_next {
                retire(&mut entries, KeyState::Active, now);
                if let Some(entry) =
                    entries.iter_mut().find(|entry| entry.info.state == KeyState::Next)
                {
                    entry.set(KeyState::Active, now);
                }
            }
            self.put(&mut entries, Arc::new(next), KeyState::Next);
            let active = find_state(&entries, KeyState::Active).ok_or_else(no_active_key)?;
            return Ok(active.info.kid.clone());
        }
    }

    /// The keys in the order in which they came, revoked ones included.
    pub fn list(&self) -> Vec<KeyInfo> {
        self.read().iter().map(|entry| entry.info.clone()).collect()
    }

    /// The public keys that verification accepts right now. HMAC keys are never among them.
    pub fn jwks(&self) -> Jwks {
        let now = self.clock.unix_seconds();
        let mut max_age = self.options.jwks_max_age;
        let mut body = String::from("{\"keys\":[");
        for (entry, until) in self.read().iter().filter_map(|entry| self.usable(entry, now)) {
            let Some(jwk) = entry.key.as_ref().and_then(|key| key.public_jwk()) else { continue };
            if !body.ends_with('[') {
                body.push(',');
            }
            body.push_str(&jwk);
            max_age = max_age.min(until.saturating_sub(now));
        }
        body.push_str("]}");
        let digest = digest::digest(&digest::SHA256, body.as_bytes());
        let mut etag = String::new();
        let _ = write!(etag, "\"{}\"", base64url::encode(&digest.as_ref()[..16]));
        Jwks { body, etag, max_age }
    }

    /// The key that signs.
    pub fn signing_key(&self) -> Result<Arc<Key>> {
        let entries = self.read();
        let active = find_state(&entries, KeyState::Active).and_then(|entry| entry.key.clone());
        active.ok_or_else(no_active_key)
    }

    /// The key that a token names, and until when, in seconds since 1970, it may be used. A
    /// token without `kid` is accepted only when exactly one key has its algorithm.
    pub fn find(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> std::result::Result<(Arc<Key>, u64), Rejection> {
        let now = self.clock.unix_seconds();
        let entries = self.read();
        let mut matching = entries.iter().filter(|entry| match kid {
            Some(kid) => entry.info.kid == kid,
            None => entry.info.algorithm.signs_as(algorithm) && self.usable(entry, now).is_some(),
        });
        let (Some(entry), None) = (matching.next(), matching.next()) else {
            return Err(Rejection::KeyNotFound);
        };
        if entry.info.state == KeyState::Revoked {
            return Err(Rejection::Revoked);
        }
        if !entry.info.algorithm.signs_as(algorithm) {
            return Err(Rejection::Algorithm);
        }
        let (entry, until) = self.usable(entry, now).ok_or(Rejection::KeyNotFound)?;
        Ok((entry.key.clone().ok_or(Rejection::KeyNotFound)?, until))
    }

    /// A number that changes with every change of the ring.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    fn check_published(&self, next: &Entry, now: u64) -> Result<()> {
        let due = next.info.since.saturating_add(self.options.jwks_max_age);
        if now >= due {
            return Ok(());
        }
        Err(Error::new(
            Code::KeyringNotPublished,
            format!(
                "the next key must be published for jwksMaxAge before it signs: rotate again in \
                 {} s, or pass force: true if no verifier caches the JWKS",
                due - now
            ),
        ))
    }

    /// The one rule for "this key verifies": for `find`, and so for every verifier, and `jwks`.
    fn usable<'a>(&self, entry: &'a Entry, now: u64) -> Option<(&'a Entry, u64)> {
        let until = match entry.info.state {
            KeyState::Next | KeyState::Active => u64::MAX,
            KeyState::Retired => entry
                .info
                .since
                .saturating_add(self.options.max_token_ttl)
                .saturating_add(MAX_CLOCK_TOLERANCE),
            KeyState::Revoked => return None,
        };
        (now < until).then_some((entry, until))
    }

    fn put(&self, entries: &mut Vec<Entry>, key: Arc<Key>, state: KeyState) {
        let now = self.clock.unix_seconds();
        // What verifies nothing any more is forgotten; a revoked key's id is not.
        entries.retain(|entry| {
            entry.info.state == KeyState::Revoked || self.usable(entry, now).is_some()
        });
        let key = match state {
            KeyState::Next | KeyState::Active => {
                retire(entries, state, now);
                key
            }
            KeyState::Retired | KeyState::Revoked => key.without_private(),
        };
        let info =
            KeyInfo { kid: key.kid().to_owned(), algorithm: key.algorithm(), state, since: now };
        entries.push(Entry { info, key: Some(key) });
        self.changed();
    }

    fn changed(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<Entry>> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<Entry>> {
        self.entries.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn set(&mut self, state: KeyState, now: u64) {
        self.info.state = state;
        self.info.since = now;
    }
}

fn find_state(entries: &[Entry], state: KeyState) -> Option<&Entry> {
    entries.iter().find(|entry| entry.info.state == state)
}

fn retire(entries: &mut [Entry], state: KeyState, now: u64) {
    if let Some(entry) = entries.iter_mut().find(|entry| entry.info.state == state) {
        entry.set(KeyState::Retired, now);
        // It signs no more: its private half goes when the last issuer that signed with it does.
        entry.key = entry.key.take().map(Key::without_private);
    }
}

fn no_active_key() -> Error {
    Error::new(
        Code::KeyringNoActiveKey,
        "the ring has no active key to sign with; add one, or await rotate()",
    )
}

#[cfg(test)]
mod tests;
