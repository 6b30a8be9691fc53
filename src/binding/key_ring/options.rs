//! The options of key rings.

use std::sync::Arc;

use crate::binding::args::scalars::MAX_DURATION;
use crate::binding::args::{Arg, Result, options};
use crate::binding::key::algorithm;
use crate::binding::key::source::MAX_KEYS;
use crate::binding::revocation::options::TOKEN_TTL;
use crate::jwt::{Algorithm, Key, KeyState, RingOptions, RingOverrides};

options! {
    /// The times of a ring. Every way to make a ring has these options.
    pub(crate) struct RingTimes {
        /// The longest life of a token, in seconds.
        max_token_ttl("maxTokenTtl"): Option<u64> = optional(|ttl| ttl.duration(TOKEN_TTL)),
        /// How long the JWK Set may be cached, in seconds.
        jwks_max_age("jwksMaxAge"): Option<u64> = optional(|age| age.duration(0..=MAX_DURATION)),
        /// The time between rotations, in seconds.
        rotate_every("rotateEvery"): Option<u64> = optional(|time| time.duration(1..=MAX_DURATION)),
    }
}

options! {
    /// The options of `KeyRing`.
    pub(crate) struct NewRingOptions for "KeyRing" {
        /// The algorithm of the ring's own keys.
        alg("alg"): Option<Algorithm> = optional(algorithm),
        /// The first keys: an active one, and retired ones.
        keys("keys"): Option<Vec<Arc<Key>>> = optional(keys),
        /// The times.
        times: RingTimes = flatten(RingTimes),
    }
}

options! {
    /// The options of `KeyRing.shared`.
    pub(crate) struct SharedRingOptions for "KeyRing.shared" {
        /// The algorithm of the ring's own keys.
        alg("alg"): Option<Algorithm> = optional(algorithm),
        /// The times.
        times: RingTimes = flatten(RingTimes),
    }
}

options! {
    /// The options of `KeyRing.unseal`.
    pub(crate) struct SealedRingOptions<'a> for "KeyRing.unseal" {
        /// The algorithm of the ring's own keys.
        alg("alg"): Option<Algorithm> = optional(algorithm),
        /// The times.
        times: RingTimes = flatten(RingTimes),
        /// The name under which the process shares the ring.
        shared("shared"): Option<Arg<'a>> = optional(Ok),
    }
}

options! {
    /// The options of `KeyRing.open`.
    pub(crate) struct StoredRingOptions for "KeyRing.open" {
        /// The algorithm of the ring's own keys.
        alg("alg"): Option<Algorithm> = optional(algorithm),
        /// The times.
        times: RingTimes = flatten(RingTimes),
    }
}

options! {
    /// The options of `KeyRing.prototype.configure`.
    pub(crate) struct ConfigureOptions for "KeyRing.prototype.configure" {
        /// The time between rotations, in seconds; never if it is null.
        rotate_every("rotateEvery"): Option<u64> = required(|time| {
            if time.is_nullish()? { Ok(None) } else { time.duration(1..=MAX_DURATION).map(Some) }
        }),
    }
}

options! {
    /// The options of `KeyRing.prototype.add`.
    pub(crate) struct AddOptions for "KeyRing.prototype.add" {
        /// The state in which the key begins.
        state("state"): Option<KeyState> = optional(first_state),
    }
}

options! {
    /// The options of `KeyRing.prototype.rotate`.
    pub(crate) struct RotateOptions for "KeyRing.prototype.rotate" {
        /// Whether a key is promoted before all verifiers know it.
        force("force"): bool = default(false, |force| force.boolean()),
    }
}

/// The options of a new ring.
pub(crate) fn with_defaults(given: &RingOverrides) -> RingOptions {
    given.over(RingOptions::default())
}

impl RingTimes {
    /// These times and an algorithm.
    pub(crate) fn with(self, algorithm: Option<Algorithm>) -> RingOverrides {
        RingOverrides {
            algorithm,
            max_token_ttl: self.max_token_ttl,
            jwks_max_age: self.jwks_max_age,
            rotate_every: self.rotate_every,
        }
    }
}

fn keys(keys: Arg<'_>) -> Result<Vec<Arc<Key>>> {
    keys.array(MAX_KEYS)?.iter().map(Arg::handle::<Key>).collect()
}

fn first_state(name: Arg<'_>) -> Result<KeyState> {
    let states = [KeyState::Next, KeyState::Active, KeyState::Retired];
    name.one_of(&states.map(|state| (state.name(), state)))
}
