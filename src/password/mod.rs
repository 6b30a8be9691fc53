//! Password hashing with Argon2 (RFC 9106).
//!
//! A [`Policy`] says what new hashes ask for, a [`Digest`] is a stored one, [`Limits`] bound what
//! a stored one may ask for. The work is a [`HashJob`] or a [`VerifyJob`]: run it here and now, or
//! on the [`pool`].

mod admission;
/// Which costs take a wanted time on this machine.
pub mod calibrate;
mod cancel;
#[allow(unsafe_code, reason = "vector instructions, and memory that threads share by lanes")]
#[allow(clippy::inline_always, reason = "a kernel is a whole walk compiled for its instructions")]
mod engine;
mod job;
mod latency;
mod limits;
mod params;
mod phc;
mod policy;
/// Threads of our own, so that hashing never starves the file and DNS work of Node's four.
pub mod pool;

pub use self::cancel::Cancel;
pub use self::engine::take_warning;
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

#[cfg(test)]
mod tests;
