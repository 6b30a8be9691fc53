//! Reads snapshots and files of limiters from any bytes: see [`crate::fuzz`].

use std::collections::HashSet;
use std::sync::Arc;

use super::fingerprint::Fingerprinter;
use super::limit::{Limit, Limits, checked};
use super::machine;
use super::on_full::OnFull;
use super::process::Limiter;
use super::quota::Quota;
use super::slots::Found;
use crate::clock::TestClock;
use crate::error::Code;

const NOW: u64 = 1_800_000_000_000;
const HOUR: u64 = 3_600_000;
/// The place of the secret of the fingerprints in a snapshot.
const KEY_AT: usize = 16;

/// Restores a limiter from the bytes, to which their checksum is added: only the form decides.
/// Returns whether a limiter of two limits was restored. It then has each key once, its own
/// snapshot makes an equal limiter, and it makes decisions.
pub(crate) fn snapshot(bytes: &[u8]) -> bool {
    let key = bytes.get(KEY_AT..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
    let checksum = Fingerprinter::with_key(key).checksum(bytes);
    let whole = [bytes, &checksum.to_le_bytes()].concat();
    let mut is_restored = false;
    for (limits, max_keys) in [(gcra(), 8), (gcra(), 64), (windows(), 8), (windows(), 64)] {
        let clock = Arc::new(TestClock::at(NOW));
        let limiter =
            match Limiter::restore(&whole, &limits, max_keys, OnFull::Evict, clock.clone()) {
                Ok(limiter) => limiter,
                Err(error) => {
                    let codes = [Code::LimitSnapshot, Code::InvalidArgValue, Code::LimitFull];
                    assert!(codes.contains(&error.code), "{error}");
                    continue;
                }
            };
        is_restored = true;
        let own = limiter.snapshot().expect("room");
        let again =
            Limiter::restore(&own, &limits, max_keys, OnFull::Evict, clock).expect("its own");
        assert_eq!(again.snapshot().expect("room"), own);
        let [before, after] = [&limiter, &again].map(Limiter::stats);
        assert_eq!((after.keys, after.blocked), (before.keys, before.blocked));
        assert_eq!((after.evictions, after.overflows), (0, 0));
        demand_each_key_once(&limiter);
        let keys = [&b"a"[..], b"b", b"c", b""];
        for key in keys {
            let [before, after] = [&limiter, &again].map(|each| each.peek(key, 1).expect("a cost"));
            assert_eq!(before, after);
        }
        // A key without a slot charges a cell, which others share.
        for key in keys {
            limiter.consume(key, 2).expect("a cost");
            limiter.block(key, 1000).expect("a time");
            limiter.refund(key, 1).expect("a cost");
            limiter.penalize(key, 3).expect("a cost");
            demand_each_key_once(&limiter);
            limiter.reset(key);
        }
        limiter.snapshot().expect("room");
    }
    is_restored
}

/// Every key and every block of the table has one slot, in which a call finds it.
fn demand_each_key_once(limiter: &Limiter) {
    let now = limiter.now();
    let mut seen = HashSet::new();
    limiter.table.each(|slots| {
        slots.buckets().each(now, |fingerprint, is_block, words| {
            assert!(seen.insert((fingerprint, is_block)), "{fingerprint} has two slots");
            let found: Found = slots.find(fingerprint, now);
            if is_block {
                assert_eq!(slots.blocked_until(fingerprint, &found, now), words[0]);
            } else {
                assert_eq!(found.words, *words);
            }
        });
    });
}

/// Opens a file of a limiter with these bytes, whose checksums are made right. Returns whether it
/// was opened. All calls then end, with any content of the table.
pub(crate) fn file(bytes: &[u8]) -> bool {
    machine::fuzz::file(bytes)
}

fn gcra() -> Limits {
    let limit = |name, limit, ms| {
        Limit::new(name, Quota::new(limit, ms, None).expect("a quota")).expect("a limit")
    };
    checked(vec![limit("hour", 5, HOUR), limit("day", 12, 24 * HOUR)]).expect("limits")
}

fn windows() -> Limits {
    let limit = |name, limit, ms| {
        Limit::new(name, Quota::fixed_window(limit, ms).expect("a quota")).expect("a limit")
    };
    checked(vec![limit("hour", 5, HOUR), limit("day", 12, 24 * HOUR)]).expect("limits")
}
