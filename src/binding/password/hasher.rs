//! `PasswordHasher`.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Object, Unknown};
use napi_derive::napi;

use super::job::hashing;
use super::options::{HASHER_OPTIONS, argon2_limits, number, policy, rehash, text};
use crate::binding::args::handle::Handle;
use crate::binding::args::out::{self, LocalValue};
use crate::binding::args::{Arg, Options, Result};
use crate::binding::guard;
use crate::binding::secret::SecretBuffer;
use crate::mem::{Secret, SecretInput};
use crate::password::{
    Ceilings, Digest, Family, Hasher, HasherOptions, Limits, MAX_KEYID_LEN, MAX_PASSWORD_LEN,
    MAX_PEPPER_LEN, MAX_PEPPERS, MAX_SECRET_LEN, MIN_PEPPER_LEN, Peppers, Updated,
};

/// A hasher as JavaScript holds it.
pub struct PasswordHasher(Hasher);

impl Handle for PasswordHasher {
    const TAG: u128 = 0x2f0c_6a91_b7e4_4d35_9c18_73d2_05ae_f94b;
    const CLASS: &'static str = "PasswordHasher";
}

/// What came of `verifyAndUpdate`.
#[napi(object, object_from_js = false)]
pub struct VerifyAndUpdateResult {
    /// Whether the password is right.
    pub valid: bool,
    /// What to store in place of the old digest.
    pub new_digest: Option<String>,
}

/// `hasher` becomes a hasher.
#[napi(catch_unwind)]
pub fn hasher_attach(
    env: &Env,
    hasher: Unknown<'_>,
    options: Unknown<'_>,
    production: bool,
) -> napi::Result<()> {
    guard(env, || {
        let options = Arg::new(env, &options, "policy").options(HASHER_OPTIONS)?;
        let (limits, ceilings) = options.get("limits")?.map_or(Ok(Default::default()), limits)?;
        let hasher_options = HasherOptions {
            policy: policy(&options, production)?,
            rehash: rehash(&options)?,
            secret: secret(&options)?,
            peppers: options.get("peppers")?.map(peppers).transpose()?,
            legacy: options.get("legacy")?.map_or(Ok(Vec::new()), families)?,
            limits,
            ceilings,
        };
        let core = PasswordHasher(Hasher::new(hasher_options));
        Arg::new(env, &hasher, "this").attach(Arc::new(core))
    })
}

/// Hashes a password on the worker pool.
#[napi(catch_unwind)]
pub fn hasher_hash<'env>(
    env: &'env Env,
    hasher: Unknown<'_>,
    password: Unknown<'_>,
    options: Unknown<'_>,
    job: Unknown<'_>,
) -> napi::Result<Object<'env>> {
    let mint = guard(env, || {
        check_options(env, &options)?;
        Ok(this(env, &hasher)?.0.hash(self::password(env, &password)?)?)
    })?;
    hashing(
        env,
        job,
        mint.memory_len(),
        move |delivery, cancel| mint.run(cancel, |digest| delivery.send(digest)),
        |env, digest: Digest| -> napi::Result<LocalValue> {
            guard(&env, || out::string(&env, &digest.to_string()))
        },
    )
}

/// Verifies a password on the worker pool.
#[napi(catch_unwind)]
pub fn hasher_verify<'env>(
    env: &'env Env,
    hasher: Unknown<'_>,
    digest: Unknown<'_>,
    password: Unknown<'_>,
    options: Unknown<'_>,
    job: Unknown<'_>,
) -> napi::Result<Object<'env>> {
    let check = guard(env, || {
        check_options(env, &options)?;
        let digest = text(&Arg::new(env, &digest, "digest"))?;
        Ok(this(env, &hasher)?.0.verify(&digest, self::password(env, &password)?)?)
    })?;
    hashing(
        env,
        job,
        check.memory_len(),
        move |delivery, cancel| check.run(cancel, |matches| delivery.send(matches)),
        |_, matches: bool| Ok(matches),
    )
}

