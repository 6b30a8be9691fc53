//! `PasswordHasher`.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Object, Unknown};
use napi_derive::napi;

use super::job::{self, PoolJob};
use super::options::{HashPolicy, LimitOptions, number, rehash, text};
use crate::binding::args::handle::Handle;
use crate::binding::args::out::{self, LocalValue};
use crate::binding::args::{Arg, Outcome, Result, options};
use crate::binding::guard;
use crate::password::pool::Delivery;
use crate::password::{
    Cancel, Ceilings, Check, Digest, DigestLimits, Hasher, HasherOptions, LegacyScheme,
    MAX_KEYID_LEN, MAX_PASSWORD_LEN, MAX_PEPPER_LEN, MAX_PEPPERS, MAX_SECRET_LEN, MIN_PEPPER_LEN,
    NewDigestJob, Peppers, Rehash, Update, Updated,
};
use crate::secret::{Secret, SecretInput};

options! {
    /// The policy of a `PasswordHasher`.
    pub(crate) struct PolicyOptions for "PasswordHasher" {
        /// The policy of new hashes.
        hash: HashPolicy = flatten(HashPolicy),
        /// The secret that goes into hashes.
        secret("secret"): Option<Secret> = optional(|key| key.shared_secret(1..=MAX_SECRET_LEN)),
        /// The peppers.
        peppers("peppers"): Option<Peppers> = optional(peppers),
        /// The other schemes whose hashes are verified.
        legacy("legacy"): Vec<LegacyScheme> = default(Vec::new(), families),
        /// The most that a digest may ask for.
        limits("limits"): (DigestLimits, Ceilings) = default(Default::default(), limits),
        /// Which digests are due to be replaced.
        policy("policy"): Rehash = default(Rehash::default(), rehash),
    }
}

options! {
    /// The option `peppers`.
    pub(crate) struct PepperOptions<'a> for "PasswordHasher.peppers" {
        /// The id of the pepper of new hashes.
        current("current"): String = required(|id| id.string(1..=MAX_KEYID_LEN)),
        /// The peppers by id.
        keys("keys"): Vec<(String, Arg<'a>)> = required(|keys| keys.entries(MAX_PEPPERS)),
    }
}

options! {
    /// The option `limits`.
    pub(crate) struct HasherLimits for "PasswordHasher.limits" {
        /// The limits of Argon2.
        argon2: LimitOptions = flatten(LimitOptions),
        /// The highest cost of bcrypt.
        bcrypt_cost("bcryptCost"): Option<u32> = optional(number),
        /// The highest work of scrypt.
        scrypt_work("scryptWork"): Option<u32> = optional(number),
        /// The most iterations of PBKDF2.
        pbkdf2_iterations("pbkdf2Iterations"): Option<u32> = optional(number),
    }
}

options! {
    /// The options of a method: only the façade's `signal`.
    pub(crate) struct MethodOptions for "PasswordHasher.prototype.hash" {
        facade("signal"),
    }
}

/// A hasher as JavaScript holds it.
pub(crate) struct PasswordHasher(Hasher);

impl Handle for PasswordHasher {
    const TAG: u128 = 0x2f0c_6a91_b7e4_4d35_9c18_73d2_05ae_f94b;
    const CLASS: &'static str = "PasswordHasher";
}

/// The result of `verifyAndUpdate`.
#[napi(object, object_from_js = false)]
pub(crate) struct VerifyAndUpdateResult {
    /// Whether the password is right.
    pub valid: bool,
    /// The digest to store in place of the old one; absent if the old one stays.
    pub new_digest: Option<String>,
}

/// Attaches a new hasher to the façade object `hasher`.
#[napi(catch_unwind)]
pub(crate) fn hasher_attach(
    env: &Env,
    hasher: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let options: PolicyOptions = Arg::new(env, &options, "policy").read()?;
        let (limits, ceilings) = options.limits;
        let core = PasswordHasher(Hasher::new(HasherOptions {
            policy: options.hash.policy()?,
            rehash: options.policy,
            secret: options.secret,
            peppers: options.peppers,
            legacy: options.legacy,
            limits,
            ceilings,
        }));
        Arg::new(env, &hasher, "this").attach(Arc::new(core))
    })
}

/// Hashes a password on the worker pool.
#[napi(catch_unwind)]
pub(crate) fn hasher_hash<'env>(
    env: &'env Env,
    hasher: Unknown<'_>,
    password: Unknown<'_>,
    options: Unknown<'_>,
    job: Unknown<'_>,
) -> napi::Result<Outcome<Object<'env>>> {
    guard(env, || {
        check_options(env, &options)?;
        job::submit(env, &job, this(env, &hasher)?.0.hash(self::password(env, &password)?)?)
    })
}

