//! Limits on the work that a hash of another scheme may ask for. Its memory is limited by
//! [`DigestLimits`](crate::password::DigestLimits), like Argon2's.

use crate::error::{Code, Error, Result};

/// The lowest cost that bcrypt supports.
pub const MIN_BCRYPT_COST: u32 = 4;

/// The highest cost that bcrypt supports: it takes weeks.
pub const MAX_BCRYPT_COST: u32 = 31;

/// The highest ceiling for scrypt's N·r·p.
pub const MAX_SCRYPT_WORK: u32 = 1 << 29;

/// The highest ceiling for PBKDF2's iterations.
pub const MAX_PBKDF2_ITERATIONS: u32 = u32::MAX;

/// The most work per hash, so that an attacker who can plant a hash cannot occupy the threads. A
/// hash at the default limits takes a few seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceilings {
    bcrypt_cost: u32,
    scrypt_work: u32,
    pbkdf2_iterations: u32,
}

impl Default for Ceilings {
    /// bcrypt cost 16, scrypt N·r·p 2^24 (OWASP recommends 2^20), and 10 million iterations of
    /// PBKDF2 (OWASP recommends up to 1.3 million).
    fn default() -> Self {
        Self { bcrypt_cost: 16, scrypt_work: 1 << 24, pbkdf2_iterations: 10_000_000 }
    }
}

impl Ceilings {
    /// Ceilings for bcrypt's cost (4 to 31), scrypt's N·r·p (1 to 2^29) and PBKDF2's iterations (1
    /// to 2^32 − 1); `None` means the default. Fails with `ERR_OUT_OF_RANGE` for other values.
    pub fn new(
        bcrypt_cost: Option<u32>,
        scrypt_work: Option<u32>,
        pbkdf2_iterations: Option<u32>,
    ) -> Result<Self> {
        let default = Self::default();
        let ceilings = Self {
            bcrypt_cost: bcrypt_cost.unwrap_or(default.bcrypt_cost),
            scrypt_work: scrypt_work.unwrap_or(default.scrypt_work),
            pbkdf2_iterations: pbkdf2_iterations.unwrap_or(default.pbkdf2_iterations),
        };
        let message = if !(MIN_BCRYPT_COST..=MAX_BCRYPT_COST).contains(&ceilings.bcrypt_cost) {
            "limits.bcryptCost must be from 4 to 31"
        } else if !(1..=MAX_SCRYPT_WORK).contains(&ceilings.scrypt_work) {
            "limits.scryptWork must be from 1 to 536870912"
        } else if ceilings.pbkdf2_iterations == 0 {
            "limits.pbkdf2Iterations must be from 1 to 4294967295"
        } else {
            return Ok(ceilings);
        };
        Err(Error::new(Code::OutOfRange, message))
    }

    /// Refuses a bcrypt cost above the ceiling.
    pub(super) fn bcrypt(&self, cost: u32) -> Result<()> {
        allow(cost <= self.bcrypt_cost, "the hash needs a cost above limits.bcryptCost")
    }

    /// Refuses an N·r·p of scrypt above the ceiling.
    pub(super) fn scrypt(&self, work: u64) -> Result<()> {
        let message = "the hash needs N·r·p above limits.scryptWork";
        allow(work <= u64::from(self.scrypt_work), message)
    }

    /// Refuses more PBKDF2 iterations than the ceiling.
    pub(super) fn pbkdf2(&self, iterations: u64) -> Result<()> {
        let message = "the hash needs more iterations than limits.pbkdf2Iterations allows";
        allow(iterations <= u64::from(self.pbkdf2_iterations), message)
    }
}

fn allow(within: bool, message: &'static str) -> Result<()> {
    if within { Ok(()) } else { Err(Error::new(Code::PasswordLimit, message)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ceilings_outside_their_bounds_are_refused() {
        let ceilings = Ceilings::new(Some(4), Some(1), Some(1)).unwrap();
        assert!(ceilings.bcrypt(4).is_ok() && ceilings.scrypt(1).is_ok());
        assert!(ceilings.pbkdf2(1).is_ok());
        for refused in [ceilings.bcrypt(5), ceilings.scrypt(2), ceilings.pbkdf2(2)] {
            assert_eq!(refused.unwrap_err().code, Code::PasswordLimit);
        }
        assert_eq!(Ceilings::new(None, None, None).unwrap(), Ceilings::default());
        for wrong in [
            Ceilings::new(Some(3), None, None),
            Ceilings::new(Some(32), None, None),
            Ceilings::new(None, Some(0), None),
            Ceilings::new(None, Some(MAX_SCRYPT_WORK + 1), None),
            Ceilings::new(None, None, Some(0)),
        ] {
            assert_eq!(wrong.unwrap_err().code, Code::OutOfRange);
        }
    }
}
