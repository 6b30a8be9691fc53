//! Tokens that have been verified, so that of one that comes back only what may have changed is
//! checked. Forgeries never get in.
//!
//! A token is found by the end of its signature, which nobody chooses, and is compared in full.
//! What goes first is found by CLOCK: a hand goes round and takes what has not been asked for since
//! it last came by.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::checks::CachedDecision;
use crate::jwt::token::compact::MAX_TOKEN_LEN;
use crate::jwt::token::rejection::Rejection;

/// The end of a token that it is found by, in bytes.
const TAIL_LEN: usize = 32;
/// How many bytes of tokens and payloads there may be for each entry, on average: a token of a
/// kilobyte has room.
const BYTES_PER_ENTRY: usize = 2048;
/// However few entries there are: room for the longest token and its payload.
const MIN_BYTES: usize = 2 * MAX_TOKEN_LEN;
/// How many entries the hand spares for one. It then takes what it points to: a flood of tokens
/// costs each of them this much and no more.
const MAX_SPARED: usize = 16;

/// Verified tokens, bounded in number and in bytes.
pub(crate) struct Cache {
    max_entries: usize,
    max_bytes: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// A token stays in its slot; what was evicted for its size leaves an empty one.
    slots: Vec<Option<CachedToken>>,
    empty: Vec<usize>,
    /// The slot of the token that ends so.
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
    /// Since the hand last came by.
    was_asked_for: bool,
}

/// A token that is known, by its slot.
#[derive(Debug, PartialEq)]
pub(crate) enum Recalled {
    /// The caller holds the payload already.
    Held(usize),
    /// The payload has been copied.
    Copied(usize),
}

impl Cache {
    /// Nothing yet; at most so many tokens, and so many times 2 KiB.
    pub(crate) fn new(max_entries: usize) -> Self {
        let max_bytes = max_entries.saturating_mul(BYTES_PER_ENTRY).max(MIN_BYTES);
        Self { max_entries, max_bytes, state: Mutex::default() }
    }

    /// Whether the token is known and, as `still` finds, as good as it was. Its payload then
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

    /// Remembers a token that has just been verified. Gives the slot, whose payload the caller has
    /// if it `holds` payloads by slot.
    pub(crate) fn insert(
        &self,
        token: &[u8],
        holds: bool,
        payload: &str,
        decision: CachedDecision,
    ) -> Option<usize> {
        let entry = CachedToken {
            tail: *token.last_chunk()?,
            token: token.into(),
            payload: payload.into(),
            decision,
            is_held: holds,
            was_asked_for: false,
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
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

    /// Removes one of the entries, of which there must be one.
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
                // What was evicted for its size: the next tokens fill it.
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
