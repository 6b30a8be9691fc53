//! The latest time that a clock has shown.

use std::sync::atomic::{AtomicU64, Ordering};

/// A time further ahead than this is an error of the clock, and not a small correction. It is the
/// largest tolerance of verifiers, so they refuse a token that is dated later.
pub(super) const MAX_LEAD_MILLIS: u64 = 300_000;

/// Records in `latest` that a clock shows `now`; both in milliseconds since 1970. Nearly all calls
/// only read, because the time changes once a millisecond.
pub fn note_latest(latest: &AtomicU64, now: u64) {
    let noted = latest.load(Ordering::Relaxed);
    if now > noted {
        latest.fetch_max(now, Ordering::Relaxed);
    } else if noted - now > MAX_LEAD_MILLIS {
        // If another thread was first, its time counts.
        let _ = latest.compare_exchange(noted, now, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// The latest time, in milliseconds since 1970.
#[derive(Debug, Default)]
pub(super) struct Latest(AtomicU64);

impl Latest {
    pub(super) const fn new(millis: u64) -> Self {
        Self(AtomicU64::new(millis))
    }

    /// Records that the clock shows `now`.
    pub(super) fn note(&self, now: u64) {
        note_latest(&self.0, now);
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
