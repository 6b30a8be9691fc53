//! The key ring: which key signs, which verify, and what is published.
//!
//! A key is published as `next` before it signs, so that verifiers which cache the JWKS know it
//! by then; it verifies as `retired` for as long as a token it signed can live; `revoked` it is
//! gone at once, and its id is never used again.
//!
//! Rotation by time needs no timer: what is due is done by whoever signs, verifies or publishes
//! next. The key that is promoted then has been there for a whole period, so nobody waits for one
//! to be made. Its successor is made on the spot, within some 100 µs, or for RSA, where that takes
//! up to a second, on a thread of its own, and is published when it comes: the pool of the hashes
//! may be busy for longer than a key may sign.

mod book;
mod events;
mod rotation;
mod sealed;

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, Weak};

use aws_lc_rs::digest;

use self::book::Book;
pub use self::events::Listener;
use self::events::Listeners;
pub use self::sealed::RingOverrides;
use super::{Algorithm, Key, MAX_CLOCK_TOLERANCE, Rejection, base64url};
use crate::clock::Clock;
use crate::error::{Code, Error, Result};

/// The most keys that a ring holds, revoked ones included: as many sealed fit into one secret.
pub const MAX_RING_KEYS: usize = 1000;

/// The most keys that rotation by time leaves to verify: room for others.
const MOST_RETIRED: u64 = 900;

/// How a ring rotates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingOptions {
    /// The algorithm of the keys that rotation makes. ES256 by default.
    pub algorithm: Algorithm,
    /// The longest life of a token signed with the ring, in seconds; a day by default.
    pub max_token_ttl: u64,
    /// How long verifiers may cache the JWKS, in seconds; ten minutes by default. A key signs
    /// when it has been published for 30 seconds longer, unless this is 0.
    pub jwks_max_age: u64,
    /// How long a key signs before the next one takes over by itself, in seconds; longer than
    /// `jwks_max_age`, and so long that at most 900 keys verify at once. Never by default.
    pub rotate_every: Option<u64>,
}

impl RingOptions {
    /// For how long a key verifies after it has signed last, in seconds.
    pub fn longest_use(&self) -> u64 {
        self.max_token_ttl.saturating_add(MAX_CLOCK_TOLERANCE)
    }
}

impl Default for RingOptions {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::Es256,
            max_token_ttl: 24 * 3600,
            jwks_max_age: 600,
            rotate_every: None,
        }
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

/// What has become of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyChange {
    /// The key's id.
    pub kid: String,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// The state it has left; `None` for a new key.
    pub from: Option<KeyState>,
    /// The state it is in; `None` when it is forgotten, since nothing it signed is valid any more.
    pub to: Option<KeyState>,
    /// When, in seconds since 1970.
    pub at: u64,
}

impl KeyChange {
    fn of(info: &KeyInfo, from: Option<KeyState>, to: Option<KeyState>, at: u64) -> Self {
        Self { kid: info.kid.clone(), algorithm: info.algorithm, from, to, at }
    }
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
    me: Weak<Self>,
    options: RingOptions,
    clock: Arc<dyn Clock>,
    book: RwLock<Book>,
    epoch: AtomicU64,
    /// When something is to be done, in seconds since 1970.
    due: AtomicU64,
    /// The latest time in the book: a clock that is behind it has been set back.
    latest: AtomicU64,
    listeners: Listeners,
}

impl KeyRing {
    /// A ring without keys: add some, or rotate. With `rotate_every` it makes its own.
    pub fn new(options: RingOptions, clock: Arc<dyn Clock>) -> Result<Arc<Self>> {
        Self::with(Book::new(options), options, clock)
    }

    fn with(book: Book, options: RingOptions, clock: Arc<dyn Clock>) -> Result<Arc<Self>> {
        check_period(&options)?;
        Ok(Arc::new_cyclic(|me| Self {
            me: me.clone(),
            options,
            clock,
            due: AtomicU64::new(book.due()),
            latest: AtomicU64::new(book.latest()),
            book: RwLock::new(book),
            epoch: AtomicU64::new(0),
            listeners: Listeners::default(),
        }))
    }

    /// How the ring rotates.
    pub fn options(&self) -> &RingOptions {
        &self.options
    }

