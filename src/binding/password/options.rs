//! The options that calls and hashers have in common.

use crate::binding::args::{Arg, Result, options};
use crate::password::{
    Algorithm, DigestLimits, MAX_FIELD_LEN, MAX_SECRET_LEN, MAX_WORK, Policy, PolicyOptions,
    Preset, Rehash, Version,
};
use crate::secret::SecretInput;

options! {
    /// How a hash is computed.
    pub(crate) struct CostOptions {
        /// The variant of Argon2.
        algorithm("type"): Option<Algorithm> = optional(algorithm),
        /// The profile that supplies the costs left out.
        profile("profile"): Option<GivenPreset> = optional(preset),
        /// KiB.
        memory_cost("memoryCost"): Option<u32> = optional(number),
        /// Passes.
        time_cost("timeCost"): Option<u32> = optional(number),
        /// Lanes.
        parallelism("parallelism"): Option<u32> = optional(number),
        /// The length of the result, in bytes.
        hash_length("hashLength"): Option<u32> = optional(number),
    }
}

options! {
    /// The policy of new hashes.
    pub(crate) struct HashPolicy {
        /// How a hash is computed.
        costs: CostOptions = flatten(CostOptions),
        /// The length of a random salt, in bytes.
        salt_length("saltLength"): Option<u32> = optional(number),
        /// The version of Argon2.
        version("version"): Option<Version> = optional(version),
    }
}

options! {
    /// The most that an Argon2 digest may ask for.
    pub(crate) struct LimitOptions for "verify.limits" {
        /// KiB.
        memory_cost("memoryCost"): Option<u32> = optional(number),
        /// Passes.
        time_cost("timeCost"): Option<u32> = optional(number),
        /// Lanes.
        parallelism("parallelism"): Option<u32> = optional(number),
        /// KiB times passes.
        work("work"): Option<u64> = optional(|work| work.integer(8..=MAX_WORK)),
    }
}

impl CostOptions {
    /// The policy of a derived key.
    pub(crate) fn policy(self, version: Option<Version>) -> Result<Policy> {
        HashPolicy { costs: self, salt_length: None, version }.policy()
    }
}

impl HashPolicy {
    /// The policy.
    pub(crate) fn policy(self) -> Result<Policy> {
        let Self { costs, salt_length, version } = self;
        let options = PolicyOptions {
            preset: costs.profile.map(|given| given.preset),
            algorithm: costs.algorithm,
            version,
            memory_cost: costs.memory_cost,
            time_cost: costs.time_cost,
            parallelism: costs.parallelism,
            hash_length: costs.hash_length,
            salt_length,
        };
        Ok(Policy::new(&options, costs.profile.is_some_and(|given| given.in_production))?)
    }
}

impl LimitOptions {
    /// The limits.
    pub(crate) fn limits(self) -> Result<DigestLimits> {
        Ok(DigestLimits::new(self.memory_cost, self.time_cost, self.parallelism, self.work)?)
    }
}

/// Reads a digest of any length. It is stored data, so the core and not the check of arguments
/// reports its faults.
pub(crate) fn text(digest: &Arg<'_>) -> Result<String> {
    if !digest.is_string()? {
        return Err(digest.wrong_type("a string"));
    }
    digest.string(0..=usize::MAX)
}

/// The option `policy`: which digests are due to be replaced.
pub(crate) fn rehash(rule: Arg<'_>) -> Result<Rehash> {
    rule.one_of(&Rehash::ALL)
}

/// Any unsigned 32-bit integer. The policy checks the limits.
pub(crate) fn number(number: Arg<'_>) -> Result<u32> {
    number.integer32(0..=u32::MAX)
}

/// The version of Argon2.
pub(crate) fn version(version: Arg<'_>) -> Result<Version> {
    let found = Version::from_number(version.integer32(0..=u32::MAX)?);
    found.ok_or_else(|| version.out_of_range("0x10 or 0x13"))
}

/// Associated data.
pub(crate) fn associated_data(data: Arg<'_>) -> Result<Vec<u8>> {
    data.bytes(0..=MAX_FIELD_LEN)
}

/// A secret that goes into a hash.
pub(crate) fn secret(secret: Arg<'_>) -> Result<SecretInput> {
    secret.key_input(1..=MAX_SECRET_LEN)
}

/// A preset, and whether it is `test` in production, where the policy refuses it.
#[derive(Clone, Copy)]
pub(crate) struct GivenPreset {
    preset: Preset,
    in_production: bool,
}

fn preset(name: Arg<'_>) -> Result<GivenPreset> {
    let preset = name.one_of(&Preset::ALL)?;
    let in_production = preset == Preset::Test && name.is_in_production()?;
    Ok(GivenPreset { preset, in_production })
}

fn algorithm(algorithm: Arg<'_>) -> Result<Algorithm> {
    if algorithm.is_string()? {
        return algorithm.one_of(&Algorithm::ALL.map(|known| (known.name(), known)));
    }
    let found = Algorithm::from_number(algorithm.integer32(0..=2)?);
    found.ok_or_else(|| algorithm.out_of_range("0, 1 or 2"))
}
