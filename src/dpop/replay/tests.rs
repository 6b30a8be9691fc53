//! Tests the table beside a set, by many threads at once, at the edges of time, and on files.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use std::{fs, thread};

use super::header::{Fixed, LEN, word};
use super::size::slots_for;
use super::table::Table;
use super::{DEFAULT_ENTRIES, MIN_ENTRIES, ReplayCache};
use crate::clock::{Clock, ManualClock};
use crate::dpop::refusal::Refusal;
use crate::error::Code;
use crate::machine_file::{self, Found};
use crate::testing::folder::Folder;
use crate::testing::random::Random;

const NOW: u64 = 1_700_000_000;

/// A cache that began in the second before the present.
fn cache(max_entries: usize) -> (ReplayCache, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(NOW - 1));
    let cache = ReplayCache::new(max_entries, clock.clone()).unwrap();
    clock.set(NOW);
    cache.expect_age(60);
    (cache, clock)
}

/// Remembers a proof that was made at a second, at the present of the cache's clock.
fn remember(cache: &ReplayCache, jti: &str, made: u64) -> Result<(), Refusal> {
    cache.remember("a thumbprint", jti, made, cache.now() / 1000)
}

#[test]
fn a_proof_counts_once_and_another_key_may_use_its_jti() {
    let (cache, _) = cache(MIN_ENTRIES);
    assert_eq!(remember(&cache, "one", NOW), Ok(()));
    assert_eq!(remember(&cache, "one", NOW), Err(Refusal::Replayed));
    assert_eq!(remember(&cache, "one", NOW + 1), Err(Refusal::Replayed));
    assert_eq!(remember(&cache, "two", NOW), Ok(()));
    assert_eq!(cache.remember("another thumbprint", "one", NOW, NOW), Ok(()));
    assert_eq!(cache.entries(), 3);
}

#[test]
fn a_proof_from_before_the_cache_or_of_its_first_second_is_refused() {
    let (cache, _) = cache(MIN_ENTRIES);
    // A predecessor that ended in the second in which the cache began may have accepted it.
    for made in [0, 1, NOW - 2, NOW - 1] {
        assert_eq!(remember(&cache, "one", made), Err(Refusal::Forgotten), "{made}");
    }
    assert_eq!(remember(&cache, "one", NOW), Ok(()));
    // Beyond the times that a word has room for.
    assert_eq!(remember(&cache, "far", NOW - 1 + (1 << 28)), Err(Refusal::Forgotten));
}

#[test]
fn the_whole_size_fits_and_beyond_it_the_table_fails_closed_until_proofs_are_too_old() {
    let (cache, clock) = cache(10_000);
    for number in 0..10_000 {
        assert_eq!(remember(&cache, &format!("{number}"), NOW), Ok(()), "{number}");
    }
    assert_eq!(cache.entries(), 10_000);
    let mut number = 10_000;
    let refused = loop {
        match remember(&cache, &format!("{number}"), NOW) {
            Ok(()) => number += 1,
            Err(refusal) => break refusal,
        }
    };
    assert_eq!(refused, Refusal::Full);
    assert!(number <= slots_for(10_000), "{number}");
    assert_eq!(remember(&cache, &format!("{number}"), NOW), Err(Refusal::Full));
    // Those that are remembered stay so while they would be accepted.
    clock.advance(Duration::from_secs(60));
    assert_eq!(remember(&cache, &format!("{number}"), NOW + 60), Err(Refusal::Full));
    assert_eq!(remember(&cache, "7", NOW), Err(Refusal::Replayed));
    clock.advance(Duration::from_secs(1));
    assert_eq!(remember(&cache, &format!("{number}"), NOW + 61), Ok(()));
}

