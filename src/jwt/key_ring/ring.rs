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
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, Weak};

use super::book::Book;
use super::entries::Times;
use super::options::RingOptions;
use super::pending::{PendingKey, PendingKeys};
use super::record::RingRecord;
use super::server::ServerRing;
use super::state::{KeyChange, KeyState};
use crate::clock::{Clock, Moment, ProvenTime};
use crate::error::{Code, Error, Result};
use crate::jwt::algorithm::Algorithm;
use crate::listeners::{Listener, Listeners};
use crate::revocation::MAX_CLOCK_TOLERANCE;

/// A set of keys in their states, shared by issuers and verifiers.
pub struct KeyRing {
    pub(super) me: Weak<Self>,
    /// All of them but `rotate_every`, which is in the book, never change.
    options: RingOptions,
    pub(super) clock: Arc<dyn Clock>,
    time: Mutex<ProvenTime>,
    pub(super) book: RwLock<Book>,
    pub(super) epoch: AtomicU64,
    /// When the ring next has something to do, in seconds since 1970.
    pub(super) due: AtomicU64,
    /// The latest time in the book. A clock that is behind it has been set back.
    pub(super) latest: AtomicU64,
    pub(super) listeners: Listeners<KeyChange>,
    pending: Arc<PendingKeys>,
    pub(super) home: Home,
}

/// The place of a ring that other processes may change.
pub(super) enum Home {
    /// There are no other processes.
    Memory,
    Store(Arc<RingRecord>),
    Server(Box<ServerRing>),
}

impl KeyRing {
    /// Makes a ring without keys: add some, or rotate. With `rotate_every` the ring makes its own.
    /// `ERR_OUT_OF_RANGE` if `rotate_every` is too short.
    pub fn new(options: RingOptions, clock: Arc<dyn Clock>) -> Result<Arc<Self>> {
        Self::with(Book::new(options), clock)
    }

    /// A ring in memory. `ERR_OUT_OF_RANGE` if `rotate_every` is too short.
    pub(super) fn with(book: Book, clock: Arc<dyn Clock>) -> Result<Arc<Self>> {
        book.options().check_period()?;
        let time = ProvenTime::start(&*clock);
        Ok(Self::assemble(book, clock, time, Home::Memory))
    }

    /// The ring of a record in a store.
    pub(super) fn of_record(
        book: Book,
        clock: Arc<dyn Clock>,
        time: ProvenTime,
        record: RingRecord,
    ) -> Arc<Self> {
        let book = book.in_store(record.publishing());
        Self::assemble(book, clock, time, Home::Store(Arc::new(record)))
    }

    pub(super) fn assemble(
        book: Book,
        clock: Arc<dyn Clock>,
        time: ProvenTime,
        home: Home,
    ) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            me: me.clone(),
            options: *book.options(),
            time: Mutex::new(time),
            clock,
            due: AtomicU64::new(book.due()),
            latest: AtomicU64::new(book.latest()),
            book: RwLock::new(book),
            epoch: AtomicU64::new(0),
            listeners: Listeners::default(),
            pending: Arc::default(),
            home,
        })
    }

    /// The current time, in seconds since 1970. If the wall clock has been set, the boot clock
    /// counts until both have agreed for an hour, because keys that are forgotten or promoted by a
    /// wrong clock stay so.
    pub(super) fn now(&self) -> u64 {
        self.observe().steady / 1000
    }

    /// The current times, or `earliest` if that is later, in seconds since 1970.
    pub(super) fn times(&self, earliest: u64) -> Times {
        let Moment { steady, proven, .. } = self.observe();
        Times { now: (steady / 1000).max(earliest), proven: (proven / 1000).max(earliest) }
    }

    /// The proven time, to be stored.
    pub(super) fn proven_time(&self) -> ProvenTime {
        *self.time.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn observe(&self) -> Moment {
        self.time.lock().unwrap_or_else(PoisonError::into_inner).observe(&*self.clock)
    }

    /// How the ring rotates.
    pub fn options(&self) -> RingOptions {
        *self.read().options()
    }

    /// The algorithm of the keys that the ring makes.
    pub fn algorithm(&self) -> Algorithm {
        self.options.algorithm
    }

    /// The longest life of a token, in seconds.
    pub fn max_token_ttl(&self) -> u64 {
        self.options.max_token_ttl
    }

    /// Whether the ring is on a store, so that a change takes a while.
    pub fn is_durable(&self) -> bool {
        matches!(self.home, Home::Store(_))
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
    pub fn listen(&self, listener: Listener<KeyChange>) -> u64 {
        self.listeners.add(listener)
    }

    /// Tells `listener` of every change from now on, in place of the watcher's last listener.
    /// `watcher` is a number that no other watcher has while this one lives.
    pub fn watch(&self, watcher: usize, listener: Listener<KeyChange>) {
        self.listeners.watch(watcher, listener);
    }

    /// Removes a listener.
    pub fn unlisten(&self, id: u64) {
        self.listeners.remove(id);
    }

    /// Whether the ring is on a server, so that the façade makes its changes.
    pub fn is_on_server(&self) -> bool {
        matches!(self.home, Home::Server(_))
    }

    /// Whether a key has entered its state at a time that has not come: the clock was set back, or
    /// on a server that of another machine is ahead by more than clocks may differ.
    pub(super) fn is_from_the_future(&self) -> bool {
        let lead = if self.is_on_server() { MAX_CLOCK_TOLERANCE } else { 0 };
        self.now().saturating_add(lead) < self.latest.load(Ordering::Acquire)
    }

    /// Notes the times of a book that has changed.
    pub(super) fn note(&self, book: &Book) {
        self.due.store(book.due(), Ordering::Release);
        self.latest.store(book.latest(), Ordering::Release);
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
