//! The log of a list that several machines share: a stream of rows on a server that only JavaScript
//! talks to.
//!
//! JavaScript gives the list the rows that it reads, says when the server answered last, and takes
//! the rows that are to be published.

mod keys;
mod outgoing;
mod row;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use self::keys::RemoteKeys;
pub(super) use self::outgoing::{Caller, Outgoing, Waiting};
pub use self::row::Found;
pub(super) use self::row::ReadRows;
use super::state::Entry;
use crate::error::{Code, Error, Result};
use crate::revocation::fingerprint::Fingerprinter;

/// Has the publisher take the rows that wait, on another thread. Returns false if there is no
/// publisher any more.
pub type Wake = Box<dyn Fn() -> bool + Send>;

/// The options of a list across machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteTerms {
    /// The longest time without an answer of the server, in milliseconds.
    pub max_staleness: u64,
    /// Whether the list answers from memory after that, once it has had all rows.
    pub answers_from_memory: bool,
}

pub(super) struct Remote {
    keys: RemoteKeys,
    terms: RemoteTerms,
    /// The last millisecond of the boot clock at which the list may answer; 0 before it has all
    /// rows.
    fresh_until: AtomicU64,
    outgoing: Mutex<Outgoing>,
    wake: Mutex<Option<Wake>>,
}

impl Remote {
    pub(super) fn new(keys: RemoteKeys, terms: RemoteTerms, wake: Wake) -> Self {
        Self {
            keys,
            terms,
            fresh_until: AtomicU64::new(0),
            outgoing: Mutex::default(),
            wake: Mutex::new(Some(wake)),
        }
    }

    /// The fingerprinter of all machines.
    pub(super) fn fingerprinter(&self) -> &Fingerprinter {
        self.keys.fingerprinter()
    }

    /// Whether fingerprints under these keys mean the same.
    pub(super) fn has_keys(&self, keys: &RemoteKeys) -> bool {
        self.keys.is(keys)
    }

    /// Whether the list has had all rows once.
    pub(super) fn is_loaded(&self) -> bool {
        self.fresh_until.load(Ordering::Relaxed) > 0
    }

    /// Notes that the list has every row that the server had at `moment` of the boot clock.
    pub(super) fn confirm(&self, moment: u64) {
        let until = moment.saturating_add(self.terms.max_staleness).max(1);
        self.fresh_until.fetch_max(until, Ordering::Release);
    }

    /// Whether the list knows the state of the server, of at most `max_staleness` ago.
    pub(super) fn is_fresh(&self, now: u64) -> bool {
        let until = self.fresh_until.load(Ordering::Acquire);
        until > 0 && now <= until
    }

    /// Fails with `ERR_REVOCATION_STALE` if the list must not answer.
    #[inline]
    pub(super) fn check(&self, now: impl FnOnce() -> u64) -> Result<()> {
        let from_memory = self.terms.answers_from_memory && self.is_loaded();
        if from_memory || self.is_fresh(now()) { Ok(()) } else { Err(stale()) }
    }

    /// Reads texts of rows, separated by commas.
    pub(super) fn read(&self, texts: &str) -> ReadRows {
        self.keys.read(texts)
    }

    /// The texts of rows, one after another.
    pub(super) fn write(&self, entries: &[Entry]) -> String {
        self.keys.write(entries)
    }

    /// Queues a row, and wakes the publisher.
    pub(super) fn post(&self, waiting: Waiting) {
        let is_first = match self.outgoing().add(waiting) {
            Ok(is_first) => is_first,
            Err(waiting) => return waiting.fail(&closed()),
        };
        if is_first {
            self.wake();
        }
    }

    /// Has the publisher take what waits.
    pub(super) fn wake(&self) {
        let has_publisher = lock(&self.wake).as_ref().is_some_and(|wake| wake());
        if !has_publisher {
            self.close();
        }
    }

    /// Fails if the keys of fingerprints are not known yet, so that no entry can be made.
    pub(super) fn check_keys(&self) -> Result<()> {
        if self.keys.is_provisional() { Err(unread()) } else { Ok(()) }
    }

    /// Ends publishing. The callers that wait get an error.
    pub(super) fn close(&self) {
        *lock(&self.wake) = None;
        let left = self.outgoing().close();
        for waiting in left {
            waiting.fail(&closed());
        }
    }

    /// Whether there is a publisher.
    pub(super) fn is_open(&self) -> bool {
        lock(&self.wake).is_some()
    }

    pub(super) fn outgoing(&self) -> MutexGuard<'_, Outgoing> {
        lock(&self.outgoing)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn stale() -> Error {
    let message = "the server of the revocation list has not answered for maxStaleness, so no \
                   token is accepted; see status() of its RedisRevocations";
    Error::new(Code::RevocationStale, message)
}

fn unread() -> Error {
    let message = "the revocation list has not been read from its server yet, so nothing was \
                   revoked; wait for RedisRevocations.open";
    Error::new(Code::RevocationStore, message)
}

fn closed() -> Error {
    let message = "the RedisRevocations of the revocation list is closed, so other processes do \
                   not hear of the revocation; close it after the last request";
    Error::new(Code::RevocationStore, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(answers_from_memory: bool) -> Remote {
        let terms = RemoteTerms { max_staleness: 1000, answers_from_memory };
        Remote::new(RemoteKeys::shared(&[7; 112]).unwrap(), terms, Box::new(|| true))
    }

    #[test]
    fn a_list_is_fresh_until_max_staleness_after_the_last_answer_and_never_before_the_first() {
        let remote = remote(false);
        assert_eq!(remote.check(|| 0).unwrap_err().code, Code::RevocationStale);
        remote.confirm(5000);
        assert!(remote.check(|| 6000).is_ok());
        assert_eq!(remote.check(|| 6001).unwrap_err().code, Code::RevocationStale);
        // An answer that is processed late does not take back a later one.
        remote.confirm(4000);
        assert!(remote.check(|| 6000).is_ok());
    }

    #[test]
    fn a_list_that_answers_from_memory_does_so_for_ever_once_it_has_all_rows() {
        let remote = remote(true);
        assert_eq!(remote.check(|| 0).unwrap_err().code, Code::RevocationStale);
        remote.confirm(0);
        assert!(remote.check(|| u64::MAX).is_ok());
    }
}
