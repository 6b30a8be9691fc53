//! Tests the states in which a process may leave the file if it is killed or stopped between two
//! steps.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use super::MachineLimiter;
use super::header::word;
use super::insert::{Inserted, Newcomer};
use super::limits::FileLimits;
use super::owner::{CLAIM, owner, tag};
use super::tests::{TestPath, Two, composed, named, one};
use crate::limiter::layout::{Place, WAYS};
use crate::limiter::limit::{MAX_LIMITS, checked};
use crate::limiter::on_full::OnFull;

fn admitted(limiter: &MachineLimiter, key: &[u8]) -> u32 {
    (0..100).map(|_| u32::from(limiter.check(key, 1).unwrap())).sum()
}

/// The place of a key's slot.
fn place(two: &Two, key: &[u8]) -> Place {
    let (fingerprint, now) = (two.one.fingerprinter.of(key), two.one.now());
    two.one.table.locate(fingerprint, now).unwrap().0.place().unwrap()
}

/// Leaves a slot as a process does that is killed after so many steps of giving it to a key.
fn abandon(two: &Two, place: Place, key: &[u8], steps: usize) {
    let table = &two.one.table;
    let next = owner(tag(two.one.fingerprinter.of(key)), 0x7ffe);
    table.control(place).store(CLAIM | next, SeqCst);
    if steps > 1 {
        table.at(place.index).store(next, SeqCst);
    }
    if steps > 2 {
        for column in 1..table.layout.limits {
            table.at(place.index + WAYS * (1 + column)).store(two.one.now().ns + (1 << 40), SeqCst);
        }
    }
}

#[test]
fn a_claim_that_is_left_behind_neither_frees_nor_charges_a_key_nor_keeps_its_slot() {
    for steps in 1..=3 {
        let path = TestPath::new();
        let two = path.make(&composed(), 8, OnFull::Deny);
        assert_eq!(admitted(&two.one, b"former"), 5);
        let slot = place(&two, b"former");
        two.clock.advance(Duration::from_secs(100_000));
        abandon(&two, slot, b"claimer", steps);
        // The former key had expired, and begins anew in another slot.
        assert_eq!(admitted(&two.other, b"former"), 5, "{steps}");
        assert_eq!(admitted(&two.one, b"claimer"), 5, "{steps}");
        assert_eq!([&two.one, &two.other].map(|limiter| admitted(limiter, b"former")), [0, 0]);
        assert_eq!(two.one.stats().keys, 2);
        // All slots are abandoned again and again, and can still be used.
        for bucket in 0..two.one.table.layout.buckets {
            for lane in 0..WAYS {
                let index = two.one.table.layout.bucket(bucket) + lane;
                abandon(&two, Place { index, walk: 0 }, b"claimer", steps);
            }
        }
        for key in 0..8_u8 {
            assert_eq!(admitted(&two.other, &[key]), 5, "{steps}");
        }
        assert_eq!(two.one.stats().keys, 8);
    }
}

#[test]
fn a_claim_that_was_taken_away_is_not_completed() {
    let path = TestPath::new();
    let two = path.make(&composed(), 100, OnFull::Evict);
    admitted(&two.one, b"key");
    let slot = place(&two, b"key");
    let words = [u64::MAX >> 1; MAX_LIMITS];
    let limits = two.one.limits().0;
    let stale = Newcomer {
        table: &two.one.table,
        limits: &limits,
        fingerprint: two.one.fingerprinter.of(b"stopped"),
        words: &words,
        may_forget: true,
        now: two.one.now(),
    };
    // The process stopped after its claim. Meanwhile the slot was given to the key.
    let next = owner(tag(stale.fingerprint), 0x7ffd);
    assert!(matches!(stale.finish(slot, CLAIM | next, next), Inserted::Again(None)));
    assert_eq!(admitted(&two.one, b"key"), 0);
    assert_eq!(admitted(&two.one, b"stopped"), 5);
}

#[test]
fn a_key_never_gets_a_second_slot_beside_one_in_a_later_bucket() {
    let path = TestPath::new();
    let two = path.make(&one(5), 100, OnFull::Evict);
    let fingerprint = two.one.fingerprinter.of(b"key");
    let (table, limits, now) = (&two.one.table, two.one.limits().0, two.one.now());
    let words = [now.ns + 1, 0, 0, 0];
    let newcomer =
        Newcomer { table, limits: &limits, fingerprint, words: &words, may_forget: true, now };
    // As by a process that found both buckets of the key full.
    let (_, second) = table.layout.choices(fingerprint);
    let index = table.layout.bucket(table.layout.after(second, 1));
    assert!(matches!(newcomer.claim(Place { index, walk: 1 }, false), Inserted::Done));
    // It has expired, so nobody looks behind the buckets.
    two.clock.advance(Duration::from_secs(10));
    assert_eq!(admitted(&two.other, b"key"), 5);
    assert_eq!(two.one.stats().keys, 1);
    assert_eq!(table.at(index).load(SeqCst) & 0xffff_ffff_ffff, tag(fingerprint));
}

#[test]
fn a_call_that_is_killed_between_two_limits_leaves_at_most_its_cost_taken() {
    let path = TestPath::new();
    let two = path.make(&composed(), 100, OnFull::Evict);
    two.one.check(b"key", 1).unwrap();
    let slot = place(&two, b"key");
    // 3 units of the last two limits, and none yet of the first.
    for column in 1..3 {
        let quota = *two.one.limits().0[column].quota();
        let word = two.one.table.at(slot.index + WAYS * (1 + column));
        word.fetch_add(quota.weight(3), SeqCst);
    }
    let left = two.other.peek(b"key", 1).unwrap();
    let left = left.decisions().iter().map(|decision| decision.remaining);
    assert_eq!(left.collect::<Vec<_>>(), [4, 4, 96]);
    assert_eq!(admitted(&two.other, b"key"), 4);
}

#[test]
fn a_change_of_the_limits_that_is_killed_changes_nothing() {
    let path = TestPath::new();
    let two = path.make(&one(5), 100, OnFull::Evict);
    // The set that is not in use is half written.
    for at in word::SETS[1]..word::SETS[1] + 20 {
        two.one.table.header()[at].store(u64::MAX, SeqCst);
    }
    assert_eq!(admitted(&two.other, b"key"), 5);
    two.other.set_limits(&one(7)).unwrap();
    assert_eq!(admitted(&two.one, b"another"), 7);
}

#[test]
fn a_debt_of_former_limits_lasts_at_most_a_window_longer_than_the_new_burst() {
    let path = TestPath::new();
    let two = path.make(&one(5), 100, OnFull::Evict);
    let short = checked(vec![named("default", 5, 1000, None)]).unwrap();
    admitted(&two.one, b"key");
    // Killed after the new limits were published, before any state was changed.
    FileLimits::publish(&two.one.table, &two.one.fingerprinter, &short);
    let left = two.other.peek(b"key", 1).unwrap().decision();
    assert!(!left.allowed && left.reset_ns <= 2_000_000_000, "{left:?}");
    assert!(!two.other.check(b"key", 1).unwrap());
}
