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

pub use self::ceilings::{
    Ceilings, MAX_BCRYPT_COST, MAX_PBKDF2_ITERATIONS, MAX_SCRYPT_WORK, MIN_BCRYPT_COST,
};
pub use self::hash::{LegacyHash, ParsedLegacy};
pub use self::parse::{LegacyScheme, parse};

#[cfg(test)]
mod tests;
