//! Hashes of other schemes, for migration. They are read and verified if the caller enables them,
//! and never made. A caller that verifies a password can replace its hash at the same time.

mod aspnet;
mod bcrypt;
mod better_auth;
mod ceilings;
mod django;
mod dovecot;
mod fields;
mod hash;
mod normalized;
mod parse;
mod pbkdf2;
mod salted;
mod scheme;
mod scrypt;
mod spring;
mod werkzeug;

pub use self::bcrypt::Bcrypt;
pub use self::ceilings::{
    Ceilings, MAX_BCRYPT_COST, MAX_PBKDF2_ITERATIONS, MAX_SCRYPT_WORK, MIN_BCRYPT_COST,
};
pub use self::hash::LegacyHash;
pub(super) use self::hash::ParsedLegacy;
pub(super) use self::parse::parse;
pub use self::pbkdf2::Pbkdf2;
pub use self::salted::Salted;
pub use self::scheme::LegacyScheme;
pub use self::scrypt::Scrypt;

#[cfg(test)]
mod tests;
