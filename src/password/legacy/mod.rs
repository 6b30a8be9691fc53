//! Hashes of other schemes, so that their users can move: read and verified when asked for, never
//! made. A caller that verifies one has the password at hand to replace it by.

mod bcrypt;
mod ceilings;
mod django;
mod hash;
mod lengths;
mod parse;
mod pbkdf2;
mod scrypt;

pub use self::bcrypt::Bcrypt;
pub use self::ceilings::{
    Ceilings, MAX_BCRYPT_COST, MAX_PBKDF2_ITERATIONS, MAX_SCRYPT_WORK, MIN_BCRYPT_COST,
};
pub use self::hash::LegacyHash;
pub(super) use self::hash::ParsedLegacy;
pub use self::parse::LegacyScheme;
pub(super) use self::parse::parse;
pub use self::pbkdf2::Pbkdf2;
pub use self::scrypt::Scrypt;

#[cfg(test)]
mod tests;
