//! The entries: one word each, in buckets of 16, of which a proof has two.
//!
//! There are two words for each of `maxEntries`, so that a bucket is full only if the table is. A
//! word has the second at which the proof was made, 34 bits of its fingerprint, and the state of
//! the entry. It stays until the proof is older than any checker accepts; then another proof may
//! take its place. Before that, [`word::FORGOTTEN`] is raised to its time, and proofs that were
//! made up to then are refused. So a proof is never accepted twice, even if clocks go back or a
//! checker accepts older proofs.
//!
//! Of callers with one proof at once, also in other processes, exactly one is accepted. Each first
//! writes a *tentative* entry and then looks for others of the same fingerprint. One that is
//! *settled* wins; of tentative ones, the first in the table wins, and turns the others into *lost*
//! ones. Each entry changes its state by a compare-and-swap of its word, so an entry that is lost
//! does not become settled. A process that is killed in between leaves a tentative entry, with
//! which nobody was accepted, and the proof stays refused.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;

use super::header::{self, word};
use super::size::BUCKET;
use crate::dpop::refusal::Refusal;

/// The bits of a word, from the lowest: the state, the time, and the fingerprint.
const STATE_BITS: u32 = 2;
const TIME_BITS: u32 = 28;
const STATE: u64 = (1 << STATE_BITS) - 1;
const TIMES: u64 = 1 << TIME_BITS;
/// Written, and not yet compared with others.
const TENTATIVE: u64 = 1;
/// Accepted.
const SETTLED: u64 = 2;
/// Refused, because another entry of the fingerprint was accepted.
const LOST: u64 = 3;

/// A table, in memory of the process or in a file.
pub(super) struct Table<'w> {
    header: &'w [AtomicU64],
    slots: &'w [AtomicU64],
}

/// The entry of a proof.
#[derive(Clone, Copy)]
struct Entry {
    /// The first slots of its buckets.
    buckets: [usize; 2],
    /// The second at which the proof was made, since the base.
    made: u64,
    /// The word without a state.
    word: u64,
}

impl<'w> Table<'w> {
    pub(super) fn new(words: &'w [AtomicU64]) -> Self {
        let (header, slots) = words.split_at(header::LEN);
        Self { header, slots }
    }

    /// Remembers a proof with this fingerprint, made at a second since the base, unless it is known
    /// or may have been. `now` is the present second.
    pub(super) fn remember(&self, hash: u128, made: u64, now: u64) -> Result<(), Refusal> {
        let Some(entry) = self.entry(hash, made) else { return Err(Refusal::Forgotten) };
        let own = self.write(entry, now)?;
        self.outdo(entry, own)?;
        // Others may have taken places since the first look, and so have forgotten this proof.
        let is_forgotten = self.header[word::FORGOTTEN].load(SeqCst) >= made;
        let (from, to) = (entry.word | TENTATIVE, entry.word | SETTLED);
        if !is_forgotten && self.slots[own].compare_exchange(from, to, SeqCst, SeqCst).is_ok() {
            return Ok(());
        }
        Err(if is_forgotten { Refusal::Forgotten } else { Refusal::Replayed })
    }

    /// The number of proofs that are remembered. Reads the whole table.
    pub(super) fn entries(&self, now: u64) -> usize {
        let is_kept = |word: u64| word & STATE != LOST && !self.is_free(word, now);
        self.slots.iter().filter(|slot| is_kept(slot.load(SeqCst))).count()
    }

