use super::*;
use crate::jwt::token::claims::Claims;
use crate::jwt::token::compact::MAX_TOKEN_LEN;
use crate::testing::allocations::out_of_memory;

/// A token of `len` bytes that ends in `number`.
fn token(number: usize, len: usize) -> Vec<u8> {
    let mut token = vec![b'h'; len - TAIL_LEN];
    token.extend_from_slice(format!("{number:0TAIL_LEN$}").as_bytes());
    token
}

fn insert(cache: &Cache, token: &[u8]) {
    let decision = CachedDecision::of(&Claims::default(), None, 0, u64::MAX);
    assert!(cache.insert(token, false, "payload", decision).is_some());
}

fn knows(cache: &Cache, token: &[u8]) -> bool {
    let mut payload = b"left over".to_vec();
    let known = cache.recall(token, false, |_| Ok(true), &mut payload).unwrap();
    assert_eq!(payload == b"payload", known.is_some());
    known.is_some()
}

/// The numbers of entries and of bytes. Both must agree with the contents of the slots.
fn size(cache: &Cache) -> (usize, usize) {
    let state = cache.state.lock().unwrap();
    let mut entries = 0;
    for (slot, entry) in state.slots.iter().enumerate() {
        assert_eq!(entry.is_none(), state.empty.contains(&slot));
        if let Some(entry) = entry {
            assert_eq!(state.index[&entry.tail], slot);
            entries += 1;
        }
    }
    assert_eq!(state.index.len(), entries);
    assert_eq!(state.slots.iter().flatten().map(CachedToken::len).sum::<usize>(), state.bytes);
    (entries, state.bytes)
}

#[test]
fn a_token_is_compared_in_full() {
    let cache = Cache::new(10, MAX_TOKEN_LEN);
    let genuine = token(1, 200);
    insert(&cache, &genuine);
    assert!(knows(&cache, &genuine));
    for at in 0..genuine.len() {
        let mut other = genuine.clone();
        other[at] ^= 1;
        assert!(!knows(&cache, &other), "{at}");
    }
    assert!(!knows(&cache, &genuine[1..]) && !knows(&cache, &genuine[168..]));
    assert!(!knows(&cache, b"") && !knows(&cache, &[b'h'; 31]));
    // If two tokens end alike, which nobody can bring about, the later one is cached.
    let alike = token(1, 201);
    insert(&cache, &alike);
    assert!(knows(&cache, &alike) && !knows(&cache, &genuine));
    assert_eq!(size(&cache).0, 1);
}

#[test]
fn entries_are_bounded_and_what_is_asked_for_stays() {
    for max in [1, 2, 3, 17, 100] {
        let cache = Cache::new(max, MAX_TOKEN_LEN);
        insert(&cache, &token(0, 100));
        for number in 1..1000 {
            assert_eq!(knows(&cache, &token(0, 100)), max > 1 || number == 1, "{number}");
            insert(&cache, &token(number, 100));
            assert_eq!(size(&cache).0, max.min(number + 1));
        }
        assert!(knows(&cache, &token(999, 100)));
    }
}

#[test]
fn a_flood_ends_when_every_entry_is_asked_for() {
    let cache = Cache::new(1000, MAX_TOKEN_LEN);
    for number in 0..1000 {
        insert(&cache, &token(number, 100));
        assert!(knows(&cache, &token(number, 100)));
    }
    for number in 1000..3000 {
        insert(&cache, &token(number, 100));
    }
    assert_eq!(size(&cache).0, 1000);
}

#[test]
fn bytes_are_bounded() {
    let cache = Cache::new(100, MAX_TOKEN_LEN);
    let most = 100 * BYTES_PER_ENTRY;
    for number in 0..300 {
        insert(&cache, &token(number, [100, MAX_TOKEN_LEN][number % 2]));
        assert!(size(&cache).1 <= most);
    }
    assert!(size(&cache).0 >= most / MAX_TOKEN_LEN);
    // However small the cache is, the longest token has room.
    for longest in [MAX_TOKEN_LEN, 1024 * 1024] {
        let cache = Cache::new(1, longest);
        for number in 0..3 {
            insert(&cache, &token(number, longest));
            assert!(knows(&cache, &token(number, longest)));
            assert!(size(&cache).1 <= 2 * longest);
        }
    }
}

#[test]
fn what_no_longer_stands_is_not_given() {
    let cache = Cache::new(2, MAX_TOKEN_LEN);
    insert(&cache, &token(1, 100));
    let mut payload = Vec::new();
    let mut recall = |still| cache.recall(&token(1, 100), true, |_| still, &mut payload);
    assert_eq!(recall(Ok(false)), Ok(None));
    assert_eq!(recall(Err(Rejection::Revoked)), Err(Rejection::Revoked));
    assert_eq!(recall(Ok(true)), Ok(Some(Recalled::Copied(0))));
    for still in [Ok(false), Err(Rejection::Expired), Ok(true)] {
        let held = still.map(|still| still.then_some(Recalled::Held(0)));
        assert_eq!(recall(still), held);
    }
}

/// A held slot belongs to the token that is in it, never to an earlier one.
#[test]
fn a_held_slot_is_of_the_last_token_that_was_given_for_it() {
    let cache = Cache::new(7, MAX_TOKEN_LEN);
    let mut held = std::collections::HashMap::new();
    let mut payload = Vec::new();
    let mut number = 1_usize;
    let mut hits = 0;
    for round in 0..20_000 {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1) % (1 << 40);
        let id = (number >> 20) % 12;
        let token = token(id, if id == 0 { 9000 } else { 100 });
        // Like `verifyMany` on another thread, which holds no payloads.
        let holds = round % 3 != 0;
        let slot = match cache.recall(&token, holds, |_| Ok(true), &mut payload).unwrap() {
            Some(Recalled::Held(slot)) => {
                assert_eq!(held[&slot], id, "{round}");
                hits += 1;
                continue;
            }
            Some(Recalled::Copied(slot)) => {
                assert_eq!(payload, id.to_string().as_bytes());
                slot
            }
            None => {
                let decision = CachedDecision::of(&Claims::default(), None, 0, u64::MAX);
                cache.insert(&token, holds, &id.to_string(), decision).unwrap()
            }
        };
        if holds {
            held.insert(slot, id);
        }
        size(&cache);
    }
    assert!(hits > 1000 && held.len() == 7);
}

#[test]
fn a_token_without_memory_is_not_cached_and_displaces_no_other() {
    let cache = Cache::new(5000, MAX_TOKEN_LEN);
    let decision = || CachedDecision::of(&Claims::default(), None, 0, u64::MAX);
    let counts = |cache: &Cache| {
        let state = cache.state.lock().unwrap();
        (state.index.len(), state.slots.len(), state.bytes)
    };
    let mut refused = 0;
    for number in 0..5000 {
        let token = token(number, 200);
        for spared in 0..3 {
            let before = counts(&cache);
            let insert = || cache.insert(&token, false, "payload", decision());
            if out_of_memory(4096, spared, insert).is_some() {
                break;
            }
            assert!(!knows(&cache, &token));
            assert_eq!(counts(&cache), before);
            refused += 1;
        }
        if !knows(&cache, &token) {
            insert(&cache, &token);
        }
    }
    assert!(refused > 10, "{refused}");
    let long = token(5001, 5000);
    assert!(out_of_memory(4096, 0, || cache.insert(&long, false, "", decision())).is_none());
    assert_eq!(size(&cache).0, 5000);
}
