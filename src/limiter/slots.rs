//! A shard: the keys that it holds, and how it makes room.
//!
//! A key has a slot for its state. The state of a key without one is that of its overflow cell,
//! which has mostly no debt. If there is no free slot, the table forgets the key that recovers
//! first among those that are not blocked. A key is blocked if it has to wait for its next unit, or
//! by [`Slots::block`]. If all are blocked, the overflow cell is charged, which newcomers share. A
//! newcomer that gets a slot starts with the cell's state, so no key gains from being without one.

use std::hint::black_box;

use super::layout::{Layout, Place, WAYS};
use super::limit::{Limits, MAX_LIMITS};
use super::state::Moment;

/// The words of a key, one for each limit; those beyond the number of limits are 0. With one limit,
/// an array of one keeps calls fast.
pub(super) type Words = [u64; MAX_LIMITS];

/// The mark of a fingerprint whose slot says until when its key is blocked.
pub(super) const BLOCK: u64 = 1;

/// A shard that found no memory does not ask again for this time.
const GROW_AGAIN_NS: u64 = 1_000_000_000;

/// Buckets start at a multiple of this many words: at a cache line, and with one limit at a pair of
/// lines, which processors fetch together.
const ALIGNMENT: usize = 2 * WAYS;

/// What a shard has counted since it was made.
#[derive(Clone, Copy, Default)]
pub(super) struct Counters {
    /// Keys in debt that were forgotten.
    pub evictions: u64,
    /// Calls that an overflow cell decided, or that were refused for want of a slot.
    pub overflows: u64,
    /// Times at which there was no memory to grow.
    pub growth_failures: u64,
}

/// A shard.
pub(super) struct Slots {
    words: Vec<u64>,
    /// The index of the first word of the first bucket.
    start: usize,
    layout: Layout,
    max_buckets: usize,
    /// How far behind its buckets a key may lie, while [`Self::walk_until`] is ahead.
    walk: usize,
    /// No key behind its buckets has a larger word.
    walk_until: u64,
    /// No overflow cell has a larger word.
    overflow_until: u64,
    /// The number of slots of blocks.
    blocks: usize,
    grow_again_at: u64,
    limits: Limits,
    generation: u32,
    /// Whether newcomers are refused instead of forgetting a key.
    denies: bool,
    pub counters: Counters,
}

/// The state of a key.
pub(super) struct Found<const N: usize = MAX_LIMITS> {
    /// Its slot, if it has one.
    pub place: Option<Place>,
    /// Its words.
    pub words: [u64; N],
}

/// A slot for a newcomer.
enum Room {
    /// A free slot.
    Free(Place),
    /// The slot of a key in debt that may be forgotten.
    Victim(Place),
    /// Both buckets are full, and the shard may grow.
    Grow,
    /// All slots are taken. The word that expires first.
    None(u64),
}

impl Slots {
    /// A shard with this many buckets, or none if there is no memory.
    pub(super) fn new(
        buckets: usize,
        max_buckets: usize,
        denies: bool,
        limits: Limits,
    ) -> Option<Self> {
        let layout = Layout { buckets, limits: limits.len() };
        let (words, start) = allocate(layout)?;
        Some(Self {
            words,
            start,
            layout,
            max_buckets,
            walk: 0,
            walk_until: 0,
            overflow_until: 0,
            blocks: 0,
            grow_again_at: 0,
            limits,
            generation: 0,
            denies,
            counters: Counters::default(),
        })
    }

    /// The limits.
    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How often the limits were changed.
    pub(super) fn generation(&self) -> u32 {
        self.generation
    }

