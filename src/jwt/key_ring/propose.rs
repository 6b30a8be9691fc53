//! Follows and changes a ring on a server. The façade carries the bytes: it brings the version that
//! the server has, gets the bytes of a changed one, writes them if the server still has the version
//! before, and reports whether it has.

use std::sync::{Arc, PoisonError};

use super::book::{Book, SigningIds};
use super::entries::Times;
use super::merge::merged;
use super::options::{RingOptions, RingOverrides};
use super::plain::Plain;
use super::ring::{Home, KeyRing, no_active_key};
use super::rotation::rotate_once;
use super::server::{PUBLISHING, RingSeal, ServerRing};
use super::stamp::{HEAD_LEN, Stamp};
use super::state::KeyState;
use super::stored::agreed;
use crate::clock::{Clock, ProvenTime};
use crate::error::{Code, Error, Result};
use crate::jwt::key::key::Key;
use crate::revocation::MAX_CLOCK_TOLERANCE;
use crate::secret::Secret;

/// A ring on a server that is to be opened.
pub struct RingOpening {
    given: RingOverrides,
    key: Secret,
    name: Vec<u8>,
}

/// The version of a server, compared with that of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerVersion {
    /// They are the same now.
    Same,
    /// The server has none, or one from which this process's was made.
    Behind,
    /// They were made apart.
    Apart,
}

/// A change of a ring on a server.
pub enum ServerChange {
    /// Writes the version of this process again.
    Restore,
    /// Merges the version of the server with that of this process.
    Merge(Vec<u8>),
    /// Does what is due.
    Due,
    /// Rotates the keys, unless the ring no longer has the signing keys that the caller has seen.
    Rotate {
        /// Whether the next key signs before all verifiers know it.
        force: bool,
        /// The ids of the active and the next key.
        seen: [Option<String>; 2],
    },
    /// Revokes a key.
    Revoke(String),
    /// Changes the time between rotations.
    Configure(Option<u64>),
    /// Adds a key.
    Add(Arc<Key>, Option<KeyState>),
}

/// The result of a change.
pub struct Proposal {
    /// The bytes for the server; `None` if there is nothing to change.
    pub value: Option<Vec<u8>>,
    /// The key that signs after a rotation.
    pub kid: Option<String>,
}

impl RingOpening {
    /// An opening with the options that the caller has given, the key of the seal, and the name on
    /// the server, of at most 200 bytes.
    pub fn new(given: RingOverrides, key: Secret, name: Vec<u8>) -> Self {
        Self { given, key, name }
    }

    /// The bytes of a new ring, with an active key and the next one.
    pub fn create(&self, clock: &dyn Clock) -> Result<Vec<u8>> {
        let options = self.given.over(RingOptions::default());
        options.check_period()?;
        let generate = || Key::generate(options.algorithm, None, None);
        let (active, next) = (generate()?, generate()?);
        let mut time = ProvenTime::start(clock);
        let now = time.observe(clock).steady / 1000;
        let mut book = Book::new(options);
        book.rotate(Some(active), next, Times { now, proven: 0 });
        self.seal().write(&Stamp::first()?, &book, time)
    }

    /// The ring that a server has. `ERR_SECRET_SEAL` if it does not open; `ERR_INVALID_ARG_VALUE`
    /// if an option that was given is not the ring's.
    pub fn read(&self, value: &[u8], clock: Arc<dyn Clock>) -> Result<Arc<KeyRing>> {
        let seal = self.seal();
        let (stamp, Plain { options, entries, times, .. }) = seal.read(value, &[])?;
        // Another machine may have written it, whose clocks are its own.
        let time =
            ProvenTime::from_bytes(&times, &*clock).map(|time| time.restored(&*clock, false));
        let mut time = time.unwrap_or_else(|| ProvenTime::start(&*clock));
        let now = time.observe(&*clock).steady / 1000;
        let book = Book::restored(options, entries).in_store(PUBLISHING);
        let home = Home::Server(Box::new(ServerRing::new(seal, stamp, now)));
        agreed(KeyRing::assemble(book, clock, time, home), &self.given, "on the server")
    }

    fn seal(&self) -> RingSeal {
        RingSeal::new(self.key.clone(), self.name.clone())
    }
}

impl KeyRing {
    /// Whether the version of this process has this head, which the server has now.
    pub fn is_at(&self, head: &[u8]) -> Result<bool> {
        let server = self.server()?;
        let is_same = server.stamp().head() == head;
        if is_same {
            server.note_seen(self.now());
        }
        Ok(is_same)
    }

    /// The head of the version that this process has.
    pub fn head(&self) -> Result<[u8; HEAD_LEN]> {
        Ok(self.server()?.stamp().head())
    }

    /// Whether the version of this process has the change of the version with this head.
    pub fn has_version(&self, head: &[u8]) -> Result<bool> {
        Ok(self.server()?.stamp().has(head))
    }

    /// The ids of the active and the next key, for [`ServerChange::Rotate`].
    pub fn signing_ids(&self) -> [Option<String>; 2] {
        let SigningIds { active, next } = self.read().signing_ids();
        [active, next]
    }

