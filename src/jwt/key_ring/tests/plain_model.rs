//! A ring as the manual states its rules, in a plain form, for `model`.

use std::collections::HashMap;

use super::*;

/// The default `maxTokenTtl` and the largest tolerance.
pub(super) const LONGEST_USE: u64 = 24 * 3600 + MAX_CLOCK_TOLERANCE;

/// A key as the model knows it. Keys are numbered in the order in which they are made.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ModelKey {
    pub(super) number: usize,
    pub(super) state: KeyState,
    pub(super) since: u64,
}

/// The rules of a ring, as the manual states them.
pub(super) struct Model {
    pub(super) keys: Vec<ModelKey>,
    pub(super) made: usize,
    pub(super) every: Option<u64>,
    pub(super) now: u64,
    /// The time that the process of a step has proven.
    pub(super) proven: u64,
    /// Seconds from the making of a key until it is published, beside `jwksMaxAge`.
    pub(super) transit: u64,
    /// Whether retired keys are forgotten by the proven time.
    pub(super) needs_proof: bool,
    /// The numbers of keys that were added under a name.
    pub(super) named: HashMap<u8, usize>,
    pub(super) spent: Vec<u8>,
}

impl Model {
    pub(super) fn only(&self, state: KeyState) -> Option<&ModelKey> {
        self.keys.iter().find(|key| key.state == state)
    }

    pub(super) fn signing(&self) -> [Option<usize>; 2] {
        [KeyState::Active, KeyState::Next].map(|state| self.only(state).map(|key| key.number))
    }

    pub(super) fn turn(&mut self, from: KeyState, to: KeyState) {
        let now = self.now;
        for key in self.keys.iter_mut().filter(|key| key.state == from) {
            (key.state, key.since) = (to, now);
        }
    }

    pub(super) fn put(&mut self, state: KeyState) -> usize {
        if state != KeyState::Retired {
            self.turn(state, KeyState::Retired);
        }
        self.made += 1;
        self.keys.push(ModelKey { number: self.made, state, since: self.now });
        self.made
    }

    pub(super) fn promote(&mut self) {
        if self.only(KeyState::Next).is_some() {
            self.turn(KeyState::Active, KeyState::Retired);
            self.turn(KeyState::Next, KeyState::Active);
        }
    }

    pub(super) fn forget(&mut self) {
        let (now, proven, needs_proof) = (self.now, self.proven, self.needs_proof);
        let is_gone = |key: &ModelKey| match key.state {
            KeyState::Retired if !needs_proof => now >= key.since + LONGEST_USE,
            KeyState::Retired | KeyState::Revoked => proven >= key.since + LONGEST_USE,
            _ => false,
        };
        for key in self.keys.iter().filter(|key| is_gone(key) && key.state == KeyState::Revoked) {
            let names = self.named.iter().filter(|(_, number)| **number == key.number);
            self.spent.extend(names.map(|(name, _)| *name));
        }
        self.keys.retain(|key| !is_gone(key));
    }

    pub(super) fn published(&self) -> Option<u64> {
        Some(self.only(KeyState::Next)?.since + 600 + self.transit)
    }

    pub(super) fn tick(&mut self) {
        self.forget();
        let Some(every) = self.every else { return };
        let active = self.only(KeyState::Active).map_or(0, |key| key.since + every);
        if self.published().is_some_and(|published| self.now >= published.max(active)) {
            self.promote();
        }
        while self.only(KeyState::Next).is_none() {
            let is_first = self.keys.is_empty();
            self.put(if is_first { KeyState::Active } else { KeyState::Next });
        }
    }

    pub(super) fn rotate(&mut self, force: bool) -> std::result::Result<(), Code> {
        if self.published().is_some_and(|published| !force && self.now < published) {
            return Err(Code::KeyringNotPublished);
        }
        let [active, next] = self.signing();
        self.forget();
        if next.is_none() && (force || active.is_none()) {
            self.put(KeyState::Active);
        } else {
            self.promote();
        }
        self.put(KeyState::Next);
        self.only(KeyState::Active).map(drop).ok_or(Code::KeyringNoActiveKey)
    }
}
