//! Tests of snapshots that an attacker wrote, with a right checksum: `restore` refuses a snapshot
//! in which a key has two slots, or one in which no call finds it.

use std::sync::Arc;

use super::*;
use crate::clock::ManualClock;
use crate::error::Code;
use crate::limiter::fingerprint::Fingerprinter;
use crate::limiter::layout::Layout;
use crate::limiter::limit::{Limits, checked};
use crate::limiter::on_full::OnFull;
use crate::limiter::quota::Quota;
use crate::limiter::view::BLOCK;

const HOUR_MS: u64 = 3_600_000;
const HOUR_NS: u64 = HOUR_MS * 1_000_000;
/// The limiters that a snapshot of one shard with two buckets is restored to: one of the same form,
/// and larger ones.
const MAX_KEYS: [usize; 3] = [8, 600, 100_000];

fn limits() -> Limits {
    let quota = Quota::new(5, HOUR_MS, None).unwrap();
    checked(vec![Limit::new("hour", quota).unwrap()]).unwrap()
}

fn fingerprinter() -> Fingerprinter {
    Fingerprinter::with_key([7; 16])
}

/// A snapshot with this body. Its checksum is right.
fn forged(version: u8, body: &[u8]) -> Vec<u8> {
    let (unix_millis, fingerprinter) = (1_800_000_000_000, fingerprinter());
    let mut bytes = Vec::new();
    Head { version, unix_millis, fingerprinter: fingerprinter.clone(), limits: limits() }
        .write(&mut bytes);
    bytes.extend_from_slice(body);
    let checksum = fingerprinter.checksum(&bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

/// Shards with these fingerprints in their buckets, each an hour in debt or blocked for an hour.
fn shards(shards: &[&[&[u64]]]) -> Vec<u8> {
    shards_with_cells(shards, &[])
}

/// Shards whose overflow cells with these numbers are an hour in debt.
fn shards_with_cells(shards: &[&[&[u64]]], cells: &[usize]) -> Vec<u8> {
    let mut body = Vec::new();
    put_count(&mut body, shards.len());
    for buckets in shards {
        put_count(&mut body, buckets.len());
        for bucket in *buckets {
            body.push(!(u8::MAX << bucket.len()));
            body.extend(bucket.iter().flat_map(|fingerprint| slot(*fingerprint)));
        }
        put_count(&mut body, cells.len());
        for number in cells {
            put_count(&mut body, *number);
            body.extend_from_slice(&0_u64.to_le_bytes());
            body.extend_from_slice(&HOUR_NS.to_le_bytes());
        }
    }
    body
}

fn slot(fingerprint: u64) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&fingerprint.to_le_bytes());
    bytes[8..].copy_from_slice(&HOUR_NS.to_le_bytes());
    bytes
}

fn restored(bytes: &[u8], max_keys: usize) -> Result<Limiter> {
    let clock = Arc::new(ManualClock::at(1_800_000_000));
    Limiter::restore(bytes, &limits(), max_keys, OnFull::Evict, clock)
}

#[track_caller]
fn assert_refused(bytes: &[u8]) {
    for max_keys in MAX_KEYS {
        let refusal = restored(bytes, max_keys).err().map(|error| error.code);
        assert_eq!(refusal, Some(Code::LimitSnapshot), "restored to {max_keys} keys");
    }
}

#[test]
fn a_key_in_its_bucket_and_its_block_are_restored() {
    let key = fingerprinter().of(b"ada");
    let version_1 = [&2_u64.to_le_bytes()[..], &slot(key), &slot(key | BLOCK)].concat();
    for bytes in [forged(1, &version_1), forged(2, &shards(&[&[&[key], &[key | BLOCK]]]))] {
        for max_keys in MAX_KEYS {
            let limiter = restored(&bytes, max_keys).unwrap();
            let stats = limiter.stats();
            assert_eq!((stats.keys, stats.blocked, stats.evictions), (1, 1, 0), "{max_keys}");
            let report = limiter.peek(b"ada", 1).unwrap();
            assert_eq!((report.allowed, report.decision().retry_after_ns), (false, HOUR_NS));
            assert!(limiter.reset(b"ada"));
            limiter.unblock(b"ada");
            assert!(limiter.peek(b"ada", 5).unwrap().allowed, "{max_keys}");
        }
    }
}

#[test]
fn a_snapshot_with_a_key_or_a_block_twice_is_refused() {
    let key = fingerprinter().of(b"ada");
    for twice in [key, key | BLOCK] {
        assert_refused(&forged(2, &shards(&[&[&[twice, twice], &[]]])));
        assert_refused(&forged(2, &shards(&[&[&[twice], &[twice]]])));
        assert_refused(&forged(
            1,
            &[&2_u64.to_le_bytes()[..], &slot(twice), &slot(twice)].concat(),
        ));
    }
}

#[test]
fn a_snapshot_with_a_key_where_its_limiter_does_not_look_for_it_is_refused() {
    let key = fingerprinter().of(b"ada");
    let of_shard = usize::try_from(key >> 1 & 1).unwrap();
    for shard in 0..2 {
        let mut both: [&[&[u64]]; 2] = [&[&[], &[]]; 2];
        let own: &[&[u64]] = &[&[key], &[]];
        both[shard] = own;
        let bytes = forged(2, &shards(&both));
        if shard == of_shard {
            assert_eq!(restored(&bytes, 8).unwrap().stats().keys, 1);
        } else {
            assert_refused(&bytes);
        }
    }
    let mut refused = 0;
    for bucket in 0..100 {
        let mut buckets: [&[u64]; 100] = [&[]; 100];
        let own = [key];
        buckets[bucket] = &own;
        let bytes = forged(2, &shards(&[&buckets]));
        let layout = Layout { buckets: 100, limits: 1 };
        if layout.walk_to(key, bucket).is_some() {
            assert_eq!(restored(&bytes, 8).unwrap().stats().keys, 1, "bucket {bucket}");
        } else {
            assert_refused(&bytes);
            refused += 1;
        }
    }
    assert!(refused > 50, "{refused}");
    // A shard has at least two buckets.
    assert_refused(&forged(2, &shards(&[&[&[key]]])));
    assert_refused(&forged(2, &shards(&[&[]])));
}

#[test]
fn a_snapshot_whose_cells_are_not_in_their_order_is_refused() {
    let buckets: [&[u64]; 20] = [&[]; 20];
    let three = forged(2, &shards_with_cells(&[&buckets], &[0, 1, 2]));
    assert!(!restored(&three, 8).unwrap().peek(b"ada", 1).unwrap().allowed);
    for cells in [&[0, 0][..], &[1, 0], &[0, 2, 1], &[3]] {
        assert_refused(&forged(2, &shards_with_cells(&[&buckets], cells)));
    }
}
