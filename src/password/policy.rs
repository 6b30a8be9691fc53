//! The costs and lengths of new hashes.

use super::params::{Algorithm, Params, Version};
use super::phc;
use crate::error::{Code, Error, Result};

/// The most memory that a policy or a limit may ask for, in KiB: 4 GiB, twice the largest preset.
pub const MAX_MEMORY_COST: u32 = 4 << 20;

/// The most passes that a policy may ask for: they take hours at the default memory; more is surely
/// a mistake.
pub const MAX_TIME_COST: u32 = 1 << 16;

/// The most lanes that a policy may ask for: the limit of the PHC string format for Argon2.
pub const MAX_PARALLELISM: u32 = 255;

/// Named sets of costs: published recommendations, and one for tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preset {
    /// RFC 9106 section 4, the second recommendation: 64 MiB, 3 passes, 4 lanes. The default.
    #[default]
    Rfc9106Low,
    /// RFC 9106 section 4, the first recommendation: 2 GiB, 1 pass, 4 lanes.
    Rfc9106High,
    /// The minimum of the OWASP Password Storage Cheat Sheet: 19 MiB, 2 passes, 1 lane.
    Owasp,
    /// For test suites only: 64 KiB, 1 pass, 1 lane. Refused in production.
    Test,
}

impl Preset {
    /// Every preset with its name in JavaScript.
    pub const ALL: [(&str, Self); 4] = [
        ("rfc9106-low", Self::Rfc9106Low),
        ("rfc9106-high", Self::Rfc9106High),
        ("owasp", Self::Owasp),
        ("test", Self::Test),
    ];

    /// `memoryCost` in KiB, `timeCost`, `parallelism`.
    pub(super) const fn costs(self) -> (u32, u32, u32) {
        match self {
            Self::Rfc9106Low => (64 << 10, 3, 4),
            Self::Rfc9106High => (2 << 20, 1, 4),
            Self::Owasp => (19 << 10, 2, 1),
            Self::Test => (64, 1, 1),
        }
    }
}

/// A caller's choices. Options left out come from the preset, or from [`Preset::default`] if none
/// is named.
#[derive(Clone, Copy, Debug, Default)]
pub struct PolicyOptions {
    /// The preset that provides the costs left out.
    pub preset: Option<Preset>,
    /// The variant; Argon2id when left out.
    pub algorithm: Option<Algorithm>,
    /// The version; 0x13 when left out.
    pub version: Option<Version>,
    /// KiB of memory, from 8 per lane to [`MAX_MEMORY_COST`].
    pub memory_cost: Option<u32>,
    /// Passes, 1 to [`MAX_TIME_COST`].
    pub time_cost: Option<u32>,
    /// Lanes, 1 to [`MAX_PARALLELISM`].
    pub parallelism: Option<u32>,
    /// Bytes of the tag, 4 to 1024; 32 when left out.
    pub hash_length: Option<u32>,
    /// Bytes of a random salt, 8 to 1024; 16 when left out.
    pub salt_length: Option<u32>,
}

/// The costs and lengths of new hashes, always within their limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    params: Params,
    hash_length: usize,
    salt_length: usize,
}

impl Policy {
    /// A policy from options. `production` says whether the hashes may be real ones; if so, the
    /// `test` preset is refused with `ERR_PASSWORD_PROFILE`, regardless of the other options. Fails
    /// with `ERR_OUT_OF_RANGE` for numbers outside their limits.
    pub fn new(options: &PolicyOptions, production: bool) -> Result<Self> {
        let preset = options.preset.unwrap_or_default();
        if production && preset == Preset::Test {
            return Err(Error::new(
                Code::PasswordProfile,
                "the profile 'test' is too weak for production; use 'rfc9106-low' or 'owasp'",
            ));
        }
        let (memory_cost, time_cost, parallelism) = preset.costs();
        let params = Params::new(
            options.algorithm.unwrap_or(Algorithm::Argon2id),
            options.version.unwrap_or(Version::V0x13),
            at_most("memoryCost", options.memory_cost.unwrap_or(memory_cost), MAX_MEMORY_COST)?,
            at_most("timeCost", options.time_cost.unwrap_or(time_cost), MAX_TIME_COST)?,
            at_most("parallelism", options.parallelism.unwrap_or(parallelism), MAX_PARALLELISM)?,
        )?;
        Ok(Self {
            params,
            hash_length: length("hashLength", options.hash_length, 32, phc::MIN_HASH_LEN)?,
            salt_length: length("saltLength", options.salt_length, 16, phc::MIN_SALT_LEN)?,
        })
    }

