//! The hand-over of secrets from one thread of the process to another.
//!
//! JavaScript threads exchange copies of values, and a secret must not be copied that way. So a
//! thread leaves the secret here and sends its id, which users know as a ticket. The thread that
//! receives the id takes the secret out, once and within a minute.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::stored_secret::StoredSecret;
use crate::clock::{Clock, SystemClock};
use crate::error::{Code, Error, Result};
use crate::id;

/// Bytes of an id.
pub const HANDOVER_ID_LEN: usize = 16;
/// How long a secret waits to be adopted, in milliseconds.
pub(super) const LIFETIME_MILLIS: u32 = 60_000;
/// The most secrets that wait at a time.
pub(super) const MAX_HANDOVERS: usize = 1024;

/// A random id of a waiting secret.
pub(super) type HandoverId = [u8; HANDOVER_ID_LEN];

/// Secrets that wait to be adopted.
pub struct Handovers {
    clock: Arc<dyn Clock>,
    lifetime: Duration,
    table: Mutex<Table>,
    /// Signalled when no secret is waiting.
    emptied: Condvar,
}

#[derive(Default)]
struct Table {
    waiting: HashMap<HandoverId, Waiting>,
    /// Whether a thread drops expired secrets.
    is_watched: bool,
}

struct Waiting {
    secret: StoredSecret,
    /// The expiry by the monotonic clock, in nanoseconds.
    until: u64,
}

/// The table of the process.
pub fn handovers() -> &'static Arc<Handovers> {
    static HANDOVERS: LazyLock<Arc<Handovers>> = LazyLock::new(|| {
        let lifetime = Duration::from_millis(LIFETIME_MILLIS.into());
        Arc::new(Handovers::new(Arc::new(SystemClock), lifetime))
    });
    &HANDOVERS
}

impl Handovers {
    /// A separate table. The process has one; tests have others.
    pub fn new(clock: Arc<dyn Clock>, lifetime: Duration) -> Self {
        Self { clock, lifetime, table: Mutex::default(), emptied: Condvar::new() }
    }

    /// Leaves a secret, as another owner of the same bytes. Fails with `ERR_SECRET_TICKET` if
    /// [`MAX_HANDOVERS`] already wait or if there is no memory, and with `ERR_RANDOM`.
    pub fn leave(self: &Arc<Self>, secret: StoredSecret) -> Result<HandoverId> {
        let mut handover = [0; HANDOVER_ID_LEN];
        id::random_bytes(&mut handover)?;
        let mut table = self.table();
        if table.waiting.len() >= MAX_HANDOVERS {
            return Err(Error::new(
                Code::SecretTicket,
                format!("{MAX_HANDOVERS} shared secrets wait to be adopted; adopt them first"),
            ));
        }
        table.waiting.try_reserve(1).map_err(|_| {
            let message = "there is no memory for another shared secret; adopt those that wait, or \
                           give the process more";
            Error::new(Code::SecretTicket, message)
        })?;
        let lifetime = u64::try_from(self.lifetime.as_nanos()).unwrap_or(u64::MAX);
        let until = self.clock.monotonic_nanos().saturating_add(lifetime);
        table.waiting.insert(handover, Waiting { secret, until });
        if !table.is_watched {
            table.is_watched = self.watch();
        }
        Ok(handover)
    }

    /// Takes a secret out. Fails with `ERR_SECRET_TICKET` if the id is unknown, used or expired.
    pub fn take(&self, handover: &HandoverId) -> Result<StoredSecret> {
        let mut table = self.table();
        let found = table.waiting.remove(handover).map(|waiting| waiting.secret);
        if table.waiting.is_empty() {
            self.emptied.notify_all();
        }
        found.ok_or_else(unknown_handover)
    }

    /// Drops the secrets that have expired.
    pub fn expire(&self) {
        drop(self.table());
    }

    /// Drops all secrets.
    pub fn clear(&self) {
        self.table().waiting.clear();
        self.emptied.notify_all();
    }

    /// The table, after removing expired secrets.
    fn table(&self) -> MutexGuard<'_, Table> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        self.sweep(&mut table);
        table
    }

    fn sweep(&self, table: &mut Table) {
        let now = self.clock.monotonic_nanos();
        table.waiting.retain(|_, waiting| waiting.until > now);
    }

    /// Starts the thread that drops expired secrets, even if the thread that left them has ended.
    /// If the system refuses a thread, the next call drops them.
    fn watch(self: &Arc<Self>) -> bool {
        let handovers = Arc::clone(self);
        let thread = thread::Builder::new().name("nodesec-tickets".into()).stack_size(128 * 1024);
        thread.spawn(move || handovers.keep_watch()).is_ok()
    }

    /// Runs until no secret is waiting.
    fn keep_watch(&self) {
        let mut table = self.table();
        while let Some(next) = table.waiting.values().map(|waiting| waiting.until).min() {
            let pause = next.saturating_sub(self.clock.monotonic_nanos());
            let woken = self.emptied.wait_timeout(table, Duration::from_nanos(pause));
            table = woken.unwrap_or_else(PoisonError::into_inner).0;
            self.sweep(&mut table);
        }
        table.is_watched = false;
    }
}