    /// The key's slot and state.
    #[expect(clippy::inline_always, reason = "returned through memory, the result stalls its reader")]
    #[inline(always)]
    pub(super) fn find<const N: usize>(&self, fingerprint: u64, now: Moment) -> Found<N> {
        let mut words = [0; N];
        let place = match self.locate(fingerprint, now) {
            Some((place, word)) => {
                words[0] = word;
                for (column, word) in words.iter_mut().enumerate() {
                    if column > 0 && column < self.layout.limits {
                        *word = self.words[self.state(place, column)];
                    }
                }
                Some(place)
            }
            None => {
                if self.overflow_until > now.word {
                    let cell = self.layout.cell(fingerprint);
                    let cell = &self.words[self.start + cell.start + 1..self.start + cell.end];
                    words[..cell.len()].copy_from_slice(cell);
                }
                None
            }
        };
        Found { place, words }
    }

    /// The word until which a key is blocked.
    #[inline]
    pub(super) fn blocked_until<const N: usize>(
        &self,
        fingerprint: u64,
        found: &Found<N>,
        now: Moment,
    ) -> u64 {
        if self.blocks > 0
            && let Some((_, until)) = self.locate(fingerprint | BLOCK, now)
        {
            return until;
        }
        if found.place.is_none() && self.overflow_until > now.word {
            return self.words[self.start + self.layout.cell(fingerprint).start];
        }
        0
    }

    /// Whether a key that was found is decided by its overflow cell, which has a debt.
    pub(super) fn is_overflowing<const N: usize>(&self, found: &Found<N>, now: Moment) -> bool {
        found.place.is_none()
            && self.overflow_until > now.word
            && found.words.iter().any(|word| *word > now.word)
    }

    /// Writes the state of a key that was found. Returns whether it has, or gets, a slot; if not,
    /// its overflow cell has the state, or nothing is written if newcomers are denied and may not
    /// overflow. The error is the word at which a slot may be free.
    #[inline]
    pub(super) fn write<const N: usize>(
        &mut self,
        fingerprint: u64,
        found: &Found<N>,
        words: &[u64; N],
        may_overflow: bool,
        now: Moment,
    ) -> Result<(), u64> {
        if let Some(place) = found.place {
            self.put_words(place, words);
            return Ok(());
        }
        self.insert(fingerprint, words, may_overflow, now)
    }

    /// Blocks a key until a word expires. Without a slot for the block, it takes the slot of the
    /// key's state, and then lasts until the key has recovered; or that of all keys without a slot
    /// is blocked.
    pub(super) fn block(&mut self, fingerprint: u64, until: u64, now: Moment) {
        let marked = fingerprint | BLOCK;
        let mut words = [0; MAX_LIMITS];
        words[0] = until;
        if let Some((place, _)) = self.locate(marked, now) {
            return self.put_words(place, &words);
        }
        match self.room(marked, now) {
            Room::Free(place) | Room::Victim(place) => {
                if self.words[place.index] == fingerprint {
                    words[0] = until.max(self.until(place));
                }
                self.put(place, marked, &words, now);
            }
            Room::Grow | Room::None(_) => {
                if let Some((place, _)) = self.locate(fingerprint, now) {
                    words[0] = until.max(self.until(place));
                    self.put(place, marked, &words, now);
                } else {
                    let cell = self.start + self.layout.cell(fingerprint).start;
                    self.words[cell] = self.words[cell].max(until);
                    self.overflow_until = self.overflow_until.max(until);
                }
            }
        }
    }

    /// Ends the block of a key, except that of an overflow cell.
    pub(super) fn unblock(&mut self, fingerprint: u64, now: Moment) {
        if self.blocks > 0
            && let Some((place, _)) = self.locate(fingerprint | BLOCK, now)
        {
            self.put(place, 0, &[0; MAX_LIMITS], now);
        }
    }

    /// Forgets all keys and blocks.
    pub(super) fn clear(&mut self, buckets: usize) {
        let layout = Layout { buckets, ..self.layout };
        match allocate(layout) {
            Some((words, start)) => (self.words, self.start, self.layout) = (words, start, layout),
            None => self.words.fill(0),
        }
        (self.walk, self.walk_until, self.overflow_until, self.blocks) = (0, 0, 0, 0);
    }