    /// Variant, version and costs.
    pub const fn params(&self) -> &Params {
        &self.params
    }

    /// Bytes of the tag.
    pub const fn hash_length(&self) -> usize {
        self.hash_length
    }

    /// Bytes of a random salt.
    pub const fn salt_length(&self) -> usize {
        self.salt_length
    }
}

pub(super) fn at_most(option: &str, value: u32, max: u32) -> Result<u32> {
    if value <= max {
        return Ok(value);
    }
    Err(Error::new(Code::OutOfRange, format!("{option} must be at most {max}")))
}

fn length(option: &str, value: Option<u32>, default: usize, min: usize) -> Result<usize> {
    let Some(value) = value else { return Ok(default) };
    usize::try_from(value)
        .ok()
        .filter(|value| (min..=phc::MAX_FIELD_LEN).contains(value))
        .ok_or_else(|| {
            let max = phc::MAX_FIELD_LEN;
            Error::new(Code::OutOfRange, format!("{option} must be from {min} to {max} bytes"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(change: impl FnOnce(&mut PolicyOptions)) -> Result<Policy> {
        let mut options = PolicyOptions::default();
        change(&mut options);
        Policy::new(&options, true)
    }

    #[test]
    fn the_defaults_are_rfc9106_low_and_options_replace_those_of_a_preset() {
        let default = policy(|_| {}).unwrap();
        assert_eq!((default.params.memory_cost(), default.params.time_cost()), (65536, 3));
        assert_eq!((default.params.parallelism(), default.hash_length), (4, 32));
        assert_eq!(default.salt_length, 16);
        assert_eq!(policy(|o| o.preset = Some(Preset::Rfc9106Low)).unwrap(), default);
        let high = policy(|o| o.preset = Some(Preset::Rfc9106High)).unwrap();
        assert_eq!(high.params.memory_cost(), 2097152);
        let mixed = policy(|o| {
            o.preset = Some(Preset::Owasp);
            o.time_cost = Some(5);
        });
        let mixed = mixed.unwrap().params;
        assert_eq!((mixed.memory_cost(), mixed.time_cost()), (19456, 5));
    }

    #[test]
    fn the_test_preset_is_refused_in_production() {
        let options = PolicyOptions {
            preset: Some(Preset::Test),
            memory_cost: Some(65536),
            ..PolicyOptions::default()
        };
        assert_eq!(Policy::new(&options, true).unwrap_err().code, Code::PasswordProfile);
        assert!(Policy::new(&options, false).is_ok());
    }

    #[test]
    fn numbers_outside_their_limits_are_refused() {
        let cases: [fn(&mut PolicyOptions); 10] = [
            |o| o.memory_cost = Some(31),
            |o| o.memory_cost = Some(MAX_MEMORY_COST + 1),
            |o| o.memory_cost = Some(u32::MAX),
            |o| o.time_cost = Some(0),
            |o| o.time_cost = Some(MAX_TIME_COST + 1),
            |o| o.parallelism = Some(0),
            |o| o.parallelism = Some(256),
            |o| o.hash_length = Some(3),
            |o| o.hash_length = Some(1025),
            |o| o.salt_length = Some(7),
        ];
        for (index, change) in cases.into_iter().enumerate() {
            assert_eq!(policy(change).unwrap_err().code, Code::OutOfRange, "case {index}");
        }
    }
}
