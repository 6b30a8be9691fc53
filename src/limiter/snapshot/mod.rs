//! A limiter as bytes, so that a restart forgets no key.
//!
//! All numbers are little-endian. Version 1:
//!
//! | bytes | content |
//! |---|---|
//! | 8 | `NSLIMIT` and the version as a byte |
//! | 8 | the wall clock, in milliseconds since 1970 |
//! | 16 | the secret of the fingerprints |
//! | 1, 1 | 0 for GCRA or 1 for fixed windows; the number of limits |
//! | for each limit | 4 limit, 4 burst, 8 window in milliseconds, 1 strict or 0, 1 length of the name, the name |
//! | 8 | the number of entries |
//! | for each entry | 8 fingerprint (odd for a block), 8 for each limit: nanoseconds left, and 8 more in fixed windows: the count |
//! | 8 | SipHash-1-3 of all bytes before, under the secret |

use std::sync::Arc;

use super::calls::Limiter;
use super::fingerprint::Fingerprinter;
use super::limit::{Limit, Limits, MAX_LIMITS, checked};
use super::quota::{Algorithm, Quota};
use super::slots::Found;
use super::state::Moment;
use super::table::{MAX_MAX_KEYS, OnFull, no_memory};
use super::view::BLOCK;
use crate::clock::Clock;
use crate::error::{Code, Error, Result};

const MAGIC: &[u8; 8] = b"NSLIMIT\x01";

/// The longest snapshot: a table can hold half as many keys more than it must.
pub const MAX_SNAPSHOT_LEN: usize = (MAX_MAX_KEYS + MAX_MAX_KEYS / 2) * (8 + 16 * MAX_LIMITS);

impl Limiter {
    /// The keys with their debts and blocks, as bytes. They contain the secret of the fingerprints,
    /// but no key.
    ///
    /// Takes about a millisecond for 100,000 keys. Fails with `ERR_LIMIT_FULL` if there is no
    /// memory.
    pub fn snapshot(&self) -> Result<Vec<u8>> {
        let (limits, _) = self.limits();
        let now = self.now();
        let mut entries = 0_u64;
        self.table.each(|slots| slots.buckets().each(now, |_, _, _| entries += 1));
        let entry_len = 8 + limits.len() * state_len(self.algorithm);
        // Other threads may add keys meanwhile. Those that do not fit are left out.
        let capacity = usize::try_from(entries).unwrap_or(usize::MAX).saturating_mul(entry_len);
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(capacity.saturating_add(1024)).map_err(|_| no_memory())?;
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&self.clock.unix_millis().to_le_bytes());
        bytes.extend_from_slice(&self.fingerprinter.key());
        let is_fixed = self.algorithm == Algorithm::FixedWindow;
        // Few enough for a byte, as the lengths of names are.
        bytes.extend_from_slice(&[u8::from(is_fixed), limits.len().to_le_bytes()[0]]);
        for limit in limits.iter() {
            let (quota, name) = (limit.quota(), limit.name().as_bytes());
            bytes.extend_from_slice(&quota.limit().to_le_bytes());
            bytes.extend_from_slice(&quota.burst().to_le_bytes());
            bytes.extend_from_slice(&quota.window_ms().to_le_bytes());
            bytes.extend_from_slice(&[u8::from(quota.is_strict()), name.len().to_le_bytes()[0]]);
            bytes.extend_from_slice(name);
        }
        let count_at = bytes.len();
        bytes.extend_from_slice(&[0; 8]);
        let mut written = 0_u64;
        self.table.each(|slots| {
            slots.buckets().each(now, |fingerprint, is_block, words| {
                if written == entries {
                    return;
                }
                written += 1;
                let marked = fingerprint | if is_block { BLOCK } else { 0 };
                bytes.extend_from_slice(&marked.to_le_bytes());
                for (limit, word) in limits.iter().zip(words) {
                    let left = limit.quota().reset_ns(*word, now);
                    bytes.extend_from_slice(&left.to_le_bytes());
                    if is_fixed {
                        let count = limit.quota().debt(*word, now);
                        bytes.extend_from_slice(&count.to_le_bytes());
                    }
                }
            });
        });
        bytes[count_at..count_at + 8].copy_from_slice(&written.to_le_bytes());
        let checksum = self.fingerprinter.checksum(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        Ok(bytes)
    }

