//! `hash`, `verify`, `deriveKey`, `needsRehash`, `parseHash`.

pub(super) mod calibration;
pub(super) mod hasher;
mod job;
mod jobs;
pub(super) mod options;
pub(super) mod pool;

use napi::Env;
use napi::bindgen_prelude::{Buffer, Object, Unknown};
use napi_derive::napi;

use self::jobs::{DerivedKey, DigestHash, RawHash};
use self::options::{CostOptions, HashPolicy, LimitOptions, associated_data, rehash, secret, text};
use super::args::out::{self, LocalValue};
use super::args::{Arg, Fault, OptionSet, Outcome, Result, options};
use super::guard;
use crate::error::{Code, Error};
use crate::password::pool::hold;
use crate::password::{
    Cancel, Digest, DigestLimits, HashJob, MAX_FIELD_LEN, MAX_PASSWORD_LEN, MIN_SALT_LEN, Rehash,
    VerifyJob, Version,
};
use crate::secret::SecretInput;

options! {
    /// The options of `hash`.
    pub(super) struct HashOptions for "hash" {
        /// The policy.
        policy: HashPolicy = flatten(HashPolicy),
        /// The salt; random unless given.
        salt("salt"): Option<Vec<u8>> = optional(|salt| salt.bytes(MIN_SALT_LEN..=MAX_FIELD_LEN)),
        /// The secret that goes into the hash.
        secret("secret"): Option<SecretInput> = optional(secret),
        /// Associated data.
        associated_data("associatedData"): Vec<u8> = default(Vec::new(), associated_data),
        /// Whether the result is bytes instead of a digest.
        raw("raw"): bool = default(false, |raw| raw.boolean()),
        facade("signal"),
    }
}

// `verify` and `needsRehash` accept the options of `hash`, so that one object serves all three, as
// with npm `argon2`. They do not read the options that mean nothing to them.

options! {
    /// The options of `verify`.
    pub(super) struct VerifyOptions for "verify" {
        unread(..HashPolicy),
        unread("salt"),
        /// The secret that went into the hash.
        secret("secret"): Option<SecretInput> = optional(secret),
        unread("associatedData"),
        unread("raw"),
        facade("signal"),
        /// The most that the digest may ask for.
        limits("limits"): DigestLimits =
            default(DigestLimits::default(), |limits| limits.read::<LimitOptions>()?.limits()),
    }
}

options! {
    /// The options of `needsRehash`.
    pub(super) struct RehashOptions for "needsRehash" {
        /// The policy that digests should have.
        hash: HashPolicy = flatten(HashPolicy),
        unread("salt"),
        unread("secret"),
        unread("associatedData"),
        unread("raw"),
        unread("signal"),
        /// Which digests are due to be replaced.
        policy("policy"): Rehash = default(Rehash::default(), rehash),
    }
}

options! {
    /// The options of `deriveKey`, whose salt is an argument of its own.
    pub(super) struct KeyOptions for "deriveKey" {
        facade("signal"),
        /// How the key is computed.
        costs: CostOptions = flatten(CostOptions),
        /// The version of Argon2.
        version("version"): Option<Version> = optional(options::version),
        /// The secret that goes into the key.
        secret("secret"): Option<SecretInput> = optional(secret),
        /// Associated data.
        associated_data("associatedData"): Vec<u8> = default(Vec::new(), associated_data),
    }
}

/// The contents of a digest.
#[napi(object, object_from_js = false)]
pub(super) struct HashInfo {
    /// `argon2d`, `argon2i` or `argon2id`.
    #[napi(js_name = "type")]
    pub algorithm: &'static str,
    /// 0x10 or 0x13.
    pub version: u32,
    /// KiB.
    pub memory_cost: u32,
    /// Passes.
    pub time_cost: u32,
    /// Lanes.
    pub parallelism: u32,
    /// The salt.
    pub salt: Buffer,
    /// The tag.
    pub hash: Buffer,
    /// The id of the secret that the digest was made with.
    pub keyid: Option<Buffer>,
    /// Associated data.
    pub associated_data: Option<Buffer>,
}

/// Hashes a password on the worker pool.
#[napi(catch_unwind)]
pub(super) fn password_hash<'env>(
    env: &'env Env,
    password: Unknown<'_>,
    options: Unknown<'_>,
    job: Unknown<'_>,
) -> napi::Result<Outcome<Object<'env>>> {
    guard(env, || match hash_job(env, &password, &options)? {
        Hashing::Raw(hash) => job::submit(env, &job, hash),
        Hashing::Digest(hash) => job::submit(env, &job, hash),
    })
}

/// Hashes a password on this thread.
#[napi(catch_unwind)]
pub(super) fn password_hash_sync(
    env: &Env,
    password: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<LocalValue>> {
    guard(env, || {
        refuse_signal::<HashOptions>(env, &options)?;
        match hash_job(env, &password, &options)? {
            Hashing::Raw(RawHash(hash)) => {
                // Holds a share of the pool's memory budget until the memory has been wiped.
                let _held = hold(hash.memory_len())?;
                out::buffer(env, &hash.run_raw(&Cancel::default(), |tag| tag)?)
            }
            Hashing::Digest(DigestHash(hash)) => {
                let _held = hold(hash.memory_len())?;
                let digest = hash.run(&Cancel::default(), |digest| digest)?;
                out::string(env, &digest.to_string())
            }
        }
    })
}

/// Derives a key on the worker pool; resolves to a carrier.
#[napi(catch_unwind)]
pub(super) fn password_derive_key<'env>(
    env: &'env Env,
    password: Unknown<'_>,
    salt: Unknown<'_>,
    options: Unknown<'_>,
    job: Unknown<'_>,
) -> napi::Result<Outcome<Object<'env>>> {
    guard(env, || {
        let options: KeyOptions = Arg::new(env, &options, "options").read()?;
        let policy = options.costs.policy(options.version)?;
        let salt = Arg::new(env, &salt, "salt").bytes(MIN_SALT_LEN..=MAX_FIELD_LEN)?;
        let password = self::password(env, &password)?;
        let (secret, data) = (options.secret, options.associated_data);
        let key = DerivedKey(HashJob::new(policy, password, Some(salt), secret, data)?);
        job::submit(env, &job, key)
    })
}

