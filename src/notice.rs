//! Conditions of the process that its audit trail is told of, each once.

use std::sync::atomic::{AtomicU8, Ordering};

/// A condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Secrets are in memory that is not both locked and left out of core dumps.
    Degraded,
    /// A secret is kept outside of the secure heap, encrypted, because the heap is full.
    Overflowed,
}

/// The notices that wait to be taken, and those that have ever been left.
pub struct Notices {
    waiting: AtomicU8,
    known: AtomicU8,
}

/// The notices of the process.
pub static NOTICES: Notices = Notices::new();

impl Notice {
    const ALL: [Self; 2] = [Self::Degraded, Self::Overflowed];

    /// The name by which the façade knows it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Degraded => "degraded",
            Self::Overflowed => "overflowed",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl Notices {
    const fn new() -> Self {
        Self { waiting: AtomicU8::new(0), known: AtomicU8::new(0) }
    }

    /// Leaves a notice, unless it has been left before.
    pub fn leave(&self, notice: Notice) {
        let bit = notice.bit();
        if self.known.load(Ordering::Relaxed) & bit == 0
            && self.known.fetch_or(bit, Ordering::Relaxed) & bit == 0
        {
            self.waiting.fetch_or(bit, Ordering::Release);
        }
    }

    /// Takes a notice that waits. Cheap enough to call after every export.
    pub fn take(&self) -> Option<Notice> {
        let waiting = self.waiting.load(Ordering::Acquire);
        let notice = Notice::ALL.into_iter().find(|notice| waiting & notice.bit() != 0)?;
        let before = self.waiting.fetch_and(!notice.bit(), Ordering::AcqRel);
        // Otherwise another thread has taken it meanwhile.
        (before & notice.bit() != 0).then_some(notice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_taken_once_however_often_it_is_left() {
        let notices = Notices::new();
        assert_eq!(notices.take(), None);
        notices.leave(Notice::Overflowed);
        notices.leave(Notice::Degraded);
        notices.leave(Notice::Overflowed);
        assert_eq!(notices.take(), Some(Notice::Degraded));
        assert_eq!(notices.take(), Some(Notice::Overflowed));
        notices.leave(Notice::Overflowed);
        assert_eq!(notices.take(), None);
    }
}
