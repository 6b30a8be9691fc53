//! The bounded table of debts: 16 bytes per key, however many keys an attacker sends.
//!
//! Each entry is a fingerprint and a TAT, GCRA's theoretical arrival time, in nanoseconds of the
//! monotonic clock: the time at which the key has fully recovered. An entry is stored in one of the
//! eight slots of the set that its fingerprint selects. If all slots are taken, an expired entry is
//! replaced; its TAT has passed, so nothing is lost. Otherwise the entry with the least debt is
//! replaced, that is the one with the smallest TAT. The table never replaces the least recently
//! used entry, because a blocked key mostly waits, and an attacker who sprays one-hit keys would
//! free it.
//!
//! Nothing runs in the background. A shard without a slot for a key in debt doubles, up to its
//! share of `max_keys`, and only then replaces entries. So a limiter of few keys stays within the
//! processor's caches, and no call moves more than one shard.

use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use governor::nanos::Nanos;
use governor::state::StateStore;

use crate::error::{Code, Error, Result};

/// The default number of keys in a table: 2^20, in 16 MiB.
pub const DEFAULT_MAX_KEYS: usize = 1 << 20;

/// The smallest number of keys in a table: one set.
pub const MIN_MAX_KEYS: usize = WAYS;

/// The largest number of keys in a table: 2^26, in 1 GiB.
pub const MAX_MAX_KEYS: usize = 1 << 26;

/// Slots in a set.
const WAYS: usize = 8;

/// Eight fingerprints in one cache line, then their eight TATs in the next.
type Set = [u64; 2 * WAYS];

/// Sets start at a multiple of this many bytes, so that a set takes two cache lines and not three.
const SET_ALIGNMENT: usize = size_of::<Set>();

/// A table has at most this many shards, each with its own lock.
const MAX_SHARDS: usize = 64;
/// A shard starts with at least this many sets, unless the table has fewer.
const FIRST_SETS: usize = 16;

/// One key at one moment, as governor passes it to the store. The store writes the key's debt into
/// it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TimedKey {
    fingerprint: u64,
    now: u64,
    debt: Cell<u64>,
}

impl TimedKey {
    /// The key with this fingerprint, which is not 0, at a reading of the monotonic clock.
    pub(super) fn new(fingerprint: u64, now: u64) -> Self {
        Self { fingerprint, now, debt: Cell::new(0) }
    }

    /// Nanoseconds until the key has fully recovered, as of the last use of this value.
    pub(super) fn debt_ns(&self) -> u64 {
        self.debt.get()
    }
}

// governor requires `Hash` of every key for its own maps. It cannot be derived, because `Cell`
// lacks it.
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
    /// A table for `max_keys` keys (8 to 2^26, otherwise `ERR_OUT_OF_RANGE`), rounded up by at most
    /// an eighth and a set. It takes 16 bytes per key, and at first 128 to 256 KiB, or less if all
    /// keys need less.
    ///
    /// Sets fill unevenly. In a table of full size, if half as many keys as `max_keys` are in debt,
    /// one in 120 has lost its entry; if as many as `max_keys` are in debt, one in 7.
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

    /// The number of keys that the table can hold at its full size.
    pub(super) fn capacity(&self) -> usize {
        self.shards.len() * self.max_sets * WAYS
    }

    /// The number of keys since the start that lost their debt because their set was full.
    pub(super) fn evictions(&self) -> u64 {
        self.shards.iter().map(|shard| shard.lock().evictions).sum()
    }

    /// Writes the debt of a key into it.
    pub(super) fn read(&self, key: &TimedKey) {
        let found = find(self.shard(key).set(key), key.fingerprint);
        key.debt.set(found.map_or(0, |(_, tat)| tat.saturating_sub(key.now)));
    }

    /// Removes the key and writes the debt that it had into it.
    pub(super) fn remove(&self, key: &TimedKey) {
        let mut shard = self.shard(key);
        let set = shard.set(key);
        let found = find(set, key.fingerprint);
        if let Some((lane, _)) = found {
            put(set, lane, 0, 0);
        }
        key.debt.set(found.map_or(0, |(_, tat)| tat.saturating_sub(key.now)));
    }

    /// Selects the shard by the low bits of the fingerprint; the high bits select the set, so the
    /// two are independent.
    fn shard(&self, key: &TimedKey) -> MutexGuard<'_, Slots> {
        let mask = self.shards.len() - 1;
        let index = usize::try_from(key.fingerprint & mask as u64).unwrap_or(0);
        self.shards[index].lock()
    }
}

/// governor's view of the table. There every call happens at time 0, and a state is a debt, the
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
        // A denial returns here and leaves the table unchanged.
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

/// A part of the table with its own lock, alone on its cache lines.
#[repr(align(128))]
struct Shard(Mutex<Slots>);

impl Shard {
    fn lock(&self) -> MutexGuard<'_, Slots> {
        // A panic between two writes can spoil at most one entry of one key, so limiting continues.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Slots {
    words: Vec<u64>,
    /// The index of the first word of the first set.
    start: usize,
    sets: usize,
    evictions: u64,
}

impl Slots {
    fn new(sets: usize) -> Self {
        const ALIGNMENT_WORDS: usize = SET_ALIGNMENT / size_of::<u64>();
        // A vector is aligned for words only, so allocate one set more than requested.
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

    /// Gives a slot to a key that has none, replacing the entry with the least debt if necessary.
    fn insert(&mut self, key: &TimedKey, tat: u64, max_sets: usize) {
        while least_debt(self.set(key)).1 > key.now && self.sets < max_sets {
            self.double(key.now);
        }
        let set = self.set(key);
        let (lane, given_up) = least_debt(set);
        put(set, lane, key.fingerprint, tat);
        self.evictions += u64::from(given_up > key.now);
    }

    /// Doubles the number of sets. The entries of set `i` move to set `2i` or `2i + 1`, so all of
    /// them fit.
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

/// The slot of a fingerprint, and its TAT.
fn find(set: &Set, fingerprint: u64) -> Option<(usize, u64)> {
    // Branch-free: all eight fingerprints are compared at once, and both cache lines are loaded at
    // once.
    let mut hits = 0_u32;
    let mut tat = 0;
    for lane in 0..WAYS {
        let hit = set[lane] == fingerprint;
        hits |= u32::from(hit) << lane;
        tat |= set[WAYS + lane] & u64::from(hit).wrapping_neg();
    }
    (hits != 0).then(|| (hits.trailing_zeros() as usize, tat))
}

/// The slot to replace, and its TAT. Empty slots have TAT 0; expired ones have less than any live
/// one.
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
