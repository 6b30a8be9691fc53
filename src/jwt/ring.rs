//! The key ring: which key signs, which verify, and what is published.
//!
//! A key is published as `next` before it signs, so that verifiers which cache the JWKS know it
//! by then; it verifies as `retired` for as long as a token it signed can live; `revoked` it is
//! gone at once, and its id is never used again.
//!
//! Rotation by time needs no timer: what is due is done by whoever signs, verifies or publishes
//! next. The key that is promoted then has been there for a whole period, so nobody waits for one
//! to be made. Its successor is made on the spot, within some 100 µs, or for RSA, where that takes
//! up to a second, on the worker pool, and is published when it comes.

mod book;
mod events;
mod sealed;

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, Weak};

use aws_lc_rs::digest;

use self::book::Book;
pub use self::events::Listener;
use self::events::Listeners;
pub use self::sealed::RingOverrides;
use super::algorithm::Scheme;
use super::{Algorithm, Key, Rejection, base64url};
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::password::pool::{self, Ticket};

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
    /// `jwks_max_age`. Never by default.
    pub rotate_every: Option<u64>,
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
    listeners: Listeners,
}

impl KeyRing {
    /// A ring without keys: add some, or rotate. With `rotate_every` it makes its own.
    pub fn new(options: RingOptions, clock: Arc<dyn Clock>) -> Result<Arc<Self>> {
        Self::with(Book::new(options), options, clock)
    }

    fn with(book: Book, options: RingOptions, clock: Arc<dyn Clock>) -> Result<Arc<Self>> {
        if options.rotate_every.is_some_and(|every| every <= options.jwks_max_age) {
            return Err(Error::new(
                Code::OutOfRange,
                "rotateEvery must be longer than jwksMaxAge, for which a key is published before \
                 it signs",
            ));
        }
        Ok(Arc::new_cyclic(|me| Self {
            me: me.clone(),
            options,
            clock,
            due: AtomicU64::new(book.due()),
            book: RwLock::new(book),
            epoch: AtomicU64::new(0),
            listeners: Listeners::default(),
        }))
    }

    /// How the ring rotates.
    pub fn options(&self) -> &RingOptions {
        &self.options
    }

    /// Adds a key. Without a state it is the active one if there is none, else the next one.
    /// What it displaces is retired.
    pub fn add(&self, key: Arc<Key>, state: Option<KeyState>) -> Result<()> {
        let now = self.clock.unix_seconds();
        self.change(|book| book.add(key, state, now)).0
    }

    /// Refuses a key from now on, in every issuer and verifier that uses the ring.
    pub fn revoke(&self, kid: &str) -> Result<()> {
        let now = self.clock.unix_seconds();
        self.change(|book| book.revoke(kid, now)).0
    }

    /// Promotes the next key and publishes a new one; gives the id of the key that now signs.
    ///
    /// The next key must have been published for `jwks_max_age` and 30 s, unless `force`d. A ring without
    /// keys gets an active one at once, since no token is verified by any other yet; a ring
    /// without a next key only publishes one. `generate` is called without the ring being locked.
    pub fn rotate(&self, force: bool, generate: impl Fn() -> Result<Key>) -> Result<String> {
        loop {
            let epoch = self.epoch();
            let now = self.clock.unix_seconds();
            let (has_active, published) = {
                let book = self.read();
                (book.only(KeyState::Active).is_some(), book.published())
            };
            if let Some(due) = published.filter(|due| !force && now < *due) {
                return Err(not_published(due - now));
            }
            let has_next = published.is_some();
            let immediate =
                if !has_next && (force || !has_active) { Some(generate()?) } else { None };
            let next = generate()?;
            let (rotated, _) = self.change(|book| {
                if epoch != self.epoch() {
                    return None;
                }
                match immediate {
                    Some(key) => book.put(Arc::new(key), KeyState::Active, now),
                    None => book.promote(now),
                }
                book.put(Arc::new(next), KeyState::Next, now);
                let active = book.only(KeyState::Active);
                Some(active.map(|active| active.info.kid.clone()).ok_or_else(no_active_key))
            });
            if let Some(kid) = rotated {
                return kid;
            }
        }
    }

    /// Does what is due at `now`, in seconds since 1970, and tells what it was: retired keys that
    /// no token needs any more are forgotten, and with `rotate_every` the next key is promoted and
    /// a new one published. However much time has passed, one key is promoted.
    pub fn tick(&self, now: u64) -> Vec<KeyChange> {
        let slow = matches!(self.options.algorithm.scheme(), Scheme::Rsa(..));
        let (ordered, changes) = self.change(|book| {
            book.apply(now);
            while book.missing(now).is_some() {
                if slow {
                    book.order();
                    return true;
                }
                book.deliver(Key::generate(self.options.algorithm, None, None), now);
            }
            false
        });
        if ordered {
            self.make_ahead(now);
        }
        changes
    }

    /// [`Self::tick`], if anything is due.
    pub fn catch_up(&self, now: u64) {
        if now >= self.due.load(Ordering::Acquire) {
            self.tick(now);
        }
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

    /// Has the missing key made on the pool.
    fn make_ahead(&self, now: u64) {
        let (ring, algorithm) = (self.me.clone(), self.options.algorithm);
        pool::submit(
            &Ticket::new(),
            0,
            move |delivery, _| delivery.send(Key::generate(algorithm, None, None)),
            move |made| {
                let Some(ring) = ring.upgrade() else { return };
                let now = now.max(ring.clock.unix_seconds());
                ring.change(|book| book.deliver(made, now));
            },
        );
    }

    /// Alters the book, and makes what has changed known before anybody can see it.
    fn change<T>(&self, alter: impl FnOnce(&mut Book) -> T) -> (T, Vec<KeyChange>) {
        let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
        let result = alter(&mut book);
        let changes = book.take_changes();
        self.due.store(book.due(), Ordering::Release);
        if !changes.is_empty() {
            self.epoch.fetch_add(1, Ordering::AcqRel);
            self.listeners.tell(&changes);
        }
        (result, changes)
    }

    fn read(&self) -> RwLockReadGuard<'_, Book> {
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_published(seconds: u64) -> Error {
    Error::new(
        Code::KeyringNotPublished,
        format!(
            "the next key must be published for jwksMaxAge and 30 s before it signs: rotate again \
             in {seconds} s, or pass force: true if no verifier caches the JWKS"
        ),
    )
}

fn no_active_key() -> Error {
    Error::new(
        Code::KeyringNoActiveKey,
        "the ring has no active key to sign with; add one, or await rotate()",
    )
}

#[cfg(test)]
mod tests;
