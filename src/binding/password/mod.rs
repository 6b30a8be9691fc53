//! `hash`, `verify`, `deriveKey`, `needsRehash`, `parseHash`.

mod calibration;
mod hasher;
mod job;
mod options;
mod pool;

use napi::Env;
use napi::bindgen_prelude::{Buffer, Either, Object, Unknown};
use napi_derive::napi;

use self::job::hashing;
use self::options::{
    HASH_OPTIONS, KEY_OPTIONS, REHASH_OPTIONS, VERIFY_OPTIONS, argon2_limits, associated_data,
    policy, rehash, secret, text,
};
use super::args::out::{self, LocalValue};
use super::args::{Arg, Fault, Result};
use super::guard;
use super::secret::SecretBuffer;
use crate::error::{Code, Error};
use crate::mem::Secret;
use crate::password::pool::{Delivery, hold};
use crate::password::{
    Cancel, Digest, HashJob, Limits, MAX_FIELD_LEN, MAX_PASSWORD_LEN, MIN_SALT_LEN, Tag, VerifyJob,
};

/// What a digest says.
#[napi(object, object_from_js = false)]
pub struct HashInfo {
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
    /// Which secret it was made with.
    pub keyid: Option<Buffer>,
    /// Associated data.
    pub associated_data: Option<Buffer>,
}

/// Hashes a password on the worker pool.
#[napi(catch_unwind)]
pub fn password_hash<'env>(
    env: &'env Env,
    password: Unknown<'_>,
    options: Unknown<'_>,
    production: bool,
    job: Unknown<'_>,
) -> napi::Result<Object<'env>> {
    let hash = guard(env, || hash_job(env, &password, &options, production))?;
    let bytes = hash.job.memory_len();
    if hash.raw {
        hashing(
            env,
            job,
            bytes,
            move |delivery, cancel| hash.job.run_raw(cancel, |tag| delivery.send(tag)),
            |env, tag: Tag| guard(&env, || out::buffer(&env, &tag)),
        )
    } else {
        hashing(
            env,
            job,
            bytes,
            move |delivery, cancel| hash.job.run(cancel, |digest| delivery.send(digest)),
            |env, digest: Digest| guard(&env, || out::string(&env, &digest.to_string())),
        )
    }
}

/// Hashes a password on this thread.
#[napi(catch_unwind)]
pub fn password_hash_sync(
    env: &Env,
    password: Unknown<'_>,
    options: Unknown<'_>,
    production: bool,
) -> napi::Result<LocalValue> {
    guard(env, || {
        refuse_signal(env, &options, HASH_OPTIONS)?;
        let hash = hash_job(env, &password, &options, production)?;
        // Until the memory has been wiped.
        let _held = hold(hash.job.memory_len())?;
        if hash.raw {
            out::buffer(env, &hash.job.run_raw(&Cancel::default(), |tag| tag)?)
        } else {
            let digest = hash.job.run(&Cancel::default(), |digest| digest)?;
            out::string(env, &digest.to_string())
        }
    })
}

/// Derives a key on the worker pool; resolves to a carrier.
#[napi(catch_unwind)]
pub fn password_derive_key<'env>(
    env: &'env Env,
    password: Unknown<'_>,
    salt: Unknown<'_>,
    options: Unknown<'_>,
    production: bool,
    job: Unknown<'_>,
) -> napi::Result<Object<'env>> {
    let key = guard(env, || {
        let options = Arg::new(env, &options, "options").options(KEY_OPTIONS)?;
        let policy = policy(&options, production)?;
        let (secret, data) = (secret(&options)?, associated_data(&options)?);
        let salt = Arg::new(env, &salt, "salt").bytes(MIN_SALT_LEN..=MAX_FIELD_LEN)?;
        let password = Arg::new(env, &password, "password").secret_input(0..=MAX_PASSWORD_LEN)?;
        Ok(HashJob::new(policy, password, Some(salt), secret, data)?)
    })?;
    hashing(
        env,
        job,
        key.memory_len(),
        move |delivery, cancel| key.run_secret(cancel, |key| delivery.send(key)),
        |env, key: Secret| guard(&env, || out::carrier(&env, SecretBuffer::make(|| Ok(key))?)),
    )
}