/// Verifies a password on the worker pool.
#[napi(catch_unwind)]
pub(super) fn password_verify<'env>(
    env: &'env Env,
    digest: Unknown<'_>,
    password: Unknown<'_>,
    options: Unknown<'_>,
    job: Unknown<'_>,
) -> napi::Result<Outcome<Object<'env>>> {
    guard(env, || job::submit(env, &job, verify_job(env, &digest, &password, &options)?))
}

/// Verifies a password on this thread.
#[napi(catch_unwind)]
pub(super) fn password_verify_sync(
    env: &Env,
    digest: Unknown<'_>,
    password: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<bool>> {
    guard(env, || {
        refuse_signal::<VerifyOptions>(env, &options)?;
        let check = verify_job(env, &digest, &password, &options)?;
        let _held = hold(check.memory_len())?;
        Ok(check.run(&Cancel::default(), |matches| matches)?)
    })
}

/// Whether a digest is of another policy, or of another scheme.
#[napi(catch_unwind)]
pub(super) fn password_needs_rehash(
    env: &Env,
    digest: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<bool>> {
    guard(env, || {
        let digest = parse(&Arg::new(env, &digest, "digest"))?;
        let options: RehashOptions = Arg::new(env, &options, "options").read()?;
        let (policy, rule) = (options.hash.policy()?, options.policy);
        // Digests of `hash` name no pepper.
        Ok(digest.is_none_or(|digest| policy.needs_rehash(&digest, rule, &[])))
    })
}

/// Reads a digest.
#[napi(catch_unwind)]
pub(super) fn password_parse_hash(
    env: &Env,
    digest: Unknown<'_>,
) -> napi::Result<Outcome<HashInfo>> {
    guard(env, || {
        let digest = parse(&Arg::new(env, &digest, "digest"))?.ok_or_else(|| {
            Error::new(
                Code::PasswordDigest,
                "the digest must be an Argon2 digest, not one of another scheme",
            )
        })?;
        let some = |bytes: &[u8]| (!bytes.is_empty()).then(|| bytes.to_vec().into());
        Ok(HashInfo {
            algorithm: digest.params().algorithm().name(),
            version: digest.params().version().number(),
            memory_cost: digest.params().memory_cost(),
            time_cost: digest.params().time_cost(),
            parallelism: digest.params().parallelism(),
            salt: digest.salt().to_vec().into(),
            hash: digest.hash().to_vec().into(),
            keyid: some(digest.keyid()),
            associated_data: some(digest.data()),
        })
    })
}

enum Hashing {
    Raw(RawHash),
    Digest(DigestHash),
}

fn hash_job(env: &Env, password: &Unknown<'_>, options: &Unknown<'_>) -> Result<Hashing> {
    let options: HashOptions = Arg::new(env, options, "options").read()?;
    let policy = options.policy.policy()?;
    let password = self::password(env, password)?;
    let (salt, secret) = (options.salt, options.secret);
    let job = HashJob::new(policy, password, salt, secret, options.associated_data)?;
    Ok(if options.raw { Hashing::Raw(RawHash(job)) } else { Hashing::Digest(DigestHash(job)) })
}

/// The check of a password. For another scheme's hash it takes the time of a check of a digest with
/// the default costs, as far as the limits allow them.
fn verify_job(
    env: &Env,
    digest: &Unknown<'_>,
    password: &Unknown<'_>,
    options: &Unknown<'_>,
) -> Result<VerifyJob> {
    let digest = parse(&Arg::new(env, digest, "digest"))?;
    let VerifyOptions { secret, limits } = Arg::new(env, options, "options").read()?;
    let password = self::password(env, password)?;
    if let Some(digest) = digest {
        return Ok(VerifyJob::new(digest, password, secret, &limits)?);
    }
    Ok(VerifyJob::for_timing(&limits.lowered_policy()?, password, secret)?)
}

fn password(env: &Env, password: &Unknown<'_>) -> Result<SecretInput> {
    Arg::new(env, password, "password").secret_input(0..=MAX_PASSWORD_LEN)
}

/// Refuses the option `signal`: a call on its caller's thread cannot be cancelled.
fn refuse_signal<'a, T: OptionSet<'a>>(env: &Env, options: &'a Unknown<'_>) -> Result<()> {
    match Arg::new(env, options, "options").options(T::NAMES)?.get("signal")? {
        Some(_) => Err(Fault::new(
            Code::UnknownOption,
            "the option \"signal\" must be left out: only calls that return a promise can be \
             aborted",
        )),
        None => Ok(()),
    }
}

fn parse(digest: &Arg<'_>) -> Result<Option<Digest>> {
    Ok(Digest::parse(&text(digest)?)?)
}