/// Verifies a password on the worker pool and makes a new digest there, if one is due.
#[napi(catch_unwind)]
pub fn hasher_verify_and_update<'env>(
    env: &'env Env,
    hasher: Unknown<'_>,
    digest: Unknown<'_>,
    password: Unknown<'_>,
    options: Unknown<'_>,
    job: Unknown<'_>,
) -> napi::Result<Object<'env>> {
    let update = guard(env, || {
        check_options(env, &options)?;
        let digest = Arg::new(env, &digest, "digest");
        let digest = if digest.is_nullish()? { None } else { Some(text(&digest)?) };
        let password = self::password(env, &password)?;
        Ok(this(env, &hasher)?.0.verify_and_update(digest.as_deref(), password)?)
    })?;
    hashing(
        env,
        job,
        update.memory_len(),
        move |delivery, cancel| update.run(cancel, |updated| delivery.send(updated)),
        |_, updated: Updated| {
            let new_digest = updated.digest.map(|digest| digest.to_string());
            Ok(VerifyAndUpdateResult { valid: updated.valid, new_digest })
        },
    )
}

/// Whether a digest is due to be replaced.
#[napi(catch_unwind)]
pub fn hasher_needs_rehash(
    env: &Env,
    hasher: Unknown<'_>,
    digest: Unknown<'_>,
) -> napi::Result<bool> {
    guard(env, || {
        let digest = text(&Arg::new(env, &digest, "digest"))?;
        Ok(this(env, &hasher)?.0.needs_rehash(&digest)?)
    })
}

fn this(env: &Env, hasher: &Unknown<'_>) -> Result<Arc<PasswordHasher>> {
    Arg::new(env, hasher, "this").handle()
}

/// The options of a method: only the façade's `signal`, which gives a job in its place.
fn check_options(env: &Env, options: &Unknown<'_>) -> Result<()> {
    Arg::new(env, options, "options").options(&["signal"]).map(drop)
}

fn password(env: &Env, password: &Unknown<'_>) -> Result<SecretInput> {
    Arg::new(env, password, "password").secret_input(0..=MAX_PASSWORD_LEN)
}

fn secret(options: &Options<'_>) -> Result<Option<Secret>> {
    options.get("secret")?.map(|secret| shared(&secret, 1, MAX_SECRET_LEN)).transpose()
}

/// `{ current, keys: { id: pepper } }`
fn peppers(peppers: Arg<'_>) -> Result<Peppers> {
    let peppers = peppers.options(&["current", "keys"])?;
    let current = peppers.require("current")?.string(1..=MAX_KEYID_LEN)?;
    let mut keys = Vec::new();
    for (id, key) in peppers.require("keys")?.entries(MAX_PEPPERS)? {
        keys.push((id.into_bytes(), shared(&key, MIN_PEPPER_LEN, MAX_PEPPER_LEN)?));
    }
    Ok(Peppers::new(current.as_bytes(), keys)?)
}

/// A `SecretBuffer`'s secret itself, which stays when that is disposed of, or a copy of bytes in
/// secret memory.
fn shared(key: &Arg<'_>, min: usize, max: usize) -> Result<Secret> {
    let buffer = key.handle_if::<SecretBuffer>()?;
    key.with_key(min..=max, |bytes| match &buffer {
        Some(buffer) => Ok(buffer.get()?.to_secret()?),
        None => Ok(Secret::copy_from(bytes)?),
    })
}

fn families(legacy: Arg<'_>) -> Result<Vec<Family>> {
    let max = u32::try_from(Family::ALL.len()).unwrap_or(u32::MAX);
    legacy.array(max)?.iter().map(|family| family.one_of(&Family::ALL)).collect()
}

fn limits(limits: Arg<'_>) -> Result<(Limits, Ceilings)> {
    let limits = limits.options(&[
        "memoryCost",
        "timeCost",
        "parallelism",
        "bcryptCost",
        "scryptWork",
        "pbkdf2Iterations",
    ])?;
    let ceilings = Ceilings::new(
        number(&limits, "bcryptCost")?,
        number(&limits, "scryptWork")?,
        number(&limits, "pbkdf2Iterations")?,
    )?;
    Ok((argon2_limits(&limits)?, ceilings))
}
