//! Keys and overflow cells of another shard: a smaller one, or one of a snapshot.

use super::Slots;
use crate::limiter::buckets::Buckets;
use crate::limiter::layout::{Layout, MIN_BUCKETS};
use crate::limiter::state::Moment;
use crate::limiter::view::View;

impl Slots {
    /// Gives an empty shard this many buckets, if it may have as many. The error is that there is
    /// no memory.
    pub(in crate::limiter) fn resize_empty(&mut self, buckets: usize) -> Result<bool, NoMemory> {
        if !(MIN_BUCKETS..=self.max_buckets).contains(&buckets) {
            return Ok(false);
        }
        let layout = Layout { buckets, ..self.buckets.layout };
        self.buckets = Buckets::new(layout).ok_or(NoMemory)?;
        Ok(true)
    }

    /// Puts a key or a block into the slot that it had in a shard of the same size. Returns whether
    /// its fingerprint can lie there and has no slot yet.
    pub(in crate::limiter) fn put_back(
        &mut self,
        (bucket, lane): (usize, usize),
        fingerprint: u64,
        words: &[u64],
        now: Moment,
    ) -> bool {
        let Some(walk) = self.buckets.layout.walk_to(fingerprint, bucket) else { return false };
        if self.has_slot(fingerprint, now) {
            return false;
        }
        self.put(self.buckets.place(bucket, lane, walk), fingerprint, words, now);
        true
    }

    /// Whether a fingerprint, which is odd for a block, has a slot.
    pub(in crate::limiter) fn has_slot(&self, fingerprint: u64, now: Moment) -> bool {
        self.locate(fingerprint, now).is_some()
    }

    /// Raises the overflow cells of the keys that a cell of another shard may have decided to the
    /// words of that cell: the end of a block, and a word for each limit.
    pub(in crate::limiter) fn raise_cells(&mut self, other: Layout, number: usize, words: &[u64]) {
        let layout = self.buckets.layout;
        for cell in self.buckets.cells_mut(layout.cells_of(other, number)) {
            for (cell, word) in cell.iter_mut().zip(words) {
                *cell = (*cell).max(*word);
                self.overflow_until = self.overflow_until.max(*word);
            }
        }
    }
}

/// There is no memory for a shard.
pub(in crate::limiter) struct NoMemory;
