//! The key ring: keys in their states, which issuers and verifiers share.
//!
//! A key is published as `next` before it signs, so that verifiers which cache the JWKS know it by
//! then. As `retired` it verifies for as long as a token that it signed can live. A `revoked` key
//! is refused at once, and its id is never used again.
//!
//! Rotation by time needs no timer: the next call that signs, verifies or publishes does what is
//! due. The key that this call promotes was made a whole period earlier, so no caller waits for a
//! key to be made. Its successor is made on the spot, within some 100 µs. An RSA key takes up to a
//! second, so it is made on a thread of its own and published when it is ready. The thread pool for
//! hashes is not used, because it may be busy for longer than a key may sign.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, Weak};

use super::book::Book;
use super::events::{Listener, Listeners};
use super::options::RingOptions;
use super::pending::{PendingKey, PendingKeys};
use super::state::{KeyChange, KeyInfo, KeyState};
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::jwt::key::key::Key;

/// A set of keys in their states, shared by issuers and verifiers.
pub struct KeyRing {
    pub(super) me: Weak<Self>,
    pub(super) options: RingOptions,
    clock: Arc<dyn Clock>,
    book: RwLock<Book>,
    epoch: AtomicU64,
    /// When the ring next has something to do, in seconds since 1970.
    pub(super) due: AtomicU64,
    /// The latest time in the book. A clock that is behind it has been set back.
    pub(super) latest: AtomicU64,
    listeners: Listeners,
    pending: Arc<PendingKeys>,
}

impl KeyRing {
    /// Makes a ring without keys: add some, or rotate. With `rotate_every` the ring makes its own.
    /// `ERR_OUT_OF_RANGE` if `rotate_every` is too short.
    pub fn new(options: RingOptions, clock: Arc<dyn Clock>) -> Result<Arc<Self>> {
        Self::with(Book::new(options), options, clock)
    }

    pub(super) fn with(
        book: Book,
        options: RingOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>> {
        options.check_period()?;
        Ok(Arc::new_cyclic(|me| Self {
            me: me.clone(),
            options,
            clock,
            due: AtomicU64::new(book.due()),
            latest: AtomicU64::new(book.latest()),
            book: RwLock::new(book),
            epoch: AtomicU64::new(0),
            listeners: Listeners::default(),
            pending: Arc::default(),
        }))
    }

    /// The current time, in seconds since 1970.
    pub(super) fn now(&self) -> u64 {
        self.clock.unix_seconds()
    }

    /// How the ring rotates.
    pub fn options(&self) -> &RingOptions {
        &self.options
    }

    /// Adds a key, up to 1000. Without a state the key becomes active if no key is, else next. The
    /// key that it displaces is retired.
    pub fn add(&self, key: Arc<Key>, state: Option<KeyState>) -> Result<()> {
        self.change(0, |book, now| book.add(key, state, now)).0
    }

    /// Refuses a key from now on, in every issuer and verifier that uses the ring.
    pub fn revoke(&self, kid: &str) -> Result<()> {
        self.change(0, |book, now| book.revoke(kid, now)).0
    }

    /// The keys in the order of their addition, revoked ones included.
    pub fn list(&self) -> Vec<KeyInfo> {
        self.read().entries().iter().map(|entry| entry.info.clone()).collect()
    }

    /// A number that changes with every change of the ring.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Announces a key that is about to be made elsewhere. [`Self::wait_until_it_signs`] waits as
    /// long as the value exists.
    pub fn expect_key(&self) -> PendingKey {
        self.pending.begin()
    }

    /// Whether there is an active key.
    pub fn can_sign(&self) -> bool {
        self.read().only(KeyState::Active).is_some()
    }

    /// Blocks until there is an active key. `ERR_KEYRING_NO_ACTIVE_KEY` if none is being made.
    pub fn wait_until_it_signs(&self) -> Result<()> {
        if self.pending.wait_until(|| self.can_sign()) { Ok(()) } else { Err(no_active_key()) }
    }

    /// The error for a call that signs while there is no active key.
    pub(super) fn cannot_sign(&self) -> Error {
        if self.pending.are_none() { no_active_key() } else { not_yet_made() }
    }

    /// Tells `listener` of every change from now on; returns a number for [`Self::unlisten`].
    pub fn listen(&self, listener: Listener) -> u64 {
        self.listeners.add(listener)
    }

    /// Tells `listener` of every change from now on, in place of the watcher's last listener.
    /// `watcher` is a number that no other watcher has while this one lives.
    pub fn watch(&self, watcher: usize, listener: Listener) {
        self.listeners.watch(watcher, listener);
    }

    /// Removes a listener.
    pub fn unlisten(&self, id: u64) {
        self.listeners.remove(id);
    }

    /// Alters the book, and reports the changes before anybody can see them. `alter` gets the
    /// current time, or `earliest` if that is later, in seconds since 1970. The clock is read under
    /// the lock, when nobody else can alter the book.
    pub(super) fn change<T>(
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

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Book> {
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_yet_made() -> Error {
    Error::new(
        Code::KeyringNoActiveKey,
        "the ring's first key is still being made; await the ring's ready() first, or call \
         signAsync, which waits",
    )
}

/// The error for a ring that cannot sign.
pub(super) fn no_active_key() -> Error {
    Error::new(
        Code::KeyringNoActiveKey,
        "the ring has no active key to sign with; add one, or await rotate(), and if the active \
         key was revoked, rotate({ force: true })",
    )
}
