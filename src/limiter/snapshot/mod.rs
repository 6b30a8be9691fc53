//! A limiter as bytes, so that a restart forgets no key.
//!
//! All numbers are little-endian. Version 2:
//!
//! | bytes | content |
//! |---|---|
//! | 8 | `NSLIMIT` and the version as a byte |
//! | 8 | the wall clock, in milliseconds since 1970 |
//! | 16 | the secret of the fingerprints |
//! | 1, 1 | 0 for GCRA or 1 for fixed windows; the number of limits |
//! | for each limit | 4 limit, 4 burst, 8 window in milliseconds, 1 strict or 0, 1 length of the name, the name |
//! | 4 | the number of shards |
//! | for each shard | 4 the number of buckets, the buckets, 4 the number of cells in use, these cells |
//! | 8 | SipHash-1-3 of all bytes before, under the secret |
//!
//! | part | bytes | content |
//! |---|---|---|
//! | bucket | 1 | the slots in use, as bits |
//! | | for each of them | 8 fingerprint (odd for a block), and its states |
//! | cell | 4, 8 | its number; nanoseconds until its block ends |
//! | | | its states |
//! | state of a limit | 8 | nanoseconds left |
//! | | 8 more in fixed windows | the count |
//!
//! A table of the same form gets every key and cell in its old place, so it decides as before. In
//! a table of another form the keys are inserted, and each new cell gets the largest debts of the
//! old cells that share a fingerprint with it.
//!
//! Version 1 had the number of entries (8 bytes) in place of shards, then fingerprints and states
//! without buckets, and no cells.

#[cfg(test)]
mod forged_tests;
mod head;
mod reader;
mod restore;

use std::sync::PoisonError;

use self::head::{Head, state_len};
use super::buckets::Buckets;
use super::limit::{Limit, MAX_LIMITS};
use super::process::Limiter;
use super::quota::Algorithm;
use super::state::Moment;
use super::table::{MAX_MAX_KEYS, no_memory};
use crate::error::Result;

/// The longest snapshot: a table can hold half as many keys more than it must.
pub const MAX_SNAPSHOT_LEN: usize = (MAX_MAX_KEYS + MAX_MAX_KEYS / 2) * (8 + 16 * MAX_LIMITS);

impl Limiter {
    /// The keys with their debts and blocks, and the overflow cells, as bytes. They contain the
    /// secret of the fingerprints, but no key.
    ///
    /// Takes about a millisecond for 100,000 keys. Fails with `ERR_LIMIT_FULL` if there is no
    /// memory.
    pub fn snapshot(&self) -> Result<Vec<u8>> {
        // Held, so that all shards have the same limits.
        let _generation = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
        let (limits, now) = (self.table.limits(), self.now());
        let mut bytes = Vec::new();
        let head = Head {
            version: 2,
            unix_millis: self.clock.unix_millis(),
            fingerprinter: self.fingerprinter.clone(),
            limits: limits.clone(),
        };
        bytes.try_reserve(1024).map_err(|_| no_memory())?;
        head.write(&mut bytes);
        put_count(&mut bytes, self.table.shard_count());
        for number in 0..self.table.shard_count() {
            let slots = self.table.numbered(number);
            // Read while the shard is held: a key whose slot has expired since `now` may have
            // another one.
            let live = self.now();
            let shard = Shard { buckets: slots.buckets(), limits: &limits, now, live };
            bytes.try_reserve(shard.max_len()).map_err(|_| no_memory())?;
            shard.write(&mut bytes);
        }
        bytes.try_reserve_exact(8).map_err(|_| no_memory())?;
        let checksum = self.fingerprinter.checksum(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        Ok(bytes)
    }
}

/// A shard to write.
struct Shard<'a> {
    buckets: &'a Buckets,
    limits: &'a [Limit],
    /// The time from which debts and blocks are counted.
    now: Moment,
    /// Slots and cells that have expired until then are left out.
    live: Moment,
}

impl Shard<'_> {
    /// At least the number of bytes that it needs.
    fn max_len(&self) -> usize {
        let mut entries = 0;
        self.buckets.each(self.live, |_, _, _| entries += 1);
        let layout = self.buckets.layout;
        let states = self.limits.len() * state_len(self.algorithm());
        8 + layout.buckets + entries * (8 + states) + layout.cell_count() * (12 + states)
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        let layout = self.buckets.layout;
        put_count(bytes, layout.buckets);
        for bucket in 0..layout.buckets {
            let mask_at = bytes.len();
            bytes.push(0);
            self.buckets.each_of(bucket, self.live, |lane, fingerprint, words| {
                bytes[mask_at] |= 1 << lane;
                bytes.extend_from_slice(&fingerprint.to_le_bytes());
                self.put_states(bytes, words);
            });
        }
        let count_at = bytes.len();
        put_count(bytes, 0);
        let mut count = 0_u32;
        for (number, cell) in self.buckets.cells().enumerate() {
            if cell.iter().any(|word| *word > self.live.word) {
                count += 1;
                put_count(bytes, number);
                let block = self.algorithm().left_ns(cell[0], self.now);
                bytes.extend_from_slice(&block.to_le_bytes());
                self.put_states(bytes, &cell[1..]);
            }
        }
        bytes[count_at..count_at + 4].copy_from_slice(&count.to_le_bytes());
    }

    fn put_states(&self, bytes: &mut Vec<u8>, words: &[u64]) {
        for (limit, word) in self.limits.iter().zip(words) {
            let quota = limit.quota();
            let left = quota.algorithm().left_ns(*word, self.now);
            bytes.extend_from_slice(&left.to_le_bytes());
            if quota.algorithm() == Algorithm::FixedWindow {
                bytes.extend_from_slice(&quota.debt(*word, self.now).to_le_bytes());
            }
        }
    }

    fn algorithm(&self) -> Algorithm {
        self.limits[0].quota().algorithm()
    }
}

/// A number of shards, buckets or cells, of which a table has fewer than 2^32.
fn put_count(bytes: &mut Vec<u8>, count: usize) {
    bytes.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
}
