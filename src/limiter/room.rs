//! Finds a slot for a key that has none.

use super::layout::{Place, WAYS};
use super::limit::Limit;
use super::state::Moment;
use super::view::{BLOCK, Least, View};

/// A slot for a newcomer.
pub(super) enum Room {
    /// A free slot.
    Free(Place),
    /// The slot of a key in debt that may be forgotten.
    Victim(Place),
    /// The shard should grow.
    Grow,
    /// All slots are taken. The word that expires first.
    None(u64),
}

/// A search for a slot.
pub(super) struct Search<'a, V> {
    pub buckets: &'a V,
    pub limits: &'a [Limit],
    /// Whether the shard may grow.
    pub may_grow: bool,
    /// Whether a key in debt may be forgotten.
    pub may_forget: bool,
    pub now: Moment,
}

impl<V: View> Search<'_, V> {
    /// The slot for a fingerprint.
    pub(super) fn run(&self, fingerprint: u64) -> Room {
        let (first, second) = self.buckets.layout().choices(fingerprint);
        let one = self.buckets.least(first, 0, self.now);
        // A shard that grows instead of using second buckets has its keys where they are found
        // first. At its full size, a slot that was never used is as good.
        if one.free >= if self.may_grow { 1 } else { 3 } && (self.may_grow || one.until == 0) {
            return Room::Free(one.place);
        }
        if self.may_grow {
            return Room::Grow;
        }
        let other = self.buckets.least(second, 0, self.now);
        let is_first = if one.free >= 3 && other.free >= 3 {
            // The key that recovered first has left most likely. The others come back and want
            // their slots, which are not to change hands while others are unused.
            one.until <= other.until
        } else {
            // Even out the buckets before they are full.
            one.free >= other.free
        };
        let best = if is_first { one } else { other };
        if best.free > 0 {
            return Room::Free(best.place);
        }
        self.walk(fingerprint, first, second)
    }

    /// A slot in the buckets behind the second one, or a slot whose key may be forgotten.
    fn walk(&self, fingerprint: u64, first: usize, second: usize) -> Room {
        let layout = self.buckets.layout();
        let mut until = u64::MAX;
        let mut victim = None;
        let mut consider = |bucket, walk| {
            for lane in 0..WAYS {
                let place = self.buckets.place(bucket, lane, walk);
                let word = self.buckets.until(place);
                until = until.min(word);
                if victim.is_none_or(|(_, least)| word < least) && !self.is_blocked(place) {
                    victim = Some((place, word));
                }
            }
        };
        consider(first, 0);
        consider(second, 0);
        for walk in 1..=layout.max_walk() {
            let bucket = layout.after(second, walk);
            let Least { place, free, .. } = self.buckets.least(bucket, walk, self.now);
            if free > 0 {
                // A slot that this key had before must not stay beside the new one.
                return Room::Free(self.buckets.former(bucket, walk, fingerprint).unwrap_or(place));
            }
            consider(bucket, walk);
        }
        match victim {
            Some((place, _)) if self.may_forget => Room::Victim(place),
            _ => Room::None(until),
        }
    }

    /// Whether the key in a slot has to wait for its next unit, or the slot is that of a block.
    fn is_blocked(&self, place: Place) -> bool {
        self.buckets.fingerprint(place) & BLOCK != 0
            || self
                .limits
                .iter()
                .enumerate()
                .any(|(column, limit)| limit.blocks(self.buckets.word(place, column), self.now))
    }
}
