//! The search for the slot of a key.

use std::hint::black_box;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use super::header::word;
use super::owner::{CLAIM, TAG, tag};
use super::table::{Table, Target};
use crate::limiter::layout::{Place, WAYS};
use crate::limiter::state::Moment;
use crate::os::prefetch;

impl Table {
    /// Starts to fetch the first bucket of a fingerprint.
    #[inline]
    pub(super) fn prefetch(&self, fingerprint: u64) {
        let index = self.layout.bucket(self.layout.first(fingerprint));
        prefetch(self.at(index));
        prefetch(self.at(index + WAYS));
    }

    /// The key's slot, and its control word.
    #[inline]
    pub(super) fn locate(&self, fingerprint: u64, now: Moment) -> Option<(Target, u64)> {
        let tag = tag(fingerprint);
        let first = self.layout.first(fingerprint);
        if let Some(found) = self.slot(first, 0, tag) {
            return Some(found);
        }
        let second = self.layout.second(fingerprint, first);
        if let Some(found) = self.slot(second, 0, tag) {
            return Some(found);
        }
        if !self.is_ahead(word::WALK_UNTIL, now) {
            return None;
        }
        (1..=self.walk()).find_map(|walk| self.slot(self.layout.after(second, walk), walk, tag))
    }

    /// How far behind its buckets a key may be.
    pub(super) fn walk(&self) -> usize {
        let walk = self.header()[word::WALK].load(SeqCst);
        usize::try_from(walk).unwrap_or(usize::MAX).min(self.layout.max_walk())
    }

    /// The slot of a bucket with a tag.
    #[inline]
    fn slot(&self, bucket: usize, walk: usize, tag: u64) -> Option<(Target, u64)> {
        let start = self.layout.bucket(bucket);
        let words = self.from(start);
        let owners: &[AtomicU64; WAYS] = words.first_chunk()?;
        // As in `Buckets::slot`: compare all, and fetch the line of the control words meanwhile.
        black_box(words[WAYS].load(Relaxed));
        let mut hits = 0_u32;
        for (lane, owner) in owners.iter().enumerate() {
            hits |= u32::from(owner.load(Relaxed) & TAG == tag) << lane;
        }
        while hits != 0 {
            let lane = hits.trailing_zeros() as usize;
            hits &= hits - 1;
            match self.look(Place { index: start + lane, walk }, tag) {
                Look::Owned(target, word) => return Some((target, word)),
                Look::Claimed(_) | Look::Other => {}
            }
        }
        None
    }

    /// Whether a slot is that of a tag. The control word is one that it had while it was.
    #[inline]
    pub(super) fn look(&self, place: Place, tag: u64) -> Look {
        loop {
            let owner = self.at(place.index).load(SeqCst);
            let word = self.control(place).load(SeqCst);
            if word & CLAIM != 0 {
                return if word & TAG == tag { Look::Claimed(word) } else { Look::Other };
            }
            if self.at(place.index).load(SeqCst) == owner {
                return if owner & TAG == tag {
                    Look::Owned(Self::target(place, owner), word)
                } else {
                    Look::Other
                };
            }
        }
    }
}

/// A slot, as the search for a key sees it.
pub(super) enum Look {
    /// It is the key's.
    Owned(Target, u64),
    /// A claim for the key.
    Claimed(u64),
    /// It is not the key's.
    Other,
}