/// Verifies a password on the worker pool.
#[napi(catch_unwind)]
pub(crate) fn hasher_verify<'env>(
    env: &'env Env,
    hasher: Unknown<'_>,
    digest: Unknown<'_>,
    password: Unknown<'_>,
    options: Unknown<'_>,
    job: Unknown<'_>,
) -> napi::Result<Outcome<Object<'env>>> {
    guard(env, || {
        check_options(env, &options)?;
        let digest = text(&Arg::new(env, &digest, "digest"))?;
        job::submit(
            env,
            &job,
            this(env, &hasher)?.0.verify(&digest, self::password(env, &password)?)?,
        )
    })
}

/// Verifies a password on the worker pool and makes a new digest there, if one is due.
#[napi(catch_unwind)]
pub(crate) fn hasher_verify_and_update<'env>(
    env: &'env Env,
    hasher: Unknown<'_>,
    digest: Unknown<'_>,
    password: Unknown<'_>,
    options: Unknown<'_>,
    job: Unknown<'_>,
) -> napi::Result<Outcome<Object<'env>>> {
    guard(env, || {
        check_options(env, &options)?;
        let digest = Arg::new(env, &digest, "digest");
        let digest = if digest.is_nullish()? { None } else { Some(text(&digest)?) };
        let password = self::password(env, &password)?;
        job::submit(
            env,
            &job,
            this(env, &hasher)?.0.verify_and_update(digest.as_deref(), password)?,
        )
    })
}

/// Whether a digest is due to be replaced.
#[napi(catch_unwind)]
pub(crate) fn hasher_needs_rehash(
    env: &Env,
    hasher: Unknown<'_>,
    digest: Unknown<'_>,
) -> napi::Result<Outcome<bool>> {
    guard(env, || {
        let digest = text(&Arg::new(env, &digest, "digest"))?;
        Ok(this(env, &hasher)?.0.needs_rehash(&digest)?)
    })
}

fn this(env: &Env, hasher: &Unknown<'_>) -> Result<Arc<PasswordHasher>> {
    Arg::new(env, hasher, "this").handle()
}

impl PoolJob for NewDigestJob {
    type Output = Digest;
    type Js = LocalValue;

    fn memory_len(&self) -> u64 {
        Self::memory_len(self)
    }

    fn run(self, delivery: &mut Delivery<Digest>, cancel: &Cancel) {
        Self::run(self, cancel, |digest| delivery.send(digest));
    }

    fn convert(env: &Env, digest: Digest) -> Result<LocalValue> {
        out::string(env, &digest.to_string())
    }
}

impl PoolJob for Check {
    type Output = bool;
    type Js = bool;

    fn memory_len(&self) -> u64 {
        Self::memory_len(self)
    }

    fn run(self, delivery: &mut Delivery<bool>, cancel: &Cancel) {
        Self::run(self, cancel, |matches| delivery.send(matches));
    }

    fn convert(_env: &Env, matches: bool) -> Result<bool> {
        Ok(matches)
    }
}

impl PoolJob for Update {
    type Output = Updated;
    type Js = VerifyAndUpdateResult;

    fn memory_len(&self) -> u64 {
        Self::memory_len(self)
    }

    fn run(self, delivery: &mut Delivery<Updated>, cancel: &Cancel) {
        Self::run(self, cancel, |updated| delivery.send(updated));
    }

    fn convert(_env: &Env, updated: Updated) -> Result<VerifyAndUpdateResult> {
        let new_digest = updated.digest.map(|digest| digest.to_string());
        Ok(VerifyAndUpdateResult { valid: updated.valid, new_digest })
    }
}

fn check_options(env: &Env, options: &Unknown<'_>) -> Result<()> {
    let MethodOptions {} = Arg::new(env, options, "options").read()?;
    Ok(())
}

fn password(env: &Env, password: &Unknown<'_>) -> Result<SecretInput> {
    Arg::new(env, password, "password").secret_input(0..=MAX_PASSWORD_LEN)
}

/// `{ current, keys: { id: pepper } }`
fn peppers(peppers: Arg<'_>) -> Result<Peppers> {
    let PepperOptions { current, keys: given } = peppers.read()?;
    let mut keys = Vec::new();
    for (id, key) in given {
        keys.push((id.into_bytes(), key.shared_secret(MIN_PEPPER_LEN..=MAX_PEPPER_LEN)?));
    }
    Ok(Peppers::new(current.as_bytes(), keys)?)
}

fn families(legacy: Arg<'_>) -> Result<Vec<LegacyScheme>> {
    let max = u32::try_from(LegacyScheme::ALL.len()).unwrap_or(u32::MAX);
    legacy.array(max)?.iter().map(|family| family.one_of(&LegacyScheme::ALL)).collect()
}

fn limits(limits: Arg<'_>) -> Result<(DigestLimits, Ceilings)> {
    let HasherLimits { argon2, bcrypt_cost, scrypt_work, pbkdf2_iterations } = limits.read()?;
    Ok((argon2.limits()?, Ceilings::new(bcrypt_cost, scrypt_work, pbkdf2_iterations)?))
}
