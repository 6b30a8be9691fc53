//! The bounded table: 16 bytes a key, however many keys an attacker sends.
//!
//! Each entry is a fingerprint and a TAT, GCRA's theoretical arrival time in nanoseconds of the
//! monotonic clock: the moment at which the key is as good as new. An entry lives in one of the
//! eight slots of the set that its fingerprint selects. When all are taken, an expired entry goes
//! (nothing is lost: its TAT has passed), else the one with the least debt, that is the smallest
//! TAT. Never the least recently used: a key that is blocked does little but wait, and spraying
//! one-hit keys would set it free.
//!
//! Nothing runs in the background and nothing grows.

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

/// Locks are at most this many, and guard at least `SETS_PER_LOCK` sets each.
const MAX_SHARDS: usize = 64;
const SETS_PER_LOCK: usize = 16;

/// One key at one moment, as governor passes it to the store: it reports the key's debt back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    fingerprint: u64,
    now: u64,
    debt: Cell<u64>,
}

impl Call {
    /// A call for a fingerprint, which is not 0, at a reading of the monotonic clock.
    pub fn new(fingerprint: u64, now: u64) -> Self {
        Self { fingerprint, now, debt: Cell::new(0) }
    }

    /// Nanoseconds until the key is as good as new, as the last use of this call left it.
    pub fn debt_ns(&self) -> u64 {
        self.debt.get()
    }
}

// governor asks this of every key, for its own maps; `Cell` has none to derive.
impl Hash for Call {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.fingerprint.hash(state);
    }
}

/// A handle to a table; clones share it.
#[derive(Clone)]
pub struct Table {
    shards: Arc<[Shard]>,
    sets_per_shard: usize,
}

impl Table {
    /// A table for `max_keys` keys (8 to 2^26, else `ERR_OUT_OF_RANGE`), rounded up by at most a
    /// sixteenth and a set, at 16 bytes a key.
    ///
    /// The address space is taken at once, memory page by page as keys come. Sets fill unevenly:
    /// with half as many keys in debt as `max_keys` one in 120 has lost its entry, with as many
    /// one in 7.
    pub fn new(max_keys: usize) -> Result<Self> {
        if !(MIN_MAX_KEYS..=MAX_MAX_KEYS).contains(&max_keys) {
            return Err(Error::new(
                Code::OutOfRange,
                format!("maxKeys must be from {MIN_MAX_KEYS} to {MAX_MAX_KEYS}"),
            ));
        }
        let sets = max_keys.div_ceil(WAYS);
        // The largest power of two that fits: a shard is then picked by a mask.
        let shards = 1 << (sets / SETS_PER_LOCK).clamp(1, MAX_SHARDS).ilog2();
        let sets_per_shard = sets.div_ceil(shards);
        Ok(Self {
            shards: (0..shards).map(|_| Shard::new(sets_per_shard)).collect(),
            sets_per_shard,
        })
    }

    /// How many keys have a slot.
    pub fn capacity(&self) -> usize {
        self.shards.len() * self.sets_per_shard * WAYS
    }

    /// How many keys have lost their debt since the start because their set was full.
    pub fn evictions(&self) -> u64 {
        self.shards.iter().map(|shard| shard.lock().evictions).sum()
    }

    /// Reads the key's debt into the call.
    pub fn read(&self, call: &Call) {
        let tat =
            self.with_set(call, |set, _| find(set, call.fingerprint).map_or(0, |(_, tat)| tat));
        call.debt.set(tat.saturating_sub(call.now));
    }

    /// Forgets the key; the call then holds the debt it had.
    pub fn remove(&self, call: &Call) {
        let tat = self.with_set(call, |set, _| {
            let (lane, tat) = find(set, call.fingerprint)?;
            put(set, lane, 0, 0);
            Some(tat)
        });
        call.debt.set(tat.unwrap_or(0).saturating_sub(call.now));
    }

    fn with_set<T>(&self, call: &Call, f: impl FnOnce(&mut Set, &mut u64) -> T) -> T {
        // The low bits pick the shard and the high ones the set, so the two are independent.
        let mask = self.shards.len() - 1;
        let shard = usize::try_from(call.fingerprint & mask as u64).unwrap_or(0);
        let scaled = (u128::from(call.fingerprint) * self.sets_per_shard as u128) >> 64;
        let index = usize::try_from(scaled).unwrap_or(0);
        let mut shard = self.shards[shard].lock();
        let Slots { words, start, evictions } = &mut *shard;
        let (sets, _) = words[*start..].as_chunks_mut::<{ 2 * WAYS }>();
        f(&mut sets[index], evictions)
    }
}

/// governor keeps its states here. In its time every call happens at 0 and a state is a debt, the
/// distance from now to the TAT: see `gcra.rs`.
impl StateStore for Table {
    type Key = Call;

    fn measure_and_replace<T, F, E>(&self, call: &Call, decide: F) -> std::result::Result<T, E>
    where
        F: Fn(Option<Nanos>) -> std::result::Result<(T, Nanos), E>,
    {
        self.with_set(call, |set, evictions| {
            let found = find(set, call.fingerprint);
            let debt = found.map_or(0, |(_, tat)| tat.saturating_sub(call.now));
            // A denial leaves here, and the table as it was.
            let (outcome, after) =
                decide(Some(debt.into())).inspect_err(|_| call.debt.set(debt))?;
            let after = after.as_u64();
            call.debt.set(after);
            let tat = call.now.saturating_add(after);
            if let Some((lane, _)) = found {
                set[WAYS + lane] = tat;
            } else {
                let (lane, evicted) = least_debt(set);
                *evictions += u64::from(evicted > call.now);
                put(set, lane, call.fingerprint, tat);
            }
            Ok(outcome)
        })
    }
}

/// A part of the table behind its own lock, alone on its cache lines.
#[repr(align(128))]
struct Shard(Mutex<Slots>);

struct Slots {
    words: Vec<u64>,
    /// The first word of the first set.
    start: usize,
    evictions: u64,
}

impl Shard {
    fn new(sets: usize) -> Self {
        const ALIGNMENT_WORDS: usize = SET_ALIGNMENT / size_of::<u64>();
        // A vector of zeros comes from the system unwritten, and so costs memory only where it is
        // used; it is aligned for words only, hence one set more than is asked for.
        let words = vec![0; (sets + 1) * 2 * WAYS];
        let past = words.as_ptr().addr() % SET_ALIGNMENT / size_of::<u64>();
        let start = (ALIGNMENT_WORDS - past) % ALIGNMENT_WORDS;
        Self(Mutex::new(Slots { words, start, evictions: 0 }))
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        // A panic between two words can spoil at most one entry of one key: limiting goes on.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
