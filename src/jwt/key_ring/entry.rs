//! One key of a ring in its state.

use std::sync::Arc;

use super::options::RingOptions;
use super::state::{KeyInfo, KeyState};
use crate::jwt::key::key::Key;

/// One key in its state.
#[derive(Clone)]
pub(super) struct RingEntry {
    /// The description of the key, without its material.
    pub info: KeyInfo,
    /// Where the key is from.
    pub origin: Origin,
    /// Present while the key signs or is to sign. It is dropped, and so wiped, when the key retires
    /// or is revoked.
    pub signing: Option<Arc<Key>>,
    /// Without a private half, except for HMAC. Dropped when the key is revoked.
    pub verifying: Option<Arc<Key>>,
}

/// Where a key is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The ring made it. Nobody else has its private half, and its id is random or a hash of the
    /// key, so that no other key has it.
    Made,
    /// The application added it, and may do so again.
    Added,
}

impl RingEntry {
    /// A key in a state; a revoked one has no key.
    pub(super) fn new(info: KeyInfo, key: Option<Arc<Key>>, origin: Origin) -> Self {
        let signs = matches!(info.state, KeyState::Next | KeyState::Active);
        let signing = key.clone().filter(|_| signs);
        Self { info, origin, signing, verifying: key.map(Key::without_private) }
    }

    /// When the last token of a key that no longer signs has expired, in seconds since 1970.
    pub(super) fn last_use(&self, options: &RingOptions) -> u64 {
        self.info.since.saturating_add(options.longest_use())
    }

    pub(super) fn set(&mut self, state: KeyState, now: u64) {
        self.info.state = state;
        self.info.since = now;
        if matches!(state, KeyState::Retired | KeyState::Revoked) {
            self.signing = None;
        }
        if state == KeyState::Revoked {
            self.verifying = None;
        }
    }
}
