//! Secrets on their way from one thread of the process to another.
//!
//! JavaScript threads exchange copies of values, and a secret is not to be copied that way. So one
//! leaves it here and sends a ticket; whoever has the ticket takes it out, once and soon.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::stored_secret::StoredSecret;
use crate::clock::{Clock, SystemClock};
use crate::error::{Code, Error, Result};
use crate::id;

/// Bytes of a ticket.
pub const HANDOVER_ID_LEN: usize = 16;
/// How long a ticket is good for, in milliseconds.
pub const LIFETIME_MILLIS: u32 = 60_000;
/// How many secrets may wait at a time.
pub const MAX_HANDOVERS: usize = 1024;

/// A number that nobody guesses.
pub type HandoverId = [u8; HANDOVER_ID_LEN];

/// Secrets that wait for their tickets.
pub struct Handovers {
    clock: Arc<dyn Clock>,
    lifetime: Duration,
    table: Mutex<Table>,
    /// The table has become empty.
    emptied: Condvar,
}

#[derive(Default)]
struct Table {
    waiting: HashMap<HandoverId, Waiting>,
    /// Whether a thread sees to it that what expires is let go of.
    is_watched: bool,
}

struct Waiting {
    secret: StoredSecret,
    /// By the monotonic clock, in nanoseconds.
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
    /// A table of its own; the process has one, tests have others.
    pub fn new(clock: Arc<dyn Clock>, lifetime: Duration) -> Self {
        Self { clock, lifetime, table: Mutex::default(), emptied: Condvar::new() }
    }

    /// Leaves a secret: another owner of the same bytes. `ERR_SECRET_TICKET` when [`MAX_HANDOVERS`]
    /// are waiting, `ERR_RANDOM`.
    pub fn leave(self: &Arc<Self>, secret: StoredSecret) -> Result<HandoverId> {
        let mut ticket = [0; HANDOVER_ID_LEN];
        id::random_bytes(&mut ticket)?;
        let mut table = self.table();
        if table.waiting.len() >= MAX_HANDOVERS {
            return Err(Error::new(
                Code::SecretTicket,
                format!("{MAX_HANDOVERS} shared secrets wait to be adopted; adopt them first"),
            ));
        }
        let lifetime = u64::try_from(self.lifetime.as_nanos()).unwrap_or(u64::MAX);
        let until = self.clock.monotonic_nanos().saturating_add(lifetime);
        table.waiting.insert(ticket, Waiting { secret, until });
        if !table.is_watched {
            table.is_watched = self.watch();
        }
        Ok(ticket)
    }

    /// Takes a secret out. `ERR_SECRET_TICKET` when the ticket is unknown, used or expired.
    pub fn take(&self, ticket: &HandoverId) -> Result<StoredSecret> {
        let mut table = self.table();
        let found = table.waiting.remove(ticket).map(|waiting| waiting.secret);
        if table.waiting.is_empty() {
            self.emptied.notify_all();
        }
        found.ok_or_else(unknown_handover)
    }

    /// Lets go of the secrets whose tickets have expired.
    pub fn expire(&self) {
        drop(self.table());
    }

    /// Lets go of all secrets: their tickets are good for nothing any more.
    pub fn clear(&self) {
        self.table().waiting.clear();
        self.emptied.notify_all();
    }

    /// The table without what has expired.
    fn table(&self) -> MutexGuard<'_, Table> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        self.sweep(&mut table);
        table
    }

    fn sweep(&self, table: &mut Table) {
        let now = self.clock.monotonic_nanos();
        table.waiting.retain(|_, waiting| waiting.until > now);
    }

    /// Starts the thread that lets go of what nobody adopts, whatever becomes of the thread that
    /// left it. Without one, which the system may refuse, the next call does.
    fn watch(self: &Arc<Self>) -> bool {
        let tickets = Arc::clone(self);
        let thread = thread::Builder::new().name("nodesec-tickets".into()).stack_size(128 * 1024);
        thread.spawn(move || tickets.keep_watch()).is_ok()
    }

    /// Until nothing waits any more.
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

/// The answer to a ticket that nothing waits for.
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

    fn secret() -> StoredSecret {
        StoredSecret::new(Secret::copy_from(b"secret").unwrap()).unwrap()
    }

    fn tickets(clock: Arc<dyn Clock>) -> Arc<Handovers> {
        Arc::new(Handovers::new(clock, Duration::from_millis(LIFETIME_MILLIS.into())))
    }

    #[test]
    fn once() {
        let tickets = tickets(Arc::new(ManualClock::default()));
        let ticket = tickets.leave(secret()).unwrap();
        assert_ne!(ticket, tickets.leave(secret()).unwrap());
        assert!(tickets.take(&ticket).unwrap().with(|secret| secret.ct_eq(b"secret")).unwrap());
        assert_eq!(tickets.take(&ticket).unwrap_err(), unknown_handover());
        assert_eq!(tickets.take(&[0; HANDOVER_ID_LEN]).unwrap_err(), unknown_handover());
    }

    #[test]
    fn soon() {
        let clock = Arc::new(ManualClock::default());
        let tickets = tickets(Arc::clone(&clock) as _);
        let (one, other) = (tickets.leave(secret()).unwrap(), tickets.leave(secret()).unwrap());
        clock.advance(Duration::from_millis(u64::from(LIFETIME_MILLIS) - 1));
        assert!(tickets.take(&one).is_ok());
        clock.advance(Duration::from_millis(1));
        tickets.expire();
        assert!(tickets.table.lock().unwrap().waiting.is_empty());
        assert_eq!(tickets.take(&other).unwrap_err(), unknown_handover());
    }

    #[test]
    fn few() {
        let clock = Arc::new(ManualClock::default());
        let tickets = tickets(Arc::clone(&clock) as _);
        for _ in 0..MAX_HANDOVERS {
            tickets.leave(secret()).unwrap();
        }
        assert_eq!(tickets.leave(secret()).unwrap_err().code, Code::SecretTicket);
        clock.advance(Duration::from_secs(60));
        let ticket = tickets.leave(secret()).unwrap();
        tickets.clear();
        assert_eq!(tickets.take(&ticket).unwrap_err(), unknown_handover());
    }

    #[test]
    fn what_nobody_adopts_is_let_go_of_without_another_call() {
        let tickets = Arc::new(Handovers::new(Arc::new(SystemClock), Duration::from_millis(5)));
        for _ in 0..2 {
            tickets.leave(secret()).unwrap();
            tickets.leave(secret()).unwrap();
            // Not `table()`, which would let go of them itself.
            let table = || tickets.table.lock().unwrap();
            while !table().waiting.is_empty() || table().is_watched {
                thread::yield_now();
            }
        }
    }

    #[test]
    fn the_watch_ends_with_the_last_ticket() {
        let tickets = tickets(Arc::new(SystemClock));
        let is_watched = || tickets.table.lock().unwrap().is_watched;
        let ticket = tickets.leave(secret()).unwrap();
        assert!(is_watched());
        tickets.take(&ticket).unwrap();
        while is_watched() {
            thread::yield_now();
        }
    }
}
