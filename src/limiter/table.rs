//! The bounded table: 16 bytes a key, however many keys an attacker sends.
//!
//! Each entry is a fingerprint and a TAT, GCRA's theoretical arrival time in nanoseconds of the
//! monotonic clock: the moment at which the key is as good as new. An entry lives in one of the
//! eight slots of the set that its fingerprint selects. When all are taken, an expired entry goes
//! (nothing is lost: its TAT has passed), else the one with the least debt, that is the smallest
//! TAT. Never the least recently used: a key that is blocked does little but wait, and spraying
//! one-hit keys would set it free.
//!
//! Nothing runs in the background. A part of the table that has no slot left for a key in debt
//! doubles, up to its share of `max_keys`, and only then are entries given up: so a limiter of few
//! keys stays within the processor's caches, and no call moves more than one part.

use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use governor::nanos::Nanos;
use governor::state::StateStore;

use crate::error::{Code, Error, Result};

/// Keys a table holds unless told otherwise: 2^20, in 16 MiB.
pub const DEFAULT_MAX_KEYS: usize = 1 << 20;

/// The fewest keys a table can be made for: one set.
pub const MIN_MAX_KEYS: usize = WAYS;

/// The most keys a table can be made for: 2^26, in 1 GiB.
pub const MAX_MAX_KEYS: usize = 1 << 26;

/// Slots in a set.
const WAYS: usize = 8;

/// Eight fingerprints, one cache line, then their eight TATs, the next one.
type Set = [u64; 2 * WAYS];

/// Sets start at a multiple of this, in bytes, so that a set is two cache lines and not three.
const SET_ALIGNMENT: usize = size_of::<Set>();

/// A table has at most this many parts, each behind a lock of its own.
const MAX_SHARDS: usize = 64;
/// The sets a part has at first.
const FIRST_SETS: usize = 16;

/// One key at one moment, as governor passes it to the store: it reports the key's debt back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TimedKey {
    fingerprint: u64,
    now: u64,
    debt: Cell<u64>,
}

impl TimedKey {
    /// The key of a fingerprint, which is not 0, at a reading of the monotonic clock.
    pub(super) fn new(fingerprint: u64, now: u64) -> Self {
        Self { fingerprint, now, debt: Cell::new(0) }
    }

    /// Nanoseconds until the key is as good as new, as the last use of this value left it.
    pub(super) fn debt_ns(&self) -> u64 {
        self.debt.get()
    }
}

// governor asks this of every key, for its own maps; `Cell` has none to derive.
impl Hash for TimedKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.fingerprint.hash(state);
    }
}

/// A handle to a table; clones share it.
#[derive(Clone)]
pub(super) struct DebtTable {
    shards: Arc<[Shard]>,
    max_sets: usize,
}

impl DebtTable {
    /// A table for `max_keys` keys (8 to 2^26, else `ERR_OUT_OF_RANGE`), rounded up by at most an
    /// eighth and a set, at 16 bytes a key; 128 KiB at first, unless that is more.
    ///
    /// Sets fill unevenly: once the table is as large as it may be, with half as many keys in debt
    /// as `max_keys` one in 120 has lost its entry, with as many one in 7.
    pub(super) fn new(max_keys: usize) -> Result<Self> {
        if !(MIN_MAX_KEYS..=MAX_MAX_KEYS).contains(&max_keys) {
            return Err(Error::new(
                Code::OutOfRange,
                format!("maxKeys must be from {MIN_MAX_KEYS} to {MAX_MAX_KEYS}"),
            ));
        }
        let sets = max_keys.div_ceil(WAYS);
        // The largest power of two that fits: a shard is then picked by a mask.
        let shards = 1 << (sets / FIRST_SETS).clamp(1, MAX_SHARDS).ilog2();
        let sets_per_shard = sets.div_ceil(shards);
        let doublings = (sets_per_shard / FIRST_SETS).max(1).ilog2();
        let first_sets = sets_per_shard.div_ceil(1 << doublings);
        Ok(Self {
            shards: (0..shards).map(|_| Shard(Mutex::new(Slots::new(first_sets)))).collect(),
            max_sets: first_sets << doublings,
        })
    }

    /// How many keys the table may come to hold.
    pub(super) fn capacity(&self) -> usize {
        self.shards.len() * self.max_sets * WAYS
    }

    /// How many keys have lost their debt since the start because their set was full.
    pub(super) fn evictions(&self) -> u64 {
        self.shards.iter().map(|shard| shard.lock().evictions).sum()
    }

    /// Reads the debt of a key into it.
    pub(super) fn read(&self, key: &TimedKey) {
        let found = find(self.shard(key).set(key), key.fingerprint);
        key.debt.set(found.map_or(0, |(_, tat)| tat.saturating_sub(key.now)));
    }

    /// Forgets the key, which then holds the debt it had.
    pub(super) fn remove(&self, key: &TimedKey) {
        let mut shard = self.shard(key);
        let set = shard.set(key);
        let found = find(set, key.fingerprint);
        if let Some((lane, _)) = found {
            put(set, lane, 0, 0);
        }
        key.debt.set(found.map_or(0, |(_, tat)| tat.saturating_sub(key.now)));
    }

