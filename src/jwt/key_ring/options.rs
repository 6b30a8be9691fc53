//! The options of a ring's rotation, and their limits.

use crate::error::{Code, Error, Result};
use crate::jwt::algorithm::Algorithm;
use crate::revocation::MAX_CLOCK_TOLERANCE;

/// The most keys that a ring holds, revoked ones included. A ring of that many fits into one secret
/// when it is sealed.
pub(crate) const MAX_RING_KEYS: usize = 1000;

/// The most retired keys that rotation by time may leave, so that other keys have room.
const MOST_RETIRED: u64 = 900;

/// How a ring rotates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingOptions {
    /// The algorithm of the keys that rotation makes. ES256 by default.
    pub algorithm: Algorithm,
    /// The longest life of a token signed with the ring, in seconds; a day by default.
    pub max_token_ttl: u64,
    /// How long verifiers may cache the JWKS, in seconds; ten minutes by default. A next key may
    /// sign after it has been published for this time and 30 seconds, or at once if this is 0.
    pub jwks_max_age: u64,
    /// How long a key signs before the next one takes over by itself, in seconds. It must be longer
    /// than `jwks_max_age`, and so long that at most 900 retired keys verify at once. By default
    /// keys do not rotate by time.
    pub rotate_every: Option<u64>,
}

impl RingOptions {
    /// Refuses a period in which a key is published too late, or which leaves too many retired
    /// keys, with `ERR_OUT_OF_RANGE`.
    pub(super) fn check_period(&self) -> Result<()> {
        let Some(every) = self.rotate_every else { return Ok(()) };
        if every <= self.jwks_max_age {
            return Err(Error::new(
                Code::OutOfRange,
                "rotateEvery must be longer than jwksMaxAge: a key is published for that long \
                 before it signs",
            ));
        }
        let least = self.longest_use().div_ceil(MOST_RETIRED);
        if every < least {
            return Err(Error::new(
                Code::OutOfRange,
                format!(
                    "rotateEvery must be at least {least} s with this maxTokenTtl: a retired key \
                     verifies for that long, and a ring holds at most {MAX_RING_KEYS} keys"
                ),
            ));
        }
        Ok(())
    }

    /// How long a key verifies after its last signature, in seconds.
    pub fn longest_use(&self) -> u64 {
        self.max_token_ttl.saturating_add(MAX_CLOCK_TOLERANCE)
    }
}

impl Default for RingOptions {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::Es256,
            max_token_ttl: 24 * 3600,
            jwks_max_age: 600,
            rotate_every: None,
        }
    }
}

/// Options that may differ from those of a ring that exists. `None` keeps the ring's value.
#[derive(Clone, Copy, Debug, Default)]
pub struct RingOverrides {
    /// See [`RingOptions`].
    pub algorithm: Option<Algorithm>,
    /// See [`RingOptions`].
    pub max_token_ttl: Option<u64>,
    /// See [`RingOptions`].
    pub jwks_max_age: Option<u64>,
    /// See [`RingOptions`]. This option is never sealed, because at most one of the processes that
    /// open a sealed ring may rotate it.
    pub rotate_every: Option<u64>,
}

impl RingOverrides {
    /// The options of a ring, with the values that are given here.
    pub fn over(&self, options: RingOptions) -> RingOptions {
        RingOptions {
            algorithm: self.algorithm.unwrap_or(options.algorithm),
            max_token_ttl: self.max_token_ttl.unwrap_or(options.max_token_ttl),
            jwks_max_age: self.jwks_max_age.unwrap_or(options.jwks_max_age),
            rotate_every: self.rotate_every.or(options.rotate_every),
        }
    }

    /// The name of the first option that is given here with another value than `options` have.
    pub fn conflict_with(&self, options: &RingOptions) -> Option<&'static str> {
        let given = self.over(*options);
        let differing = [
            ("alg", given.algorithm != options.algorithm),
            ("maxTokenTtl", given.max_token_ttl != options.max_token_ttl),
            ("jwksMaxAge", given.jwks_max_age != options.jwks_max_age),
            ("rotateEvery", given.rotate_every != options.rotate_every),
        ];
        differing.into_iter().find_map(|(name, differs)| differs.then_some(name))
    }
}