    /// Whether something is due.
    pub fn is_due(&self) -> bool {
        self.read().due() <= self.now() || self.is_from_the_future()
    }

    /// Takes the version that the server has, if it was made from that of this process. Without
    /// `value` the server has none. `ERR_SECRET_SEAL` if it does not open; `ERR_INVALID_ARG_VALUE`
    /// if it is another ring.
    pub fn read_server(&self, value: Option<&[u8]>) -> Result<ServerVersion> {
        let server = self.server()?;
        let Some(value) = value else { return Ok(ServerVersion::Behind) };
        let (stamp, book) = self.version(server, value)?;
        let own = server.stamp().clone();
        if own.head() == stamp.head() {
            server.note_seen(self.now());
        } else if stamp.descends_from(&own) {
            self.take_version(server, stamp, book);
        } else if own.descends_from(&stamp) {
            return Ok(ServerVersion::Behind);
        } else {
            return Ok(ServerVersion::Apart);
        }
        Ok(ServerVersion::Same)
    }

    /// Prepares a change of the version that this process has. [`Self::settle`] ends it.
    pub fn propose(&self, change: ServerChange) -> Result<Proposal> {
        let server = self.server()?;
        let own = server.stamp().clone();
        let mut book = self.read().clone();
        let times = self.times(0);
        let (stamp, kid) = match change {
            ServerChange::Restore => (own, None),
            ServerChange::Merge(value) => {
                let (theirs, other) = self.version(server, &value)?;
                let is_main = own.name >= theirs.name;
                let (main, other) = if is_main { (&book, &other) } else { (&other, &book) };
                let (later, earlier) = if is_main { (&own, &theirs) } else { (&theirs, &own) };
                let has_forgotten = later.may_descend_from(earlier);
                book = merged(main, other, has_forgotten, times.now)?;
                (own.child(Some(&theirs))?, None)
            }
            change => {
                book.correct(times.now.saturating_add(MAX_CLOCK_TOLERANCE));
                let kid = self.alter(&mut book, change, times)?;
                if !book.is_changed() {
                    return Ok(Proposal { value: None, kid });
                }
                (own.child(None)?, kid)
            }
        };
        book.take_changes();
        let value = server.seal.write(&stamp, &book, self.proven_time())?;
        *server.proposed() = Some((stamp, book));
        Ok(Proposal { value: Some(value), kid })
    }

    /// Ends a change: takes the version if the server has it, else forgets it.
    pub fn settle(&self, is_done: bool) -> Result<()> {
        let server = self.server()?;
        let proposed = server.proposed().take();
        if let Some((stamp, book)) = proposed.filter(|_| is_done) {
            self.take_version(server, stamp, book);
        }
        Ok(())
    }

    /// Forgets the keys. Every later call fails with `ERR_KEYRING_STORE`.
    pub fn close_server(&self) {
        let Home::Server(server) = &self.home else { return };
        let mut held = self.book.write().unwrap_or_else(PoisonError::into_inner);
        server.close();
        self.forget(&mut held);
    }

    fn server(&self) -> Result<&ServerRing> {
        match &self.home {
            Home::Server(server) => server.check_open().map(|()| &**server),
            Home::Memory | Home::Store(_) => {
                Err(Error::new(Code::Internal, "the key ring is on no server"))
            }
        }
    }

    /// A version with the options of this ring.
    fn version(&self, server: &ServerRing, value: &[u8]) -> Result<(Stamp, Book)> {
        // Not under the lock of the book, which signing and verifying take.
        let (known, own) = {
            let book = self.read();
            (book.entries().to_vec(), *book.options())
        };
        let (stamp, Plain { options, entries, .. }) = server.seal.read(value, &known)?;
        if options != (RingOptions { rotate_every: options.rotate_every, ..own }) {
            return Err(Error::new(
                Code::InvalidArgValue,
                "the server has a key ring with other options under this name: give each ring a \
                 prefix of its own, and delete the other ring",
            ));
        }
        Ok((stamp, Book::restored(options, entries)))
    }

    fn alter(&self, book: &mut Book, change: ServerChange, times: Times) -> Result<Option<String>> {
        let generate = || Key::generate(self.algorithm(), None, None);
        match change {
            ServerChange::Restore | ServerChange::Merge(_) => {}
            ServerChange::Due => {
                book.apply(times);
                book.make_missing(generate, times);
            }
            ServerChange::Rotate { force, seen: [active, next] } => {
                let seen = SigningIds { active, next };
                let kid = rotate_once(book, &seen, force, times, generate)?;
                return kid.map(Some).ok_or_else(no_active_key);
            }
            ServerChange::Revoke(kid) => book.revoke(&kid, times.now)?,
            ServerChange::Configure(every) => book.configure(every)?,
            ServerChange::Add(key, state) => book.add(key, state, times)?,
        }
        Ok(None)
    }

    fn take_version(&self, server: &ServerRing, stamp: Stamp, book: Book) {
        let now = self.now();
        let mut held = self.book.write().unwrap_or_else(PoisonError::into_inner);
        let mut known = server.stamp();
        if server.check_open().is_ok() {
            *known = stamp;
            server.note_seen(now);
            self.put(&mut held, book.in_store(PUBLISHING), now);
        }
    }
}
