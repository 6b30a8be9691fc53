//! Secrets on their way from one thread of the process to another.
//!
//! JavaScript threads exchange copies of values, and a secret is not to be copied that way. So one
//! leaves it here and sends a ticket; whoever has the ticket takes it out, once and soon.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use super::Kept;
use crate::clock::{Clock, SystemClock};
use crate::error::{Code, Error, Result};
use crate::id;

/// Bytes of a ticket.
pub const TICKET_LEN: usize = 16;
/// How long a ticket is good for, in milliseconds.
pub const TICKET_MILLIS: u32 = 60_000;
/// How many secrets may wait at a time.
pub const MAX_TICKETS: usize = 1024;

/// A number that nobody guesses.
pub type Ticket = [u8; TICKET_LEN];

/// Secrets that wait for their tickets.
pub struct Tickets {
    clock: Arc<dyn Clock>,
    waiting: Mutex<HashMap<Ticket, Waiting>>,
}

struct Waiting {
    secret: Kept,
    /// By the monotonic clock, in nanoseconds.
    until: u64,
}

/// The table of the process.
pub fn tickets() -> &'static Tickets {
    static TICKETS: LazyLock<Tickets> = LazyLock::new(|| Tickets::new(Arc::new(SystemClock)));
    &TICKETS
}

impl Tickets {
    /// A table of its own; the process has one, tests have others.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, waiting: Mutex::default() }
    }

    /// Leaves a secret: another owner of the same bytes. `ERR_SECRET_TICKET` when [`MAX_TICKETS`]
    /// are waiting, `ERR_RANDOM`.
    pub fn leave(&self, secret: Kept) -> Result<Ticket> {
        let mut ticket = [0; TICKET_LEN];
        id::random_bytes(&mut ticket)?;
        let mut waiting = self.waiting();
        if waiting.len() >= MAX_TICKETS {
            return Err(Error::new(
                Code::SecretTicket,
                format!("{MAX_TICKETS} shared secrets wait to be adopted; adopt them first"),
            ));
        }
        let until =
            self.clock.monotonic_nanos().saturating_add(u64::from(TICKET_MILLIS) * 1_000_000);
        waiting.insert(ticket, Waiting { secret, until });
        Ok(ticket)
    }

    /// Takes a secret out. `ERR_SECRET_TICKET` when the ticket is unknown, used or expired.
    pub fn take(&self, ticket: &Ticket) -> Result<Kept> {
        self.waiting().remove(ticket).map(|waiting| waiting.secret).ok_or_else(no_such_ticket)
    }

    /// Lets go of the secrets whose tickets have expired.
    pub fn expire(&self) {
        drop(self.waiting());
    }

    /// Lets go of all secrets: their tickets are good for nothing any more.
    pub fn clear(&self) {
        self.waiting().clear();
    }

    /// The table without what has expired.
    fn waiting(&self) -> MutexGuard<'_, HashMap<Ticket, Waiting>> {
        let now = self.clock.monotonic_nanos();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, waiting| waiting.until > now);
        waiting
    }
}

/// The answer to a ticket that nothing waits for.
pub fn no_such_ticket() -> Error {
    Error::new(
        Code::SecretTicket,
        format!(
            "the ticket is unknown, was used or has expired; adopt a shared secret once, within \
             {} seconds, in the same process",
            TICKET_MILLIS / 1000
        ),
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::ManualClock;
    use crate::mem::Secret;

    fn secret() -> Kept {
        Kept::new(Secret::copy_from(b"secret").unwrap()).unwrap()
    }

    #[test]
    fn once() {
        let tickets = Tickets::new(Arc::new(ManualClock::default()));
        let ticket = tickets.leave(secret()).unwrap();
        assert_ne!(ticket, tickets.leave(secret()).unwrap());
        assert!(tickets.take(&ticket).unwrap().with(|secret| secret.ct_eq(b"secret")).unwrap());
        assert_eq!(tickets.take(&ticket).unwrap_err(), no_such_ticket());
        assert_eq!(tickets.take(&[0; TICKET_LEN]).unwrap_err(), no_such_ticket());
    }

    #[test]
    fn soon() {
        let clock = Arc::new(ManualClock::default());
        let tickets = Tickets::new(Arc::clone(&clock) as _);
        let (one, other) = (tickets.leave(secret()).unwrap(), tickets.leave(secret()).unwrap());
        clock.advance(Duration::from_millis(u64::from(TICKET_MILLIS) - 1));
        assert!(tickets.take(&one).is_ok());
        clock.advance(Duration::from_millis(1));
        tickets.expire();
        assert!(tickets.waiting.lock().unwrap().is_empty());
        assert_eq!(tickets.take(&other).unwrap_err(), no_such_ticket());
    }

    #[test]
    fn few() {
        let clock = Arc::new(ManualClock::default());
        let tickets = Tickets::new(Arc::clone(&clock) as _);
        for _ in 0..MAX_TICKETS {
            tickets.leave(secret()).unwrap();
        }
        assert_eq!(tickets.leave(secret()).unwrap_err().code, Code::SecretTicket);
        clock.advance(Duration::from_secs(60));
        let ticket = tickets.leave(secret()).unwrap();
        tickets.clear();
        assert_eq!(tickets.take(&ticket).unwrap_err(), no_such_ticket());
    }
}
