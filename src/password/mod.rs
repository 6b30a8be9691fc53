//! Password hashing with Argon2 (RFC 9106).
//!
//! A [`Policy`] sets the costs of new hashes. A [`Digest`] is a stored hash, and [`DigestLimits`]
//! bound the costs that a stored hash may ask for. A [`Hasher`] combines them for one service, with
//! its peppers and the other schemes that it still verifies. The work is a job, for example a
//! [`HashJob`], which runs on the calling thread or on the [`pool`].

mod admission;
/// Finds the costs that take a given time on this machine.
pub mod calibrate;
mod cancel;
#[allow(clippy::inline_always, reason = "a kernel is a whole walk compiled for its instructions")]
mod engine;
mod foreign;
#[cfg(any(test, feature = "fuzz"))]
#[allow(clippy::expect_used, reason = "a failed expectation is a finding")]
pub(crate) mod fuzz;
mod hasher;
mod job;
mod latency;
mod legacy;
mod limits;
#[allow(unsafe_code, reason = "memory from the operating system, lent as blocks")]
/// Argon2's working memory: large, reused, wiped after each loan.
pub mod memory;
mod params;
mod peppers;
mod phc;
mod policy;
/// Dedicated threads, so that hashing never starves the file and DNS work on Node's four libuv
/// threads.
pub mod pool;
mod rehash;

pub use self::cancel::Cancel;
pub use self::engine::take_warning;
pub use self::hasher::{Check, Hasher, HasherOptions, NewDigestJob, Update, Updated};
pub use self::job::{HashJob, MAX_PASSWORD_LEN, MAX_SECRET_LEN, Tag, VerifyJob};
pub use self::legacy::{
    Bcrypt, Ceilings, LegacyHash, LegacyScheme, MAX_BCRYPT_COST, MAX_PBKDF2_ITERATIONS,
    MAX_SCRYPT_WORK, MIN_BCRYPT_COST, Pbkdf2, Salted, Scrypt,
};
pub use self::limits::{DigestLimits, MAX_WORK};
pub use self::params::{Algorithm, Params, Version};
pub use self::peppers::{MAX_PEPPER_LEN, MAX_PEPPERS, MIN_PEPPER_LEN, Peppers};
pub use self::phc::{
    Digest, MAX_DIGEST_LEN, MAX_FIELD_LEN, MAX_FIELDS_LEN, MAX_KEYID_LEN, MIN_HASH_LEN,
    MIN_SALT_LEN,
};
pub use self::policy::{
    MAX_MEMORY_COST, MAX_PARALLELISM, MAX_TIME_COST, Policy, PolicyOptions, Preset,
};
pub use self::rehash::Rehash;

#[cfg(test)]
mod tests;