    /// A limiter with the keys of a snapshot. The time since the snapshot counts, by the wall
    /// clock. Limits are matched by their names: a limit that the snapshot lacks starts anew, and
    /// one with other numbers is changed as by [`Limiter::set_limits`].
    ///
    /// Fails with `ERR_LIMIT_SNAPSHOT` for bytes that are no snapshot, and as [`Limiter::new`].
    pub fn restore(
        bytes: &[u8],
        limits: &Limits,
        max_keys: usize,
        on_full: OnFull,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let snapshot = Snapshot::parse(bytes).ok_or_else(damaged)?;
        if snapshot.limits[0].quota().algorithm() != limits[0].quota().algorithm() {
            return Err(Error::new(
                Code::InvalidArgValue,
                "the snapshot is of a limiter with another algorithm: pass the same algorithm",
            ));
        }
        let passed_ms = clock.unix_millis().saturating_sub(snapshot.unix_millis);
        let limiter = Self::with(limits, max_keys, on_full, clock, snapshot.fingerprinter)?;
        let now = limiter.now();
        let elapsed_ns = passed_ms.saturating_mul(1_000_000);
        for entry in snapshot.entries.chunks_exact(snapshot.entry_len) {
            let (fingerprint, states) = entry.split_at(8);
            let fingerprint = u64_at(fingerprint);
            let state = |column: usize| {
                let states = &states[column * state_len(limiter.algorithm)..];
                let left = u64_at(states).saturating_sub(elapsed_ns).min(1 << 62);
                (left, states.get(8..).map_or(0, u64_at))
            };
            let mut slots = limiter.table.shard(fingerprint);
            if fingerprint & BLOCK != 0 {
                let (left, _) = state(0);
                let until = limiter.algorithm.word_until(now.ns.saturating_add(left));
                if until > now.word {
                    slots.block(fingerprint & !BLOCK, until, now);
                }
                continue;
            }
            let found: Found = slots.find(fingerprint, now);
            let mut words = found.words;
            for (limit, word) in limits.iter().zip(&mut words) {
                let former = snapshot.limits.iter().position(|each| each.name() == limit.name());
                let Some(column) = former else { continue };
                let restored =
                    restored(limit.quota(), &snapshot.limits[column], state(column), now);
                // Not less than the debt of an overflow cell.
                *word = (*word).max(restored);
            }
            if words.iter().any(|word| *word > now.word) {
                // If the table is too small, the overflow cells have the states.
                let _ = slots.write(fingerprint, &found, &words, true, now);
            }
        }
        Ok(limiter)
    }
}

/// The word of a state: nanoseconds left, and a count in a fixed window.
fn restored(quota: &Quota, former: &Limit, (left, count): (u64, u64), now: Moment) -> u64 {
    let algorithm = quota.algorithm();
    let end = algorithm.word_until(now.ns.saturating_add(left));
    let word = match algorithm {
        Algorithm::Gcra => end,
        Algorithm::FixedWindow => former.quota().word(count, end, now),
    };
    if left == 0 { 0 } else { quota.carry_over(word, former.quota(), now) }
}

/// A snapshot whose form and checksum are right.
struct Snapshot<'a> {
    unix_millis: u64,
    fingerprinter: Fingerprinter,
    limits: Limits,
    entry_len: usize,
    entries: &'a [u8],
}

impl<'a> Snapshot<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (body, checksum) = bytes.split_last_chunk::<8>()?;
        let mut rest = body;
        let mut take = |len: usize| {
            let (taken, after) = rest.split_at_checked(len)?;
            rest = after;
            Some(taken)
        };
        if take(8)? != MAGIC {
            return None;
        }
        let unix_millis = u64_at(take(8)?);
        let fingerprinter = Fingerprinter::with_key(take(16)?.try_into().ok()?);
        if fingerprinter.checksum(body) != u64::from_le_bytes(*checksum) {
            return None;
        }
        let head = take(2)?;
        let is_fixed = head[0] == 1;
        let mut limits = Vec::new();
        for _ in 0..head[1] {
            let fields = take(18)?;
            let number = |at: usize| fields[at..at + 4].try_into().map(u32::from_le_bytes).ok();
            let (limit, burst, window_ms) = (number(0)?, number(4)?, u64_at(&fields[8..]));
            let quota = match (is_fixed, fields[16] == 1) {
                (true, _) => Quota::fixed_window(limit, window_ms),
                (false, true) => Quota::strict(limit, window_ms, Some(burst)),
                (false, false) => Quota::new(limit, window_ms, Some(burst)),
            };
            let name = std::str::from_utf8(take(usize::from(fields[17]))?).ok()?;
            limits.push(Limit::new(name, quota.ok()?).ok()?);
        }
        let limits = checked(limits).ok()?;
        let count = usize::try_from(u64_at(take(8)?)).ok()?;
        let entry_len = 8 + limits.len() * state_len(limits[0].quota().algorithm());
        let entries = rest;
        let is_whole = count.checked_mul(entry_len) == Some(entries.len());
        is_whole.then_some(Self { unix_millis, fingerprinter, limits, entry_len, entries })
    }
}

fn state_len(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::Gcra => 8,
        Algorithm::FixedWindow => 16,
    }
}

fn u64_at(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

fn damaged() -> Error {
    Error::new(
        Code::LimitSnapshot,
        "the bytes are no snapshot of a limiter, or are cut or damaged: pass what snapshot() \
         returned, or start with an empty limiter",
    )
}
