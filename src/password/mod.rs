//! Password hashing with Argon2 (RFC 9106).
//!
//! A [`Policy`] says what new hashes ask for, a [`Digest`] is a stored one, [`Limits`] bound what
//! a stored one may ask for. The work is a [`HashJob`] or a [`VerifyJob`]: run it here and now, or
//! on the [`pool`].

mod engine;
mod job;
mod limits;
mod params;
mod phc;
mod policy;
/// Threads of our own, so that hashing never starves the file and DNS work of Node's four.
pub mod pool;

pub use self::job::{HashJob, MAX_PASSWORD_LEN, MAX_SECRET_LEN, Tag, VerifyJob};
pub use self::limits::Limits;
pub use self::params::{Algorithm, Params, Version};
pub use self::phc::{
    Digest, MAX_DIGEST_LEN, MAX_FIELD_LEN, MAX_FIELDS_LEN, MAX_KEYID_LEN, MIN_HASH_LEN,
    MIN_SALT_LEN,
};
pub use self::policy::{
    MAX_MEMORY_COST, MAX_PARALLELISM, MAX_TIME_COST, Policy, PolicyOptions, Profile,
};

use secrecy::SecretSlice;

use crate::error::Result;

/// Hashes a password on this thread; see [`HashJob::new`] for lengths and errors.
pub fn hash(
    policy: Policy,
    password: &[u8],
    salt: Option<&[u8]>,
    secret: Option<&[u8]>,
    associated_data: &[u8],
) -> Result<Digest> {
    hash_job(policy, password, salt, secret, associated_data)?.run(|digest| digest)
}

/// The tag of a password alone, on this thread; as [`hash`] otherwise.
pub fn hash_raw(
    policy: Policy,
    password: &[u8],
    salt: Option<&[u8]>,
    secret: Option<&[u8]>,
    associated_data: &[u8],
) -> Result<Tag> {
    hash_job(policy, password, salt, secret, associated_data)?.run_raw(|tag| tag)
}

/// Checks a password against a digest on this thread: false when it, or the secret, is another.
/// See [`VerifyJob::new`] for lengths and errors.
pub fn verify(
    digest: &Digest,
    password: &[u8],
    secret: Option<&[u8]>,
    limits: &Limits,
) -> Result<bool> {
    VerifyJob::new(digest.clone(), copied(password), secret.map(copied), limits)?
        .run(|matches| matches)
}

fn hash_job(
    policy: Policy,
    password: &[u8],
    salt: Option<&[u8]>,
    secret: Option<&[u8]>,
    associated_data: &[u8],
) -> Result<HashJob> {
    let (salt, secret) = (salt.map(Vec::from), secret.map(copied));
    HashJob::new(policy, copied(password), salt, secret, associated_data.into())
}

/// One copy, of its exact size: no reallocation leaves a part of it behind.
fn copied(bytes: &[u8]) -> SecretSlice<u8> {
    Box::<[u8]>::from(bytes).into()
}

#[cfg(test)]
mod tests;
