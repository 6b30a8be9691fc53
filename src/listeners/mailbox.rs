//! Changes that wait for a listener on another thread.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most changes that wait.
pub const MAX_WAITING: usize = 10_000;

/// The changes that a listener has not taken yet, at most [`MAX_WAITING`]. If more come while its
/// thread is busy, the oldest are dropped and counted, so that it always gets the newest.
#[derive(Debug)]
pub struct Mailbox<T>(Mutex<State<T>>);

/// The changes that a listener takes.
#[derive(Debug, PartialEq, Eq)]
pub struct Mail<T> {
    /// The number of changes before these that were dropped.
    pub missed: u64,
    /// The changes, in their order.
    pub changes: VecDeque<T>,
}

#[derive(Debug)]
struct State<T> {
    mail: Mail<T>,
    /// Whether the listener has been called since it took changes last.
    is_called: bool,
}

impl<T> Default for Mail<T> {
    fn default() -> Self {
        Self { missed: 0, changes: VecDeque::new() }
    }
}

impl<T> Default for Mailbox<T> {
    fn default() -> Self {
        Self(Mutex::new(State { mail: Mail::default(), is_called: false }))
    }
}

impl<T: Clone> Mailbox<T> {
    /// Adds changes. Returns whether the listener must be called: once for all that it then takes.
    pub fn put(&self, changes: &[T]) -> bool {
        let mut state = self.lock();
        for change in changes {
            if state.mail.changes.len() == MAX_WAITING {
                state.mail.changes.pop_front();
                state.mail.missed += 1;
            }
            state.mail.changes.push_back(change.clone());
        }
        !std::mem::replace(&mut state.is_called, true)
    }

    /// Takes all changes.
    pub fn take(&self) -> Mail<T> {
        let mut state = self.lock();
        state.is_called = false;
        std::mem::take(&mut state.mail)
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_called_once_for_all_changes_until_it_takes_them() {
        let mailbox = Mailbox::default();
        assert!(mailbox.put(&[1]));
        assert!(!mailbox.put(&[2, 3]));
        assert_eq!(mailbox.take(), Mail { missed: 0, changes: [1, 2, 3].into() });
        assert!(mailbox.put(&[4]));
        assert_eq!(mailbox.take(), Mail { missed: 0, changes: [4].into() });
        assert_eq!(mailbox.take(), Mail::default());
    }

    #[test]
    fn a_listener_that_takes_nothing_misses_the_oldest_changes_and_learns_their_number() {
        let mailbox = Mailbox::default();
        let all: Vec<usize> = (0..MAX_WAITING + 7).collect();
        mailbox.put(&all[..5]);
        mailbox.put(&all[5..]);
        let Mail { missed, changes } = mailbox.take();
        assert_eq!(missed, 7);
        assert_eq!(changes, &all[7..]);
        mailbox.put(&[0]);
        assert_eq!(mailbox.take().missed, 0);
    }
}