#[test]
fn a_forgotten_proof_is_refused_when_the_clock_goes_back_or_a_checker_accepts_older_ones() {
    let (cache, clock) = cache(MIN_ENTRIES);
    assert_eq!(remember(&cache, "old", NOW), Ok(()));
    clock.advance(Duration::from_secs(61));
    // Fills the table, and so takes the place of the old one.
    let mut number = 0;
    while remember(&cache, &format!("{number}"), NOW + 61).is_ok() {
        number += 1;
    }
    assert!(number >= MIN_ENTRIES, "{number}");
    cache.expect_age(3600);
    assert_eq!(remember(&cache, "old", NOW), Err(Refusal::Forgotten));
    clock.set(NOW + 1);
    assert_eq!(remember(&cache, "old", NOW), Err(Refusal::Forgotten));
    assert_eq!(remember(&cache, "new", NOW), Err(Refusal::Forgotten));
}

#[test]
fn an_entry_that_nobody_has_replaced_is_found_however_old_it_is() {
    let (cache, clock) = cache(MIN_ENTRIES);
    assert_eq!(remember(&cache, "old", NOW), Ok(()));
    clock.advance(Duration::from_secs(500));
    assert_eq!(remember(&cache, "old", NOW), Err(Refusal::Replayed));
    assert_eq!(cache.entries(), 0);
}

#[test]
fn the_table_agrees_with_a_set_while_time_passes() {
    let mut random = Random(7);
    let (cache, clock) = cache(2000);
    let (mut known, mut fresh) = (HashMap::new(), 0);
    for _ in 0..50_000 {
        if random.below(100) == 0 {
            clock.advance(Duration::from_secs(1));
        }
        let now = cache.now() / 1000;
        let made = now - random.below(20) as u64;
        let jti = format!("{}", random.below(2000));
        let answer = remember(&cache, &jti, made);
        match answer {
            // Another proof may have the same `jti` when the former one is too old.
            Ok(()) => {
                let former = known.insert(jti, made);
                assert!(former.is_none_or(|former| former + 60 < now && former < made));
                fresh += 1;
            }
            Err(Refusal::Replayed) => assert!(known.contains_key(&jti), "{jti} is new"),
            Err(Refusal::Forgotten) => assert!(made < NOW, "{made}"),
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(fresh > known.len() && known.len() > 1000, "{fresh} {}", known.len());
}

#[test]
fn of_many_threads_with_one_proof_exactly_one_is_accepted() {
    const PROOFS: usize = 1000;
    let (cache, _) = cache(2000);
    let wins: Vec<AtomicU64> = (0..PROOFS).map(|_| AtomicU64::new(0)).collect();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for (number, wins) in wins.iter().enumerate() {
                    if remember(&cache, &format!("{number}"), NOW).is_ok() {
                        wins.fetch_add(1, SeqCst);
                    }
                }
            });
        }
    });
    assert!(wins.iter().all(|wins| wins.load(SeqCst) == 1));
    assert_eq!(cache.entries(), PROOFS);
}

/// Places of a fingerprint: words that other callers could have left.
#[test]
fn a_caller_that_was_killed_leaves_its_proof_refused_and_the_table_usable() {
    let fixed = Fixed::new(MIN_ENTRIES, NOW, String::new()).unwrap();
    let mut words: Vec<AtomicU64> = fixed.encode().map(AtomicU64::new).into();
    words.resize_with(LEN + slots_for(MIN_ENTRIES), AtomicU64::default);
    words[word::LONGEST_AGE] = AtomicU64::new(60);
    let table = Table::new(&words);
    let hash = 0x1234_5678_9abc_def0_u128 << 64 | 0x1111_2222_3333_4444;
    assert_eq!(table.remember(hash, 1, 1), Ok(()));
    let slot = words[LEN..].iter().position(|word| word.load(SeqCst) != 0).unwrap();
    let settled = words[LEN + slot].load(SeqCst);
    assert_eq!(settled & 3, 2);
    // It was killed before the entry was settled.
    words[LEN + slot].store(settled - 1, SeqCst);
    assert_eq!(table.remember(hash, 1, 1), Err(Refusal::Replayed));
    assert_eq!(table.remember(!hash, 1, 1), Ok(()));
    // Its place is free when the proof is too old.
    assert_eq!((table.entries(1), table.entries(62)), (2, 0));
}

