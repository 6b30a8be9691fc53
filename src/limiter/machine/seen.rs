//! The table at a moment.

use std::sync::atomic::Ordering::{Acquire, SeqCst};

use super::owner::{CLAIM, TAG};
use super::table::{Table, Target};
use crate::limiter::layout::{Layout, Place, WAYS};
use crate::limiter::state::Moment;
use crate::limiter::view::{BLOCK, View};

impl Table {
    /// Calls `visit` with every slot that has not expired. `visit` also gets whether the
    /// slot is that of a block.
    pub(super) fn each(&self, now: Moment, mut visit: impl FnMut(Target, bool)) {
        let seen = Seen { table: self, now };
        for bucket in 0..self.layout.buckets {
            for lane in 0..WAYS {
                let place = seen.place(bucket, lane, 0);
                let owner = self.at(place.index).load(Acquire);
                if seen.until(place) > now.word {
                    visit(Self::target(place, owner), owner & BLOCK != 0);
                }
            }
        }
    }
}

/// The table at a moment, for the search for a slot. A slot that is claimed is free, because its
/// claim can be taken away, but one that has expired is better.
pub(super) struct Seen<'a> {
    pub table: &'a Table,
    pub now: Moment,
}

impl View for Seen<'_> {
    fn layout(&self) -> Layout {
        self.table.layout
    }

    fn place(&self, bucket: usize, lane: usize, walk: usize) -> Place {
        Place { index: self.table.layout.bucket(bucket) + lane, walk }
    }

    fn fingerprint(&self, place: Place) -> u64 {
        self.table.at(place.index).load(Acquire) & TAG
    }

    fn word(&self, place: Place, column: usize) -> u64 {
        self.table.at(place.index + WAYS * (1 + column)).load(SeqCst)
    }

    fn until(&self, place: Place) -> u64 {
        let first = self.word(place, 0);
        if first & CLAIM != 0 {
            return self.now.word;
        }
        (1..self.table.layout.limits).map(|column| self.word(place, column)).fold(first, u64::max)
    }

    /// A claimer looks for such a slot itself.
    fn former(&self, _: usize, _: usize, _: u64) -> Option<Place> {
        None
    }
}
