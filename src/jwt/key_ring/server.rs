//! A ring on a server that only the façade can reach: its seal, the version that this process has,
//! and the change that it has proposed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::book::Book;
use super::entry::RingEntry;
use super::plain::{self, Plain};
use super::stamp::{Stamp, unreadable};
use super::state::KeyState;
use crate::clock::ProvenTime;
use crate::error::{Code, Error, Result};
use crate::revocation::MAX_CLOCK_TOLERANCE;
use crate::secret::{SealKind, Secret};

/// The most seconds from the making of a key until every process that the server answers has it.
pub(super) const PUBLISHING: u64 = 5;

/// The context of the seal, before the name and the stamp. No other sealed ring has it.
const CONTEXT: &[u8] = b"server\0";

/// The seal of a ring: only the same key opens it, and only under the same name on a server.
pub(super) struct RingSeal {
    key: Secret,
    name: Vec<u8>,
}

/// The part of a ring that is on a server.
pub(super) struct ServerRing {
    pub seal: RingSeal,
    /// The version that this process has.
    stamp: Mutex<Stamp>,
    /// The change that the façade writes.
    proposed: Mutex<Option<(Stamp, Book)>>,
    /// When the server last had this version, in seconds since 1970.
    seen: AtomicU64,
    is_closed: AtomicBool,
}

impl RingSeal {
    pub(super) fn new(key: Secret, name: Vec<u8>) -> Self {
        Self { key, name }
    }

    /// The bytes of a version for the server.
    pub(super) fn write(&self, stamp: &Stamp, book: &Book, time: ProvenTime) -> Result<Vec<u8>> {
        let every = book.options().rotate_every;
        let plain = plain::write(book, every, stamp.name.number, &time.to_bytes())?;
        let stamp = stamp.to_bytes();
        let sealed = plain.seal(&self.key, SealKind::Ring, &self.context(&stamp))?;
        Ok([stamp, sealed].concat())
    }

    /// Opens a version. `ERR_SECRET_SEAL` if it is none of this ring.
    pub(super) fn read(&self, value: &[u8], known: &[RingEntry]) -> Result<(Stamp, Plain)> {
        let (stamp, bytes, sealed) = Stamp::read(value)?;
        let plain = Secret::unseal(sealed, &self.key, SealKind::Ring, &self.context(bytes))
            .and_then(|plain| plain::read(&plain, known))
            .map_err(|error| if error.code == Code::SecretSeal { unreadable() } else { error })?;
        Ok((stamp, plain))
    }

    fn context(&self, stamp: &[u8]) -> Vec<u8> {
        let len = (self.name.len() as u64).to_be_bytes();
        [CONTEXT, &len, &self.name, stamp].concat()
    }
}

impl ServerRing {
    /// The part of a ring whose version the server had at `seen`.
    pub(super) fn new(seal: RingSeal, stamp: Stamp, seen: u64) -> Self {
        Self {
            seal,
            stamp: Mutex::new(stamp),
            proposed: Mutex::default(),
            seen: AtomicU64::new(seen),
            is_closed: AtomicBool::new(false),
        }
    }

    /// The stamp of the version that this process has. While it is locked, no other thread takes
    /// another version.
    pub(super) fn stamp(&self) -> MutexGuard<'_, Stamp> {
        self.stamp.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn proposed(&self) -> MutexGuard<'_, Option<(Stamp, Book)>> {
        self.proposed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that the server has the version of this process.
    pub(super) fn note_seen(&self, now: u64) {
        self.seen.store(now, Ordering::Release);
    }

    /// Every later call fails with `ERR_KEYRING_STORE`.
    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
    }

    pub(super) fn check_open(&self) -> Result<()> {
        if self.is_closed.load(Ordering::Acquire) {
            return Err(Error::new(
                Code::KeyringStore,
                "the key ring is closed; close it after the last request",
            ));
        }
        Ok(())
    }

    /// Whether the active key may sign. After the time at which it was to be replaced, another
    /// process may have retired it. All verifiers know its tokens for at least 300 s longer than
    /// they live.
    pub(super) fn check_life(&self, book: &Book, now: u64) -> Result<()> {
        let Some(every) = book.options().rotate_every else { return Ok(()) };
        let Some(active) = book.only(KeyState::Active) else { return Ok(()) };
        let replaced = active.info.since.saturating_add(every);
        let known = replaced.max(self.seen.load(Ordering::Acquire));
        if now < known.saturating_add(MAX_CLOCK_TOLERANCE) {
            return Ok(());
        }
        Err(Error::new(
            Code::KeyringStore,
            "the server of the key ring does not answer, and the active key was to be replaced \
             more than 5 minutes ago; look at the server, and the ring goes on by itself",
        ))
    }
}