    /// Puts other limits, of the same number, in place of the present ones.
    pub(super) fn set_limits(&mut self, limits: Limits, generation: u32, now: Moment) {
        let carry = |column: usize, word: &mut u64| {
            let [before, after] = [&self.limits, &limits].map(|limits| limits[column].quota());
            *word = after.carry_over(*word, before, now);
        };
        let words = &mut self.words[self.start..];
        let (buckets, cells) = words.split_at_mut(self.layout.cells().start);
        for bucket in buckets.chunks_exact_mut(self.layout.bucket(1)) {
            let (fingerprints, words) = bucket.split_at_mut(WAYS);
            for (at, word) in words.iter_mut().enumerate() {
                if fingerprints[at % WAYS] & BLOCK == 0 {
                    carry(at / WAYS, word);
                }
            }
        }
        for cell in cells.chunks_exact_mut(1 + self.layout.limits) {
            for (column, word) in cell[1..].iter_mut().enumerate() {
                carry(column, word);
            }
        }
        self.limits = limits;
        self.generation = generation;
    }

    /// The size of the words, in bytes.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.words.capacity() * size_of::<u64>()
    }

    /// Calls `visit` with every fingerprint that has not expired, whether it is that of a block,
    /// and its words.
    pub(super) fn each(&self, now: Moment, mut visit: impl FnMut(u64, bool, &Words)) {
        let mut words = [0; MAX_LIMITS];
        for bucket in 0..self.layout.buckets {
            for lane in 0..WAYS {
                let place = self.place(bucket, lane, 0);
                if self.until(place) > now.word {
                    self.read(place, &mut words);
                    let fingerprint = self.words[place.index];
                    visit(fingerprint & !BLOCK, fingerprint & BLOCK != 0, &words);
                }
            }
        }
    }

    /// Gives a slot to a key that has none. See [`Self::write`].
    #[cold]
    fn insert(
        &mut self,
        fingerprint: u64,
        words: &[u64],
        may_overflow: bool,
        now: Moment,
    ) -> Result<(), u64> {
        let until = match self.room(fingerprint, now) {
            Room::Free(place) | Room::Victim(place) => {
                self.put(place, fingerprint, words, now);
                return Ok(());
            }
            Room::None(until) => until,
            Room::Grow => now.word,
        };
        self.counters.overflows += 1;
        if !may_overflow {
            return Err(until);
        }
        let cell = self.layout.cell(fingerprint);
        let cell = &mut self.words[self.start + cell.start + 1..self.start + cell.end];
        for (cell, word) in cell.iter_mut().zip(words) {
            *cell = *word;
            self.overflow_until = self.overflow_until.max(*word);
        }
        Ok(())
    }

    /// The slot for a newcomer, after growing if that helps.
    fn room(&mut self, fingerprint: u64, now: Moment) -> Room {
        loop {
            match self.seek(fingerprint, now) {
                Room::Grow if self.grow(now) => {}
                Room::Grow => return self.seek_further(fingerprint, now),
                room => return room,
            }
        }
    }

    /// Whether a key without a slot would get one.
    pub(super) fn has_room(&self, fingerprint: u64, now: Moment) -> Result<(), u64> {
        match self.seek(fingerprint, now) {
            Room::None(until) => Err(until),
            _ => Ok(()),
        }
    }

    fn seek(&self, fingerprint: u64, now: Moment) -> Room {
        let (first, second) = self.layout.choices(fingerprint);
        let (place, free) = self.least(first, 0, now);
        // A shard that grows instead of using second buckets has its keys where they are found
        // first. At its full size, it evens out the buckets before they are full.
        let may_grow = self.may_grow(now);
        if free >= if may_grow { 1 } else { 3 } {
            return Room::Free(place);
        }
        if may_grow {
            return Room::Grow;
        }
        let (other, other_free) = self.least(second, 0, now);
        if free.max(other_free) > 0 {
            return Room::Free(if free >= other_free { place } else { other });
        }
        self.seek_further(fingerprint, now)
    }

    /// A slot in the buckets behind the second one, or a slot whose key may be forgotten.
    fn seek_further(&self, fingerprint: u64, now: Moment) -> Room {
        let (first, second) = self.layout.choices(fingerprint);
        let mut until = u64::MAX;
        let mut victim = None;
        let mut consider = |bucket, walk| {
            for lane in 0..WAYS {
                let place = self.place(bucket, lane, walk);
                let word = self.until(place);
                until = until.min(word);
                if victim.is_none_or(|(_, least)| word < least) && !self.is_blocked(place, now) {
                    victim = Some((place, word));
                }
            }
        };
        consider(first, 0);
        consider(second, 0);
        for walk in 1..=self.layout.max_walk() {
            let bucket = self.layout.after(second, walk);
            let (place, free) = self.least(bucket, walk, now);
            if free > 0 {
                // A slot that this key had before must not stay beside the new one.
                let former = self.slot(bucket, walk, fingerprint).map(|(former, _)| former);
                return Room::Free(former.unwrap_or(place));
            }
            consider(bucket, walk);
        }
        match victim {
            Some((place, _)) if !self.denies => Room::Victim(place),
            _ => Room::None(until),
        }
    }

    /// The slot of a bucket that expires first, and the number of free slots.
    fn least(&self, bucket: usize, walk: usize, now: Moment) -> (Place, usize) {
        let mut least = (0, u64::MAX);
        let mut free = 0;
        for lane in 0..WAYS {
            let until = self.until(self.place(bucket, lane, walk));
            free += usize::from(until <= now.word);
            if until < least.1 {
                least = (lane, until);
            }
        }
        (self.place(bucket, least.0, walk), free)
    }

    fn is_blocked(&self, place: Place, now: Moment) -> bool {
        self.words[place.index] & BLOCK != 0
            || self.limits.iter().enumerate().any(|(column, limit)| {
                limit.blocks(self.words[self.state(place, column)], now)
            })
    }

    fn may_grow(&self, now: Moment) -> bool {
        self.layout.buckets < self.max_buckets && now.ns >= self.grow_again_at
    }

    /// Doubles the number of buckets, up to the largest. Returns whether there was memory for it.
    fn grow(&mut self, now: Moment) -> bool {
        let buckets = (self.layout.buckets * 2).min(self.max_buckets);
        let limits = self.limits.clone();
        let Some(mut larger) = Self::new(buckets, buckets, self.denies, limits) else {
            self.counters.growth_failures += 1;
            self.grow_again_at = now.ns.saturating_add(GROW_AGAIN_NS);
            return false;
        };
        self.each(now, |fingerprint, is_block, words| {
            let fingerprint = fingerprint | if is_block { BLOCK } else { 0 };
            // The result is not needed: half of the slots are free.
            let _ = larger.insert(fingerprint, words, true, now);
        });
        // A cell covers the keys of several cells of the larger shard, and more than these if the
        // numbers are no multiples of each other.
        if self.overflow_until > now.word {
            larger.widen_overflow(self);
        }
        (self.words, self.start, self.layout) = (larger.words, larger.start, larger.layout);
        (self.walk, self.walk_until) = (larger.walk, larger.walk_until);
        (self.blocks, self.overflow_until) = (larger.blocks, self.overflow_until.max(larger.overflow_until));
        true
    }

    /// Gives each overflow cell the largest words of the smaller shard's cells.
    fn widen_overflow(&mut self, smaller: &Self) {
        let size = 1 + self.layout.limits;
        let mut largest = [0; 1 + MAX_LIMITS];
        let cells = smaller.layout.cells();
        for cell in smaller.words[smaller.start..][cells].chunks_exact(size) {
            for (word, largest) in cell.iter().zip(&mut largest) {
                *largest = (*word).max(*largest);
            }
        }
        let cells = self.layout.cells();
        for cell in self.words[self.start..][cells].chunks_exact_mut(size) {
            cell.copy_from_slice(&largest[..size]);
        }
    }

    /// The slot of a fingerprint and its first word.
    #[expect(clippy::inline_always, reason = "returned through memory, the result stalls its reader")]
    #[inline(always)]
    fn locate(&self, fingerprint: u64, now: Moment) -> Option<(Place, u64)> {
        let (first, second) = self.layout.choices(fingerprint);
        if let Some(found) = self.slot(first, 0, fingerprint) {
            return Some(found);
        }
        if let Some(found) = self.slot(second, 0, fingerprint) {
            return Some(found);
        }
        if self.walk_until <= now.word {
            return None;
        }
        (1..=self.walk).find_map(|walk| {
            self.slot(self.layout.after(second, walk), walk, fingerprint)
        })
    }

    /// The slot of a bucket with this fingerprint, and its first word.
    #[expect(clippy::inline_always, reason = "returned through memory, the result stalls its reader")]
    #[inline(always)]
    fn slot(&self, bucket: usize, walk: usize, fingerprint: u64) -> Option<(Place, u64)> {
        let start = self.start + self.layout.bucket(bucket);
        let bucket: &[u64; 2 * WAYS] = self.words[start..].first_chunk()?;
        // Branch-free: all eight fingerprints are compared at once. One word is read meanwhile,
        // because that fetches the cache line of all words.
        black_box(bucket[WAYS]);
        let mut hits = 0_u32;
        for lane in 0..WAYS {
            hits |= u32::from(bucket[lane] == fingerprint) << lane;
        }
        let lane = hits.trailing_zeros() as usize;
        let word = *bucket.get(WAYS + lane)?;
        Some((Place { index: start + lane, walk }, word))
    }

    fn place(&self, bucket: usize, lane: usize, walk: usize) -> Place {
        Place { index: self.start + self.layout.bucket(bucket) + lane, walk }
    }

    /// The index of the word of a limit.
    fn state(&self, place: Place, column: usize) -> usize {
        place.index + WAYS * (1 + column)
    }

    /// The word at which nothing is left of a slot's debts.
    fn until(&self, place: Place) -> u64 {
        let words = (0..self.layout.limits).map(|column| self.words[self.state(place, column)]);
        words.max().unwrap_or(0)
    }

    #[inline]
    fn read(&self, place: Place, words: &mut Words) {
        for (column, word) in words[..self.layout.limits].iter_mut().enumerate() {
            *word = self.words[self.state(place, column)];
        }
    }

    /// Gives a slot to another key.
    fn put(&mut self, place: Place, fingerprint: u64, words: &[u64], now: Moment) {
        let former = self.words[place.index];
        if former != fingerprint {
            let is_evicted = former & BLOCK == 0 && self.until(place) > now.word;
            self.counters.evictions += u64::from(is_evicted && former | BLOCK != fingerprint);
        }
        self.blocks -= usize::from(former & BLOCK != 0);
        self.blocks += usize::from(fingerprint & BLOCK != 0);
        self.words[place.index] = fingerprint;
        self.put_words(place, words);
    }

    #[inline]
    fn put_words(&mut self, place: Place, words: &[u64]) {
        for (column, word) in words.iter().enumerate() {
            if column < self.layout.limits {
                let index = self.state(place, column);
                self.words[index] = *word;
            }
        }
        if place.walk > 0 {
            self.walk = self.walk.max(place.walk);
            self.walk_until = self.walk_until.max(self.until(place));
        }
    }
}

/// Zeroed words for a layout, and the index of the first one; none if there is no memory.
fn allocate(layout: Layout) -> Option<(Vec<u64>, usize)> {
    // A vector is aligned for words only, so allocate more than needed.
    let len = layout.len() + ALIGNMENT;
    let mut words = Vec::new();
    words.try_reserve_exact(len).ok()?;
    words.resize(len, 0);
    let past = words.as_ptr().addr() % (ALIGNMENT * size_of::<u64>()) / size_of::<u64>();
    Some((words, (ALIGNMENT - past) % ALIGNMENT))
}
