//! Tokens that have been verified, so that of one that comes back only what may have changed is
//! checked. Forgeries never get in.
//!
//! A token is found by the end of its signature, which nobody chooses, and is compared in full.
//! What goes first is found by CLOCK: a hand goes round and takes what has not been asked for since
//! it last came by.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::Rejection;
use super::checks::Standing;

/// The end of a token that it is found by, in bytes.
const TAIL_LEN: usize = 32;
/// How many bytes of tokens and payloads there may be for each entry, on average: a token of a
/// kilobyte has room.
const BYTES_PER_ENTRY: usize = 2048;
/// However few entries there are: room for the longest token and its payload.
const MIN_BYTES: usize = 2 * super::MAX_TOKEN_LEN;
/// How far the hand goes for one entry. It then takes what it points to: a flood of tokens costs
/// each of them this much and no more.
const MAX_STEPS: usize = 16;

/// Verified tokens, bounded in number and in bytes.
pub struct Cache {
    max_entries: usize,
    max_bytes: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    entries: Vec<Entry>,
    /// Where in `entries` the token is that ends so.
    index: HashMap<[u8; TAIL_LEN], usize>,
    bytes: usize,
    hand: usize,
}

struct Entry {
    tail: [u8; TAIL_LEN],
    token: Box<[u8]>,
    payload: Box<str>,
    standing: Standing,
    /// Since the hand last came by.
    was_asked_for: bool,
}

impl Cache {
    /// Nothing yet; at most so many tokens, and so many times 2 KiB.
    pub fn new(max_entries: usize) -> Self {
        let max_bytes = max_entries.saturating_mul(BYTES_PER_ENTRY).max(MIN_BYTES);
        Self { max_entries, max_bytes, state: Mutex::default() }
    }

    /// Whether the token is known and, as `still` finds, as good as it was; its payload then
    /// replaces the contents of `payload`.
    pub fn recall(
        &self,
        token: &[u8],
        still: impl FnOnce(&Standing) -> Result<bool, Rejection>,
        payload: &mut Vec<u8>,
    ) -> Result<bool, Rejection> {
        let Some(tail) = token.last_chunk() else { return Ok(false) };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { entries, index, .. } = &mut *state;
        let Some(entry) = index.get(tail).and_then(|&at| entries.get_mut(at)) else {
            return Ok(false);
        };
        if *entry.token != *token || !still(&entry.standing)? {
            return Ok(false);
        }
        entry.was_asked_for = true;
        payload.clear();
        payload.extend_from_slice(entry.payload.as_bytes());
        Ok(true)
    }

    /// Remembers a token that has just been verified.
    pub fn insert(&self, token: &[u8], payload: &str, standing: Standing) {
        let Some(tail) = token.last_chunk() else { return };
        let entry = Entry {
            tail: *tail,
            token: token.into(),
            payload: payload.into(),
            standing,
            was_asked_for: false,
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&at) = state.index.get(tail) {
            state.remove(at);
        }
        while !state.entries.is_empty()
            && (state.entries.len() >= self.max_entries
                || state.bytes + entry.len() > self.max_bytes)
        {
            state.evict();
        }
        state.bytes += entry.len();
        let at = state.entries.len();
        state.index.insert(entry.tail, at);
        state.entries.push(entry);
    }
}

impl State {
    fn evict(&mut self) {
        for _ in 0..MAX_STEPS {
            match self.entries.get_mut(self.hand) {
                Some(entry) if entry.was_asked_for => {
                    entry.was_asked_for = false;
                    self.hand += 1;
                }
                Some(_) => break,
                None => self.hand = 0,
            }
        }
        if self.hand >= self.entries.len() {
            self.hand = 0;
        }
        self.remove(self.hand);
        // The newest entry, which is there now, has its turn last.
        self.hand += 1;
    }

    /// Removes an entry; the last one takes its place.
    fn remove(&mut self, at: usize) {
        let entry = self.entries.swap_remove(at);
        self.index.remove(&entry.tail);
        self.bytes -= entry.len();
        if let Some(moved) = self.entries.get(at) {
            self.index.insert(moved.tail, at);
        }
    }
}

impl Entry {
    fn len(&self) -> usize {
        self.token.len() + self.payload.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jwt::claims::Claims;

    /// A token of so many bytes that ends in `number`.
    fn token(number: usize, len: usize) -> Vec<u8> {
        let mut token = vec![b'h'; len - TAIL_LEN];
        token.extend_from_slice(format!("{number:0TAIL_LEN$}").as_bytes());
        token
    }

    fn insert(cache: &Cache, token: &[u8]) {
        let standing = Standing::of(&Claims::default(), None, 0, u64::MAX);
        cache.insert(token, "payload", standing);
    }

    fn knows(cache: &Cache, token: &[u8]) -> bool {
        let mut payload = b"left over".to_vec();
        let known = cache.recall(token, |_| Ok(true), &mut payload).unwrap();
        assert_eq!(payload == b"payload", known);
        known
    }

    /// Number of entries and bytes, which must agree with what is there.
    fn size(cache: &Cache) -> (usize, usize) {
        let state = cache.state.lock().unwrap();
        assert_eq!(state.index.len(), state.entries.len());
        for (at, entry) in state.entries.iter().enumerate() {
            assert_eq!(state.index[&entry.tail], at);
        }
        assert_eq!(state.entries.iter().map(Entry::len).sum::<usize>(), state.bytes);
        (state.entries.len(), state.bytes)
    }

    #[test]
    fn a_token_is_compared_in_full() {
        let cache = Cache::new(10);
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
        // Of two that end alike, which nobody can make, the later one is remembered.
        let alike = token(1, 201);
        insert(&cache, &alike);
        assert!(knows(&cache, &alike) && !knows(&cache, &genuine));
        assert_eq!(size(&cache).0, 1);
    }

    #[test]
    fn entries_are_bounded_and_what_is_asked_for_stays() {
        for max in [1, 2, 3, 17, 100] {
            let cache = Cache::new(max);
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
        let cache = Cache::new(1000);
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
        let cache = Cache::new(100);
        let most = 100 * BYTES_PER_ENTRY;
        for number in 0..300 {
            insert(&cache, &token(number, [100, crate::jwt::MAX_TOKEN_LEN][number % 2]));
            assert!(size(&cache).1 <= most);
        }
        assert!(size(&cache).0 >= most / crate::jwt::MAX_TOKEN_LEN);
        // However small the cache, the longest token has room.
        let cache = Cache::new(1);
        insert(&cache, &token(1, crate::jwt::MAX_TOKEN_LEN));
        assert!(knows(&cache, &token(1, crate::jwt::MAX_TOKEN_LEN)));
    }

    #[test]
    fn what_no_longer_stands_is_not_given() {
        let cache = Cache::new(2);
        insert(&cache, &token(1, 100));
        let mut payload = Vec::new();
        let mut recall = |still| cache.recall(&token(1, 100), |_| still, &mut payload);
        assert_eq!(recall(Ok(false)), Ok(false));
        assert_eq!(recall(Err(Rejection::Revoked)), Err(Rejection::Revoked));
        assert_eq!(recall(Ok(true)), Ok(true));
    }
}
