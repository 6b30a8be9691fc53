//! The latest time at which a token whose id is on a list may have been issued. The clock of its
//! issuer may be ahead, so that its id looks later than the present.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::id::uuid_v7_millis;

/// Times in milliseconds since 1970.
#[derive(Default)]
pub(super) struct LatestIssue {
    /// The latest time in an id that this process has revoked.
    stated: AtomicU64,
    /// When the list got an entry last of which only the fingerprint is known.
    unknown: AtomicU64,
}

impl LatestIssue {
    /// Notes a token that is revoked by its id.
    pub(super) fn note(&self, id: &str) {
        if let Some(made) = uuid_v7_millis(id) {
            self.stated.fetch_max(made, Ordering::Relaxed);
        }
    }

    /// Notes an entry whose id nobody knows here.
    pub(super) fn note_unknown(&self, now: u64) {
        self.unknown.fetch_max(now, Ordering::Relaxed);
    }

    /// The latest time of issue of a token that has been accepted by verifiers with this tolerance,
    /// at least `now`. No id makes it later: anybody may have chosen it.
    pub(super) fn until(&self, now: u64, tolerance: u64) -> u64 {
        let later = |time: u64| time.saturating_add(tolerance.saturating_mul(1000));
        let stated = self.stated.load(Ordering::Relaxed).min(later(now));
        let unknown = match self.unknown.load(Ordering::Relaxed) {
            0 => 0,
            time => later(time),
        };
        now.max(stated).max(unknown)
    }
}