    /// `None` for a time that no word has room for.
    fn entry(&self, hash: u128, made: u64) -> Option<Entry> {
        let count = (self.slots.len() / BUCKET) as u64;
        let [low, high] = [hash, hash >> 64].map(|half| half & u128::from(u64::MAX));
        let [low, high] = [low, high].map(|half| u64::try_from(half).unwrap_or(0));
        let bucket = |half: u64| scaled(half & u64::from(u32::MAX), count);
        let (first, second) = (bucket(low), bucket(low >> 32));
        // The other one of a pair, if both halves name one bucket. The number of buckets is even.
        let second = if first == second { second ^ 1 } else { second };
        let tag = high >> (STATE_BITS + TIME_BITS) << (STATE_BITS + TIME_BITS);
        (made < TIMES).then_some(Entry {
            buckets: [first * BUCKET, second * BUCKET],
            made,
            word: tag | made << STATE_BITS,
        })
    }

    /// Writes a tentative entry, and returns its slot.
    fn write(&self, entry: Entry, now: u64) -> Result<usize, Refusal> {
        loop {
            if entry.places().any(|slot| entry.is_like(self.slots[slot].load(SeqCst))) {
                return Err(Refusal::Replayed);
            }
            // After the look, because a place is taken only after the time was raised.
            if self.header[word::FORGOTTEN].load(SeqCst) >= entry.made {
                return Err(Refusal::Forgotten);
            }
            let (slot, former) = self.free_slot(entry, now).ok_or(Refusal::Full)?;
            if former != 0 {
                self.header[word::FORGOTTEN].fetch_max(made_of(former), SeqCst);
            }
            let tentative = entry.word | TENTATIVE;
            if self.slots[slot].compare_exchange(former, tentative, SeqCst, SeqCst).is_ok() {
                return Ok(slot);
            }
            // Another proof has taken the place.
        }
    }

    /// A free slot and its word, in the bucket that has more of them.
    fn free_slot(&self, entry: Entry, now: u64) -> Option<(usize, u64)> {
        let free = entry.buckets.map(|start| {
            let mut found = (0, None);
            for slot in start..start + BUCKET {
                let word = self.slots[slot].load(SeqCst);
                if self.is_free(word, now) {
                    found = (found.0 + 1, found.1.or(Some((slot, word))));
                }
            }
            found
        });
        let [first, second] = free;
        if second.0 > first.0 { second.1 } else { first.1 }
    }

    /// Compares a tentative entry with others of the fingerprint.
    fn outdo(&self, entry: Entry, own: usize) -> Result<(), Refusal> {
        for slot in entry.places().filter(|slot| *slot != own) {
            let mut word = self.slots[slot].load(SeqCst);
            if !entry.is_like(word) {
                continue;
            }
            if word & STATE == TENTATIVE && own < slot {
                let lost = word & !STATE | LOST;
                match self.slots[slot].compare_exchange(word, lost, SeqCst, SeqCst) {
                    Ok(_) => continue,
                    Err(present) => word = present,
                }
            }
            if word & STATE != LOST {
                // That it is lost already, or taken, makes no difference.
                let (from, to) = (entry.word | TENTATIVE, entry.word | LOST);
                let _ = self.slots[own].compare_exchange(from, to, SeqCst, SeqCst);
                return Err(Refusal::Replayed);
            }
        }
        Ok(())
    }

    /// Whether another proof may take the place of a word: no checker accepts its own any more.
    fn is_free(&self, word: u64, now: u64) -> bool {
        word == 0 || made_of(word) + self.header[word::LONGEST_AGE].load(SeqCst) < now
    }
}

impl Entry {
    /// The slots in which it may lie.
    fn places(self) -> impl Iterator<Item = usize> {
        self.buckets.into_iter().flat_map(|start| start..start + BUCKET)
    }

    /// Whether a word is of the same fingerprint, in any state.
    fn is_like(self, word: u64) -> bool {
        let tag = STATE_BITS + TIME_BITS;
        word != 0 && word >> tag == self.word >> tag
    }
}

/// The second of a word.
fn made_of(word: u64) -> u64 {
    word >> STATE_BITS & (TIMES - 1)
}

/// Maps 32 bits to a number below `count`.
fn scaled(bits: u64, count: u64) -> usize {
    usize::try_from((bits * count) >> 32).unwrap_or(0)
}
