//! Whether the last access to a store succeeded, for readers that answer from memory.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::error::{Code, Result};

#[derive(Debug, Default)]
pub(super) struct Health(AtomicU8);

const WELL: u8 = 0;
const UNREADABLE: u8 = 1;
const CORRUPT: u8 = 2;

impl Health {
    /// Notes the result of a commit or a look. A full or busy store can still be read. Damage is
    /// final: a later look may not touch it again.
    pub(super) fn note<T>(&self, result: &Result<T>) {
        let (from, to) = match result.as_ref().map_err(|error| error.code) {
            Ok(_) => (UNREADABLE, WELL),
            Err(Code::StoreCorrupt | Code::StoreKey) => {
                self.0.store(CORRUPT, Ordering::Release);
                return;
            }
            Err(Code::StoreOpen | Code::Internal) => (WELL, UNREADABLE),
            Err(_) => return,
        };
        // Another value is damage, or what it would become.
        let _ = self.0.compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// The code of the failure that readers must assume; `None` if all is well.
    pub(super) fn failing(&self) -> Option<Code> {
        match self.0.load(Ordering::Acquire) {
            WELL => None,
            UNREADABLE => Some(Code::StoreOpen),
            _ => Some(Code::StoreCorrupt),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fault::{busy, cannot_open, corrupt};
    use super::*;

    #[test]
    fn a_failure_ends_with_the_next_success_and_damage_never_ends() {
        let health = Health::default();
        health.note(&Err::<(), _>(busy()));
        assert_eq!(health.failing(), None);
        health.note(&Err::<(), _>(cannot_open("no disk")));
        assert_eq!(health.failing(), Some(Code::StoreOpen));
        health.note(&Ok(()));
        assert_eq!(health.failing(), None);
        health.note(&Err::<(), _>(corrupt("a test")));
        health.note(&Ok(()));
        health.note(&Err::<(), _>(cannot_open("no disk")));
        assert_eq!(health.failing(), Some(Code::StoreCorrupt));
    }
}