/// Verifies a password on the worker pool; `false` at once for another scheme's hash.
#[napi(catch_unwind)]
pub fn password_verify<'env>(
    env: &'env Env,
    digest: Unknown<'_>,
    password: Unknown<'_>,
    options: Unknown<'_>,
    job: Unknown<'_>,
) -> napi::Result<Either<bool, Object<'env>>> {
    let check = guard(env, || verify_job(env, &digest, &password, &options))?;
    let Some(check) = check else { return Ok(Either::A(false)) };
    let bytes = check.memory_len();
    let work = |delivery: &mut Delivery<bool>, cancel: &Cancel| {
        check.run(cancel, |matches| delivery.send(matches));
    };
    hashing(env, job, bytes, work, |_, matches: bool| Ok(matches)).map(Either::B)
}

/// Verifies a password on this thread.
#[napi(catch_unwind)]
pub fn password_verify_sync(
    env: &Env,
    digest: Unknown<'_>,
    password: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<bool> {
    guard(env, || {
        refuse_signal(env, &options, VERIFY_OPTIONS)?;
        let Some(check) = verify_job(env, &digest, &password, &options)? else { return Ok(false) };
        let _held = hold(check.memory_len())?;
        Ok(check.run(&Cancel::default(), |matches| matches)?)
    })
}

/// Whether a digest is of another policy, or of another scheme.
#[napi(catch_unwind)]
pub fn password_needs_rehash(
    env: &Env,
    digest: Unknown<'_>,
    options: Unknown<'_>,
    production: bool,
) -> napi::Result<bool> {
    guard(env, || {
        let digest = parse(&Arg::new(env, &digest, "digest"))?;
        let options = Arg::new(env, &options, "options").options(REHASH_OPTIONS)?;
        let (policy, rule) = (policy(&options, production)?, rehash(&options)?);
        // `hash` names no pepper.
        Ok(digest.is_none_or(|digest| policy.needs_rehash(&digest, rule, &[])))
    })
}

/// Reads a digest.
#[napi(catch_unwind)]
pub fn password_parse_hash(env: &Env, digest: Unknown<'_>) -> napi::Result<HashInfo> {
    guard(env, || {
        let digest = parse(&Arg::new(env, &digest, "digest"))?.ok_or_else(|| {
            Error::new(Code::PasswordDigest, "the digest is not of Argon2 but of another scheme")
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

struct Hashing {
    job: HashJob,
    raw: bool,
}

fn hash_job(
    env: &Env,
    password: &Unknown<'_>,
    options: &Unknown<'_>,
    production: bool,
) -> Result<Hashing> {
    let password = Arg::new(env, password, "password");
    let options = Arg::new(env, options, "options").options(HASH_OPTIONS)?;
    let policy = policy(&options, production)?;
    let salt = options.get("salt")?.map(|salt| salt.bytes(MIN_SALT_LEN..=MAX_FIELD_LEN));
    let salt = salt.transpose()?;
    let data = associated_data(&options)?;
    let secret = secret(&options)?;
    let raw = options.get("raw")?.map_or(Ok(false), |raw| raw.boolean())?;
    let password = password.secret_input(0..=MAX_PASSWORD_LEN)?;
    Ok(Hashing { job: HashJob::new(policy, password, salt, secret, data)?, raw })
}

fn verify_job(
    env: &Env,
    digest: &Unknown<'_>,
    password: &Unknown<'_>,
    options: &Unknown<'_>,
) -> Result<Option<VerifyJob>> {
    let digest = parse(&Arg::new(env, digest, "digest"))?;
    let options = Arg::new(env, options, "options").options(VERIFY_OPTIONS)?;
    let limits = match options.get("limits")? {
        Some(limits) => {
            argon2_limits(&limits.options(&["memoryCost", "timeCost", "parallelism"])?)?
        }
        None => Limits::default(),
    };
    let secret = secret(&options)?;
    let password = Arg::new(env, password, "password").secret_input(0..=MAX_PASSWORD_LEN)?;
    Ok(digest.map(|digest| VerifyJob::new(digest, password, secret, &limits)).transpose()?)
}

/// Nothing can be called off while its caller waits for it.
fn refuse_signal(env: &Env, options: &Unknown<'_>, known: &'static [&'static str]) -> Result<()> {
    match Arg::new(env, options, "options").options(known)?.get("signal")? {
        Some(_) => Err(Fault::new(
            Code::UnknownOption,
            "the option \"signal\" is for calls that return a promise",
        )),
        None => Ok(()),
    }
}

fn parse(digest: &Arg<'_>) -> Result<Option<Digest>> {
    Ok(Digest::parse(&text(digest)?)?)
}
