//! The states of a key in a ring, and its changes from one to another.

use crate::jwt::algorithm::Algorithm;

/// The state of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Published, verifies, does not sign yet.
    Next,
    /// Signs.
    Active,
    /// Verifies the tokens that it signed, until the last of them has expired.
    Retired,
    /// Refused.
    Revoked,
}

impl KeyState {
    /// The name of the state in JavaScript.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
        }
    }
}

/// One key, without its material.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// The key's id.
    pub kid: String,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// Its state.
    pub state: KeyState,
    /// When it entered that state, in seconds since 1970.
    pub since: u64,
}

/// A change of a key's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyChange {
    /// The key's id.
    pub kid: String,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// The state it has left; `None` for a new key.
    pub from: Option<KeyState>,
    /// The state it has entered; `None` when the key is forgotten, because nothing it signed is
    /// valid any more.
    pub to: Option<KeyState>,
    /// When, in seconds since 1970.
    pub at: u64,
}

impl KeyChange {
    pub(super) fn of(
        info: &KeyInfo,
        from: Option<KeyState>,
        to: Option<KeyState>,
        at: u64,
    ) -> Self {
        Self { kid: info.kid.clone(), algorithm: info.algorithm, from, to, at }
    }
}