#[test]
fn nonces_are_those_of_their_cache_and_tell_their_time() {
    let (one, clock) = cache(MIN_ENTRIES);
    let (other, _) = cache(MIN_ENTRIES);
    let nonce = one.nonce();
    assert_eq!(one.time_of(&nonce), Some(NOW * 1000));
    assert_eq!(other.time_of(&nonce), None);
    clock.advance(Duration::from_millis(1500));
    assert_eq!(one.time_of(&one.nonce()), Some(NOW * 1000 + 1500));
    for place in 0..nonce.len() {
        let mut changed = nonce.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'E' } else { b'A' };
        assert_eq!(one.time_of(std::str::from_utf8(&changed).unwrap()), None, "{place}");
    }
    for text in ["", "AAAA", &nonce[1..], &format!("{nonce}AAAA"), "é"] {
        assert_eq!(one.time_of(text), None, "{text}");
    }
}

#[test]
fn all_caches_of_a_file_remember_what_one_of_them_has_seen() {
    let folder = Folder::new();
    let path = folder.path("proofs");
    let manual = Arc::new(ManualClock::at(NOW - 1));
    let clock: Arc<dyn Clock> = manual.clone();
    let one = ReplayCache::machine(&path, Some(1000), &clock).unwrap();
    manual.set(NOW);
    assert!(Arc::ptr_eq(&one, &ReplayCache::machine(&path, None, &clock).unwrap()));
    let Found::File(opened) = machine_file::find::<Fixed>(&path).unwrap() else { panic!() };
    // As another process would map it.
    let other = ReplayCache::mapped(&opened, clock.clone()).unwrap();
    one.expect_age(60);
    assert_eq!(remember(&one, "one", NOW), Ok(()));
    assert_eq!(remember(&other, "one", NOW), Err(Refusal::Replayed));
    assert_eq!(remember(&other, "two", NOW), Ok(()));
    assert_eq!(remember(&one, "two", NOW), Err(Refusal::Replayed));
    assert_eq!(other.time_of(&one.nonce()), Some(NOW * 1000));
    let differs = ReplayCache::machine(&path, Some(1001), &clock).err().unwrap();
    assert_eq!(differs.code, Code::InvalidArgValue);
    assert_eq!(one.max_entries(), 1000);
}

#[test]
fn a_damaged_file_is_refused() {
    let folder = Folder::new();
    let path = folder.path("proofs");
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(NOW));
    let cache = ReplayCache::machine(&path, None, &clock).unwrap();
    assert_eq!(cache.max_entries(), DEFAULT_ENTRIES);
    drop(cache);
    fs::remove_file(&path).unwrap();
    drop(ReplayCache::machine(&path, Some(1000), &clock).unwrap());
    let whole = fs::read(&path).unwrap();
    for bit in 0..(word::CHECKSUM + 1) * 64 {
        let mut changed = whole.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, changed).unwrap();
        let refused = ReplayCache::machine(&path, None, &clock).err().unwrap();
        assert_eq!(refused.code, Code::DpopFile, "bit {bit}");
    }
    fs::write(&path, &whole[..whole.len() - 8]).unwrap();
    let refused = ReplayCache::machine(&path, None, &clock).err().unwrap();
    assert_eq!(refused.code, Code::DpopFile);
}

/// Its entries may be lost. Not under wine, which cannot replace a file that is open.
#[cfg(unix)]
#[test]
fn a_file_of_an_earlier_start_of_the_machine_is_made_anew() {
    let folder = Folder::new();
    let path = folder.path("proofs");
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(NOW));
    drop(ReplayCache::machine(&path, Some(1000), &clock).unwrap());
    let stale = Fixed::new(1000, NOW, "another start".into()).unwrap();
    let mut bytes: Vec<u8> = stale.encode().iter().flat_map(|word| word.to_ne_bytes()).collect();
    bytes.resize(fs::read(&path).unwrap().len(), 0);
    fs::write(&path, bytes).unwrap();
    let later: Arc<dyn Clock> = Arc::new(ManualClock::at(NOW + 10));
    let cache = ReplayCache::machine(&path, None, &later).unwrap();
    assert_eq!(cache.max_entries(), 1000);
    assert_eq!(remember(&cache, "one", NOW + 10), Err(Refusal::Forgotten));
    assert_eq!(remember(&cache, "one", NOW + 11), Ok(()));
}
