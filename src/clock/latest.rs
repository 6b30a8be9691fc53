//! The latest time that a clock has shown.

use std::sync::atomic::{AtomicU64, Ordering};

/// A time further ahead than this is an error of the clock, and not a small correction. It is the
/// largest tolerance of verifiers, so they refuse a token that is dated later.
pub(super) const MAX_LEAD_MILLIS: u64 = 300_000;

/// The latest time, in milliseconds since 1970.
#[derive(Debug, Default)]
pub(super) struct Latest(AtomicU64);

impl Latest {
    pub(super) const fn new(millis: u64) -> Self {
        Self(AtomicU64::new(millis))
    }

    /// Records that the clock shows `now`. Nearly all calls only read, because the time changes
    /// once a millisecond.
    pub(super) fn note(&self, now: u64) {
        let latest = self.0.load(Ordering::Relaxed);
        if now > latest {
            self.0.fetch_max(now, Ordering::Relaxed);
        } else if latest - now > MAX_LEAD_MILLIS {
            // If another thread was first, its time counts.
            let _ = self.0.compare_exchange(latest, now, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_step_back_is_remembered_and_a_large_one_is_not() {
        let latest = Latest::new(1_000_000);
        latest.note(1_000_000 - MAX_LEAD_MILLIS);
        assert_eq!(latest.get(), 1_000_000);
        latest.note(1_000_000 - MAX_LEAD_MILLIS - 1);
        assert_eq!(latest.get(), 1_000_000 - MAX_LEAD_MILLIS - 1);
        latest.note(2_000_000);
        assert_eq!(latest.get(), 2_000_000);
    }
}
