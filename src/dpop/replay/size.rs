//! The size of a table.

/// The fewest proofs for which a table is made.
pub const MIN_ENTRIES: usize = 64;
/// The most proofs for which a table is made.
pub const MAX_ENTRIES: usize = 1 << 26;
/// The number of proofs that fit unless a caller says otherwise: 2900 a second for 90 seconds.
pub const DEFAULT_ENTRIES: usize = 1 << 18;

/// Words of a bucket: two lines of the processor's cache.
pub(super) const BUCKET: usize = 16;

/// The words of a table of this many proofs, without its header. The number of buckets is even.
pub(super) fn slots_for(max_entries: usize) -> usize {
    (max_entries * 2).next_multiple_of(2 * BUCKET)
}
