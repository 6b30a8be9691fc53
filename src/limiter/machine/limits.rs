//! The limits of the file, as this process knows them.

use std::ops::Deref;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use super::header::{self, Shape, word};
use super::table::Table;
use crate::limiter::fingerprint::Fingerprinter;
use crate::limiter::limit::Limits;

/// The limits, and how often they were changed.
pub(super) struct Known {
    pub limits: Limits,
    pub generation: u64,
}

/// The limits of a file.
pub(super) struct FileLimits {
    shape: Shape,
    /// Those that this process has found at first. They are mostly the only ones, and are read
    /// without a lock.
    first: Known,
    /// Those of a later generation, once there are any.
    later: RwLock<Option<Known>>,
}

/// The present limits, while a call uses them.
pub(super) enum Present<'a> {
    First(&'a Known),
    Later(RwLockReadGuard<'a, Option<Known>>, &'a Known),
}

impl Deref for Present<'_> {
    type Target = Known;

    #[inline]
    fn deref(&self) -> &Known {
        match self {
            Self::First(known) => known,
            // It is the first again only if the file is damaged.
            Self::Later(later, first) => later.as_ref().unwrap_or(first),
        }
    }
}

impl FileLimits {
    /// The limits of a file; `None` if it is damaged.
    pub(super) fn read(table: &Table, shape: Shape, fingerprinter: &Fingerprinter) -> Option<Self> {
        let first = present(table, &shape, fingerprinter)?;
        Some(Self { shape, first, later: RwLock::new(None) })
    }

    /// The form of the file.
    pub(super) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The present limits. If another process has changed them, they are read first.
    #[inline]
    pub(super) fn get(&self, table: &Table, fingerprinter: &Fingerprinter) -> Present<'_> {
        let generation = table.header()[word::GENERATION].load(Acquire);
        if self.first.generation == generation {
            return Present::First(&self.first);
        }
        self.later(generation, table, fingerprinter)
    }

    fn later(&self, generation: u64, table: &Table, fingerprinter: &Fingerprinter) -> Present<'_> {
        let later = self.later.read().unwrap_or_else(PoisonError::into_inner);
        if later.as_ref().is_some_and(|known| known.generation == generation) {
            return Present::Later(later, &self.first);
        }
        drop(later);
        self.adopt(table, fingerprinter);
        Present::Later(self.later.read().unwrap_or_else(PoisonError::into_inner), &self.first)
    }

    /// Reads the limits of the file. If they are damaged, those that are known hold.
    #[cold]
    fn adopt(&self, table: &Table, fingerprinter: &Fingerprinter) {
        if let Some(present) = present(table, &self.shape, fingerprinter) {
            let mut later = self.later.write().unwrap_or_else(PoisonError::into_inner);
            let known = later.as_ref().unwrap_or(&self.first).generation;
            // Another thread may have read later ones.
            if present.generation.wrapping_sub(known) < 1 << 63 {
                *later = Some(present);
            }
        }
    }

    /// Writes other limits into the file, which is locked.
    pub(super) fn publish(table: &Table, fingerprinter: &Fingerprinter, limits: &Limits) {
        let generation = table.header()[word::GENERATION].load(Acquire).wrapping_add(1);
        let set = header::encode_set(limits, fingerprinter, generation);
        let start = word::SETS[usize::from(generation & 1 == 1)];
        for (at, word) in (start..).zip(set) {
            table.header()[at].store(word, Release);
        }
        table.header()[word::GENERATION].store(generation, Release);
    }
}

/// The limits of the file. A set is written again only after the generation has changed, so a set
/// that is read while it changes is read once more.
fn present(table: &Table, shape: &Shape, fingerprinter: &Fingerprinter) -> Option<Known> {
    let generation_word = &table.header()[word::GENERATION];
    loop {
        let generation = generation_word.load(Acquire);
        let start = word::SETS[usize::from(generation & 1 == 1)];
        let set = header::decode_set(table.header(), start, shape, fingerprinter, generation);
        if generation_word.load(Acquire) == generation {
            return set.map(|limits| Known { limits, generation });
        }
    }
}
