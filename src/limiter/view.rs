//! A table, as the search for a slot sees it.

use super::layout::{Layout, Place, WAYS};
use super::state::Moment;

/// The mark of a fingerprint whose slot says until when its key is blocked.
pub(super) const BLOCK: u64 = 1;

/// The slots of a table, in buckets.
pub(super) trait View {
    /// Where they lie.
    fn layout(&self) -> Layout;

    /// A slot of a bucket.
    fn place(&self, bucket: usize, lane: usize, walk: usize) -> Place;

    /// The fingerprint in a slot.
    fn fingerprint(&self, place: Place) -> u64;

    /// The word of a limit in a slot.
    fn word(&self, place: Place, column: usize) -> u64;

    /// The word at which nothing is left of a slot's debts.
    fn until(&self, place: Place) -> u64 {
        (0..self.layout().limits).map(|column| self.word(place, column)).max().unwrap_or(0)
    }

    /// A slot of a bucket that a fingerprint has had before.
    fn former(&self, bucket: usize, walk: usize, fingerprint: u64) -> Option<Place>;

    /// The slot of a bucket that expires first, with its word, and the number of free slots.
    fn least(&self, bucket: usize, walk: usize, now: Moment) -> Least {
        let mut least = (0, u64::MAX);
        let mut free = 0;
        for lane in 0..WAYS {
            let until = self.until(self.place(bucket, lane, walk));
            free += usize::from(until <= now.word);
            if until < least.1 {
                least = (lane, until);
            }
        }
        Least { place: self.place(bucket, least.0, walk), until: least.1, free }
    }
}

/// The slot of a bucket that expires first.
pub(super) struct Least {
    pub place: Place,
    /// The word at which nothing is left of its debts; 0 if it was never used.
    pub until: u64,
    /// The number of free slots of the bucket.
    pub free: usize,
}
