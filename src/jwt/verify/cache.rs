//! A cache of verified tokens. When a cached token comes back, the verifier checks only the parts
//! that may have changed. Forgeries never get in.
//!
//! A token is found by the end of its signature, which nobody can choose, and is then compared in
//! full. The CLOCK algorithm selects the entry to evict: a hand goes round the slots and evicts the
//! first entry that was not asked for since the hand last passed it.

use std::collections::{HashMap, TryReserveError};
use std::sync::{Mutex, PoisonError};

use super::checks::CachedDecision;
use crate::jwt::token::rejection::Rejection;

/// The length of the end of a token by which it is found, in bytes.
const TAIL_LEN: usize = 32;
/// The bytes of token and payload allowed for each entry, on average: enough for a token of a
/// kilobyte.
const BYTES_PER_ENTRY: usize = 2048;
/// The most entries that the hand spares in one eviction. It then evicts the entry that it points
/// to, so in a flood of tokens each of them costs this much and no more.
const MAX_SPARED: usize = 16;

/// Verified tokens, bounded in number and in bytes.
pub(crate) struct Cache {
    max_entries: usize,
    max_bytes: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// A token stays in its slot. An entry that was evicted for its size leaves an empty slot.
    slots: Vec<Option<CachedToken>>,
    empty: Vec<usize>,
    /// The slot of the token with this end.
    index: HashMap<[u8; TAIL_LEN], usize>,
    bytes: usize,
    hand: usize,
}

struct CachedToken {
    tail: [u8; TAIL_LEN],
    token: Box<[u8]>,
    payload: Box<str>,
    decision: CachedDecision,
    /// Whether the caller has been given the payload for this slot.
    is_held: bool,
    /// Whether the token was asked for since the hand last passed it.
    was_asked_for: bool,
}

/// The slot of a token that is in the cache.
#[derive(Debug, PartialEq)]
pub(crate) enum Recalled {
    /// The caller already holds the payload.
    Held(usize),
    /// The payload has been copied out.
    Copied(usize),
}

impl Cache {
    /// Makes an empty cache for at most `max_entries` tokens of at most `max_len` bytes, and for
    /// 2 KiB times that number, or the longest token and its payload if that is more.
    pub(crate) fn new(max_entries: usize, max_len: usize) -> Self {
        let max_bytes = max_entries.saturating_mul(BYTES_PER_ENTRY).max(2 * max_len);
        Self { max_entries, max_bytes, state: Mutex::default() }
    }

    /// Looks a token up, and asks `still` whether the decision about it holds. On a hit its payload
    /// replaces the contents of `payload`, unless the caller `holds` payloads by slot and was given
    /// this one before.
    pub(crate) fn recall(
        &self,
        token: &[u8],
        holds: bool,
        still: impl FnOnce(&CachedDecision) -> Result<bool, Rejection>,
        payload: &mut Vec<u8>,
    ) -> Result<Option<Recalled>, Rejection> {
        let Some(tail) = token.last_chunk() else { return Ok(None) };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { slots, index, .. } = &mut *state;
        let Some(&slot) = index.get(tail) else { return Ok(None) };
        let Some(Some(entry)) = slots.get_mut(slot) else { return Ok(None) };
        if *entry.token != *token || !still(&entry.decision)? {
            return Ok(None);
        }
        entry.was_asked_for = true;
        if holds && entry.is_held {
            return Ok(Some(Recalled::Held(slot)));
        }
        entry.is_held |= holds;
        payload.clear();
        payload.extend_from_slice(entry.payload.as_bytes());
        Ok(Some(Recalled::Copied(slot)))
    }

    /// Caches a token that has just been verified. Returns its slot; a caller that `holds` payloads
    /// by slot has the payload. `None` if there is no memory to cache it.
    pub(crate) fn insert(
        &self,
        token: &[u8],
        holds: bool,
        payload: &str,
        decision: CachedDecision,
    ) -> Option<usize> {
        let mut copies = (Vec::new(), String::new());
        copies.0.try_reserve_exact(token.len()).ok()?;
        copies.1.try_reserve_exact(payload.len()).ok()?;
        copies.0.extend_from_slice(token);
        copies.1.push_str(payload);
        let entry = CachedToken {
            tail: *token.last_chunk()?,
            token: copies.0.into(),
            payload: copies.1.into(),
            decision,
            is_held: holds,
            was_asked_for: false,
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Before anything is removed.
        state.try_reserve().ok()?;
        if let Some(&slot) = state.index.get(&entry.tail) {
            state.remove(slot);
        }
        while !state.index.is_empty()
            && (state.index.len() >= self.max_entries || state.bytes + entry.len() > self.max_bytes)
        {
            state.evict();
        }
        Some(state.place(entry))
    }
}

impl State {
    /// Makes room for one more token, and for its slot when it is empty again.
    fn try_reserve(&mut self) -> Result<(), TryReserveError> {
        self.index.try_reserve(1)?;
        self.slots.try_reserve(1)?;
        self.empty.try_reserve(self.slots.len() + 1 - self.empty.len())
    }

    fn place(&mut self, entry: CachedToken) -> usize {
        let slot = self.empty.pop().unwrap_or(self.slots.len());
        self.bytes += entry.len();
        self.index.insert(entry.tail, slot);
        match self.slots.get_mut(slot) {
            Some(empty) => *empty = Some(entry),
            None => self.slots.push(Some(entry)),
        }
        slot
    }

    /// Evicts one entry. There must be at least one.
    fn evict(&mut self) {
        let mut spared = 0;
        loop {
            let slot = self.hand;
            self.hand = if slot + 1 < self.slots.len() { slot + 1 } else { 0 };
            match self.slots.get_mut(slot) {
                Some(Some(entry)) if entry.was_asked_for && spared < MAX_SPARED => {
                    entry.was_asked_for = false;
                    spared += 1;
                }
                Some(Some(_)) => return self.remove(slot),
                // An entry was evicted for its size; the next tokens fill the slot.
                Some(None) => {}
                None => return,
            }
        }
    }

    fn remove(&mut self, slot: usize) {
        let Some(entry) = self.slots.get_mut(slot).and_then(Option::take) else { return };
        self.index.remove(&entry.tail);
        self.bytes -= entry.len();
        self.empty.push(slot);
    }
}

impl CachedToken {
    fn len(&self) -> usize {
        self.token.len() + self.payload.len()
    }
}

#[cfg(test)]
mod tests;
