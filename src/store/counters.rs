//! Counters of the transactions of a process.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters that a writer raises.
#[derive(Debug, Default)]
pub(super) struct Counters {
    transactions: AtomicU64,
    batches: AtomicU64,
    rows: AtomicU64,
    largest: AtomicU64,
}

/// The state of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreStats {
    /// Entries in the log, those of all processes.
    pub entries: u64,
    /// Records, those of all processes.
    pub records: u64,
    /// Bytes of all files of the store.
    pub bytes: u64,
    /// The last transaction that the database has.
    pub sequence: u64,
    /// Transactions that this process has committed since it opened the store.
    pub transactions: u64,
    /// Batches in these transactions.
    pub batches: u64,
    /// Rows that these transactions added; deleted ones are not counted.
    pub rows: u64,
    /// The most rows that one of these transactions added.
    pub largest_group: u64,
    /// When a loss was noticed last: see [`Store::lost_at`](super::Store::lost_at).
    pub lost_at: Option<u64>,
    /// Handles of this process that are open.
    pub openers: usize,
}

impl Counters {
    /// Counts a transaction.
    pub(super) fn count(&self, batches: usize, rows: usize) {
        let rows = rows as u64;
        self.transactions.fetch_add(1, Ordering::Relaxed);
        self.batches.fetch_add(batches as u64, Ordering::Relaxed);
        self.rows.fetch_add(rows, Ordering::Relaxed);
        self.largest.fetch_max(rows, Ordering::Relaxed);
    }

    /// Copies the counters into a state.
    pub(super) fn fill(&self, stats: &mut StoreStats) {
        stats.transactions = self.transactions.load(Ordering::Relaxed);
        stats.batches = self.batches.load(Ordering::Relaxed);
        stats.rows = self.rows.load(Ordering::Relaxed);
        stats.largest_group = self.largest.load(Ordering::Relaxed);
    }
}