    /// The low bits of the fingerprint pick the shard and the high ones the set, so the two are
    /// independent.
    fn shard(&self, key: &TimedKey) -> MutexGuard<'_, Slots> {
        let mask = self.shards.len() - 1;
        let index = usize::try_from(key.fingerprint & mask as u64).unwrap_or(0);
        self.shards[index].lock()
    }
}

/// governor keeps its states here. In its time every call happens at 0 and a state is a debt, the
/// distance from now to the TAT: see `gcra.rs`.
impl StateStore for DebtTable {
    type Key = TimedKey;

    fn measure_and_replace<T, F, E>(&self, key: &TimedKey, decide: F) -> std::result::Result<T, E>
    where
        F: Fn(Option<Nanos>) -> std::result::Result<(T, Nanos), E>,
    {
        let mut shard = self.shard(key);
        let set = shard.set(key);
        let found = find(set, key.fingerprint);
        let debt = found.map_or(0, |(_, tat)| tat.saturating_sub(key.now));
        // A denial leaves here, and the table as it was.
        let (outcome, after) = decide(Some(debt.into())).inspect_err(|_| key.debt.set(debt))?;
        let after = after.as_u64();
        key.debt.set(after);
        let tat = key.now.saturating_add(after);
        match found {
            Some((lane, _)) => set[WAYS + lane] = tat,
            None => shard.insert(key, tat, self.max_sets),
        }
        Ok(outcome)
    }
}

/// A part of the table behind its own lock, alone on its cache lines.
#[repr(align(128))]
struct Shard(Mutex<Slots>);

impl Shard {
    fn lock(&self) -> MutexGuard<'_, Slots> {
        // A panic between two words can spoil at most one entry of one key: limiting goes on.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Slots {
    words: Vec<u64>,
    /// The first word of the first set.
    start: usize,
    sets: usize,
    evictions: u64,
}

impl Slots {
    fn new(sets: usize) -> Self {
        const ALIGNMENT_WORDS: usize = SET_ALIGNMENT / size_of::<u64>();
        // A vector is aligned for words only, hence one set more than is asked for.
        let words = vec![0; (sets + 1) * 2 * WAYS];
        let past = words.as_ptr().addr() % SET_ALIGNMENT / size_of::<u64>();
        let start = (ALIGNMENT_WORDS - past) % ALIGNMENT_WORDS;
        Self { words, start, sets, evictions: 0 }
    }

    /// The set of a key.
    fn set(&mut self, key: &TimedKey) -> &mut Set {
        let index = index(key.fingerprint, self.sets);
        &mut self.all()[index]
    }

    /// Gives a key that has no slot one, at the cost of the entry that is worth least.
    fn insert(&mut self, key: &TimedKey, tat: u64, max_sets: usize) {
        while least_debt(self.set(key)).1 > key.now && self.sets < max_sets {
            self.double(key.now);
        }
        let set = self.set(key);
        let (lane, given_up) = least_debt(set);
        put(set, lane, key.fingerprint, tat);
        self.evictions += u64::from(given_up > key.now);
    }

    /// Twice as many sets: what was in set `i` goes to `2i` or `2i + 1`, so all of it fits.
    fn double(&mut self, now: u64) {
        let mut larger = Self::new(self.sets * 2);
        let sets = larger.sets;
        for set in self.all() {
            for lane in 0..WAYS {
                let (fingerprint, tat) = (set[lane], set[WAYS + lane]);
                if tat > now {
                    let target = &mut larger.all()[index(fingerprint, sets)];
                    let (free, _) = least_debt(target);
                    put(target, free, fingerprint, tat);
                }
            }
        }
        *self = Self { evictions: self.evictions, ..larger };
    }

    fn all(&mut self) -> &mut [Set] {
        self.words[self.start..].as_chunks_mut().0
    }
}

fn index(fingerprint: u64, sets: usize) -> usize {
    usize::try_from((u128::from(fingerprint) * sets as u128) >> 64).unwrap_or(0)
}

/// The slot of a fingerprint and its TAT.
fn find(set: &Set, fingerprint: u64) -> Option<(usize, u64)> {
    // No branches: all eight are compared at once, and both cache lines are asked for at once.
    let mut hits = 0_u32;
    let mut tat = 0;
    for lane in 0..WAYS {
        let hit = set[lane] == fingerprint;
        hits |= u32::from(hit) << lane;
        tat |= set[WAYS + lane] & u64::from(hit).wrapping_neg();
    }
    (hits != 0).then(|| (hits.trailing_zeros() as usize, tat))
}

/// The slot to give away, and its TAT: empty ones have 0, expired ones less than any live one.
fn least_debt(set: &Set) -> (usize, u64) {
    let mut least = (0, set[WAYS]);
    for lane in 1..WAYS {
        if set[WAYS + lane] < least.1 {
            least = (lane, set[WAYS + lane]);
        }
    }
    least
}

fn put(set: &mut Set, lane: usize, fingerprint: u64, tat: u64) {
    set[lane] = fingerprint;
    set[WAYS + lane] = tat;
}
