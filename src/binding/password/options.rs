//! What the options of passwords say, for calls and for hashers.

use crate::binding::args::{Arg, Options, Result};
use crate::password::{
    Algorithm, DigestLimits, MAX_FIELD_LEN, MAX_SECRET_LEN, Policy, PolicyOptions, Preset, Rehash,
    Version,
};
use crate::secret::SecretInput;

/// The names of a policy's options, and more. `signal` is the façade's, which gives a job in its
/// place.
macro_rules! with_policy {
    ($($more:literal),*) => {
        &[
            "type", "profile", "memoryCost", "timeCost", "parallelism", "hashLength", "saltLength",
            "version", $($more),*
        ]
    };
}

pub const HASH_OPTIONS: &[&str] = with_policy!["salt", "secret", "associatedData", "raw", "signal"];

// The options of `hash` are known to the next two, so that one object serves all three, as with
// npm `argon2`; those that mean nothing there are not looked at.
pub const VERIFY_OPTIONS: &[&str] =
    with_policy!["salt", "secret", "associatedData", "raw", "signal", "limits"];
pub const REHASH_OPTIONS: &[&str] =
    with_policy!["salt", "secret", "associatedData", "raw", "signal", "policy"];

/// The options of a hasher.
pub const HASHER_OPTIONS: &[&str] = with_policy!["secret", "peppers", "legacy", "limits", "policy"];

/// Those of `hash` that a key has; its salt is an argument of its own.
pub const KEY_OPTIONS: &[&str] = &[
    "signal",
    "type",
    "profile",
    "memoryCost",
    "timeCost",
    "parallelism",
    "hashLength",
    "version",
    "secret",
    "associatedData",
];

/// A digest of any length: it is stored data, whose faults are the core's to name.
pub fn text(digest: &Arg<'_>) -> Result<String> {
    if !digest.is_string()? {
        return Err(digest.wrong_type("a string"));
    }
    digest.string(0..=usize::MAX)
}

/// Ceilings for what a digest of Argon2 may ask for.
pub fn argon2_limits(options: &Options<'_>) -> Result<DigestLimits> {
    Ok(DigestLimits::new(
        number(options, "memoryCost")?,
        number(options, "timeCost")?,
        number(options, "parallelism")?,
    )?)
}

/// Which digests are due, by the option `policy`.
pub fn rehash(options: &Options<'_>) -> Result<Rehash> {
    options.get("policy")?.map_or(Ok(Rehash::default()), |rule| rule.one_of(&Rehash::ALL))
}

pub fn policy(options: &Options<'_>, production: bool) -> Result<Policy> {
    let preset = options.get("profile")?.map(|preset| preset.one_of(&Preset::ALL));
    let algorithm = options.get("type")?.map(|algorithm| {
        if algorithm.is_string()? {
            return algorithm.one_of(&Algorithm::ALL.map(|known| (known.name(), known)));
        }
        let found = Algorithm::from_number(algorithm.integer32(0..=2)?);
        found.ok_or_else(|| algorithm.out_of_range("0, 1 or 2"))
    });
    let version = options.get("version")?.map(|version| {
        let found = Version::from_number(version.integer32(0..=u32::MAX)?);
        found.ok_or_else(|| version.out_of_range("0x10 or 0x13"))
    });
    let options = PolicyOptions {
        preset: preset.transpose()?,
        algorithm: algorithm.transpose()?,
        version: version.transpose()?,
        memory_cost: number(options, "memoryCost")?,
        time_cost: number(options, "timeCost")?,
        parallelism: number(options, "parallelism")?,
        hash_length: number(options, "hashLength")?,
        salt_length: number(options, "saltLength")?,
    };
    Ok(Policy::new(&options, production)?)
}

/// Any 32-bit integer: the policy knows its limits.
pub fn number(options: &Options<'_>, name: &'static str) -> Result<Option<u32>> {
    options.get(name)?.map(|number| number.integer32(0..=u32::MAX)).transpose()
}

pub fn associated_data(options: &Options<'_>) -> Result<Vec<u8>> {
    let data = options.get("associatedData")?;
    Ok(data.map(|data| data.bytes(0..=MAX_FIELD_LEN)).transpose()?.unwrap_or_default())
}

pub fn secret(options: &Options<'_>) -> Result<Option<SecretInput>> {
    options.get("secret")?.map(|secret| secret.key_input(1..=MAX_SECRET_LEN)).transpose()
}