    /// Adds a key, up to 1000. Without a state it is the active one if there is none, else the next
    /// one. What it displaces is retired.
    pub fn add(&self, key: Arc<Key>, state: Option<KeyState>) -> Result<()> {
        self.change(0, |book, now| book.add(key, state, now)).0
    }

    /// Refuses a key from now on, in every issuer and verifier that uses the ring.
    pub fn revoke(&self, kid: &str) -> Result<()> {
        self.change(0, |book, now| book.revoke(kid, now)).0
    }

    /// The keys in the order in which they came, revoked ones included.
    pub fn list(&self) -> Vec<KeyInfo> {
        self.read().entries().iter().map(|entry| entry.info.clone()).collect()
    }

    /// The public keys that verification accepts right now. HMAC keys are never among them.
    pub fn jwks(&self) -> Jwks {
        let now = self.clock.unix_seconds();
        self.catch_up(now);
        let mut body = String::from("{\"keys\":[");
        let book = self.read();
        // A set need not be fetched anew when the next key is published: that one signs only when
        // all sets without it have been forgotten. Into a ring without any key comes one that signs
        // at once.
        let has_any = [KeyState::Active, KeyState::Next].map(|state| book.only(state).is_some());
        let mut max_age = if has_any.contains(&true) { self.options.jwks_max_age } else { 0 };
        for entry in book.entries() {
            let Some(until) = book.usable(entry, now) else { continue };
            let jwk = entry.verifying.as_ref().and_then(|key| key.public_jwk());
            let Some(jwk) = jwk else { continue };
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
        let book = self.read();
        let active = book.only(KeyState::Active).and_then(|entry| entry.signing.clone());
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
        self.catch_up(now);
        let book = self.read();
        let mut matching = book.entries().iter().filter(|entry| match kid {
            Some(kid) => entry.info.kid == kid,
            None => entry.info.algorithm.signs_as(algorithm) && book.usable(entry, now).is_some(),
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
        let until = book.usable(entry, now).ok_or(Rejection::KeyNotFound)?;
        Ok((entry.verifying.clone().ok_or(Rejection::KeyNotFound)?, until))
    }

    /// A number that changes with every change of the ring.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Tells `listener` of every change from now on; gives a number for [`Self::unlisten`].
    pub fn listen(&self, listener: Listener) -> u64 {
        self.listeners.add(listener)
    }

    /// Tells a listener nothing any more.
    pub fn unlisten(&self, id: u64) {
        self.listeners.remove(id);
    }

    /// Alters the book, and makes what has changed known before anybody can see it. It is `earliest`,
    /// in seconds since 1970, or later: the clock is read when nobody else can alter the book.
    fn change<T>(
        &self,
        earliest: u64,
        alter: impl FnOnce(&mut Book, u64) -> T,
    ) -> (T, Vec<KeyChange>) {
        let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.unix_seconds().max(earliest);
        let is_corrected = book.correct(now);
        let result = alter(&mut book, now);
        let changes = book.take_changes();
        self.due.store(book.due(), Ordering::Release);
        self.latest.store(book.latest(), Ordering::Release);
        if is_corrected || !changes.is_empty() {
            self.epoch.fetch_add(1, Ordering::AcqRel);
        }
        if !changes.is_empty() {
            self.listeners.tell(&changes);
        }
        (result, changes)
    }

    fn read(&self) -> RwLockReadGuard<'_, Book> {
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check_period(options: &RingOptions) -> Result<()> {
    let Some(every) = options.rotate_every else { return Ok(()) };
    if every <= options.jwks_max_age {
        return Err(Error::new(
            Code::OutOfRange,
            "rotateEvery must be longer than jwksMaxAge, for which a key is published before it \
             signs",
        ));
    }
    let least = options.longest_use().div_ceil(MOST_RETIRED);
    if every < least {
        return Err(Error::new(
            Code::OutOfRange,
            format!(
                "rotateEvery must be at least {least} s with this maxTokenTtl, for which a key \
                 verifies after it has signed: a ring holds at most {MAX_RING_KEYS} keys"
            ),
        ));
    }
    Ok(())
}

fn no_active_key() -> Error {
    Error::new(
        Code::KeyringNoActiveKey,
        "the ring has no active key to sign with; add one, or await rotate()",
    )
}

#[cfg(test)]
mod tests;