/// The error for an id that names no waiting secret.
pub fn unknown_handover() -> Error {
    Error::new(
        Code::SecretTicket,
        format!(
            "the ticket is unknown, was used or has expired; adopt a shared secret once, within \
             {} seconds, in the same process",
            LIFETIME_MILLIS / 1000
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::secret::Secret;
    use crate::testing::allocations::out_of_memory;

    fn secret() -> StoredSecret {
        StoredSecret::new(Secret::copy_from(b"secret").unwrap()).unwrap()
    }

    fn table(clock: Arc<dyn Clock>) -> Arc<Handovers> {
        Arc::new(Handovers::new(clock, Duration::from_millis(LIFETIME_MILLIS.into())))
    }

    #[test]
    fn a_secret_is_taken_once() {
        let handovers = table(Arc::new(ManualClock::default()));
        let id = handovers.leave(secret()).unwrap();
        assert_ne!(id, handovers.leave(secret()).unwrap());
        assert!(handovers.take(&id).unwrap().with(|secret| secret.ct_eq(b"secret")).unwrap());
        assert_eq!(handovers.take(&id).unwrap_err(), unknown_handover());
        assert_eq!(handovers.take(&[0; HANDOVER_ID_LEN]).unwrap_err(), unknown_handover());
    }

    #[test]
    fn a_secret_expires_after_its_lifetime() {
        let clock = Arc::new(ManualClock::default());
        let handovers = table(Arc::clone(&clock) as _);
        let (one, other) = (handovers.leave(secret()).unwrap(), handovers.leave(secret()).unwrap());
        clock.advance(Duration::from_millis(u64::from(LIFETIME_MILLIS) - 1));
        assert!(handovers.take(&one).is_ok());
        clock.advance(Duration::from_millis(1));
        handovers.expire();
        assert!(handovers.table.lock().unwrap().waiting.is_empty());
        assert_eq!(handovers.take(&other).unwrap_err(), unknown_handover());
    }

    #[test]
    fn more_than_the_limit_are_refused_until_some_expire() {
        let clock = Arc::new(ManualClock::default());
        let handovers = table(Arc::clone(&clock) as _);
        for _ in 0..MAX_HANDOVERS {
            handovers.leave(secret()).unwrap();
        }
        assert_eq!(handovers.leave(secret()).unwrap_err().code, Code::SecretTicket);
        clock.advance(Duration::from_secs(60));
        let id = handovers.leave(secret()).unwrap();
        handovers.clear();
        assert_eq!(handovers.take(&id).unwrap_err(), unknown_handover());
    }

    #[test]
    fn a_secret_without_memory_is_refused_and_does_not_wait() {
        let handovers = table(Arc::new(ManualClock::default()));
        let mut refused = 0;
        for waiting in 0..MAX_HANDOVERS {
            let secret = secret();
            let left = out_of_memory(1024, 0, || handovers.leave(secret.clone()));
            if let Err(error) = left {
                assert_eq!(error.code, Code::SecretTicket);
                assert_eq!(handovers.table().waiting.len(), waiting);
                handovers.leave(secret).unwrap();
                refused += 1;
            }
        }
        assert!(refused > 2, "{refused}");
    }

    #[test]
    fn an_expired_secret_is_dropped_without_another_call() {
        let handovers = Arc::new(Handovers::new(Arc::new(SystemClock), Duration::from_millis(5)));
        for _ in 0..2 {
            handovers.leave(secret()).unwrap();
            handovers.leave(secret()).unwrap();
            // Not the method `table`, which would drop them itself.
            let table = || handovers.table.lock().unwrap();
            while !table().waiting.is_empty() || table().is_watched {
                thread::yield_now();
            }
        }
    }

    #[test]
    fn the_watch_ends_with_the_last_secret() {
        let handovers = table(Arc::new(SystemClock));
        let is_watched = || handovers.table.lock().unwrap().is_watched;
        let id = handovers.leave(secret()).unwrap();
        assert!(is_watched());
        handovers.take(&id).unwrap();
        while is_watched() {
            thread::yield_now();
        }
    }
}
