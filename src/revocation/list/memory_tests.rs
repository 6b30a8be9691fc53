//! The memory of a list while it grows, and after its entries have expired.

use std::time::Duration;

use super::*;
use crate::clock::ManualClock;
use crate::revocation::{Revocation, Scope};
use crate::testing::allocations::held;
use crate::testing::random::Random;

const NOW: u64 = 1_700_000_000;
const ENTRIES: u64 = 300_000;
const DAY: u64 = 24 * 3600;

/// Bytes for each entry, and for a list of few entries.
const BYTES_AN_ENTRY: usize = 64;
const BYTES_OF_A_SMALL_LIST: usize = 48 << 10;

type Revoke = fn(&RevocationList, n: u64, random: u64) -> Result<()>;

/// Lists whose entries expire in one minute, each in a minute of its own, at any time, and of all
/// kinds.
const LISTS: [(&str, Revoke); 6] = [
    ("one minute", |list, n, _| {
        list.revoke(&Revocation::id(&n.to_string(), NOW + 600, Scope::Any))
    }),
    ("each a minute", |list, n, _| {
        list.revoke(&Revocation::id(&n.to_string(), NOW + 60 * n, Scope::Any))
    }),
    ("a month", |list, n, random| {
        list.revoke(&Revocation::id(&n.to_string(), NOW + random % (30 * DAY), Scope::Issuer("i")))
    }),
    ("an hour", |list, n, random| {
        list.revoke(&Revocation::ended_session(&n.to_string(), NOW + random % 3600))
    }),
    ("subjects", |list, n, _| {
        list.revoke(&Revocation::subject(&n.to_string(), NOW + n / 1000, Scope::Any))
    }),
    ("kinds", |list, n, random| {
        let (id, until) = (n.to_string(), NOW + random % DAY);
        match n % 4 {
            0 => list.revoke(&Revocation::id(&id, until, Scope::Any)),
            1 => list.revoke(&Revocation::session(&id, until, Scope::Any)),
            2 => list.revoke(&Revocation::subject(&id, until, Scope::Any)),
            _ => list.revoke(&Revocation::all(until, Scope::Issuer(&id))),
        }
    }),
];

#[test]
fn an_entry_takes_at_most_64_bytes_at_any_size_of_a_growing_list_and_after_expiry() {
    for (name, revoke) in LISTS {
        let start = held();
        let clock = Arc::new(ManualClock::at(NOW));
        let list = RevocationList::new(ListLimits::default(), clock.clone()).unwrap();
        let mut random = Random(1);
        let mut worst = 0;
        let mut check = |step: &str| {
            let (bytes, len) = (held().wrapping_sub(start), list.read().len());
            let most = BYTES_AN_ENTRY * len + BYTES_OF_A_SMALL_LIST;
            assert!(bytes <= most, "{name}, {step}: {bytes} bytes for {len} entries");
            worst = worst.max(bytes.saturating_sub(BYTES_OF_A_SMALL_LIST) / len.max(1));
        };
        for n in 1..=ENTRIES {
            revoke(&list, n, random.number() >> 16).unwrap();
            if n < 1000 || n.is_multiple_of(1000) {
                check("growing");
            }
        }
        // The same entry again, which removes others as they expire.
        let mut writes = 0_u64;
        while list.read().len() > 1 {
            clock.advance(Duration::from_secs(if writes.is_multiple_of(1000) { 3600 } else { 0 }));
            list.revoke(&Revocation::id("last", NOW + 100 * 366 * DAY, Scope::Any)).unwrap();
            writes += 1;
            if writes.is_multiple_of(100) {
                check("expiring");
            }
        }
        check("expired");
        println!("{name}: {worst} bytes an entry at most, above {BYTES_OF_A_SMALL_LIST}");
    }
}
