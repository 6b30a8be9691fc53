//! Limits on the costs that a stored digest may ask for.

use super::params::Params;
use super::phc::Digest;
use super::policy::{MAX_MEMORY_COST, at_most};
use crate::error::{Code, Error, Result};

/// The most that a stored digest may ask for, so that an attacker who can plant a digest cannot
/// exhaust the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigestLimits {
    memory_cost: u32,
    time_cost: u32,
    parallelism: u32,
}

impl Default for DigestLimits {
    /// 1 GiB, 64 passes, 64 lanes.
    fn default() -> Self {
        Self { memory_cost: 1 << 20, time_cost: 64, parallelism: 64 }
    }
}

impl DigestLimits {
    /// Limits for memory in KiB (8 to [`MAX_MEMORY_COST`]), passes and lanes (both at least 1);
    /// `None` means the default. Fails with `ERR_OUT_OF_RANGE` for other values.
    pub fn new(
        memory_cost: Option<u32>,
        time_cost: Option<u32>,
        parallelism: Option<u32>,
    ) -> Result<Self> {
        let default = Self::default();
        let limits = Self {
            memory_cost: at_most(
                "limits.memoryCost",
                memory_cost.unwrap_or(default.memory_cost),
                MAX_MEMORY_COST,
            )?,
            time_cost: time_cost.unwrap_or(default.time_cost),
            parallelism: parallelism.unwrap_or(default.parallelism),
        };
        if limits.memory_cost < 8 || limits.time_cost == 0 || limits.parallelism == 0 {
            return Err(Error::new(
                Code::OutOfRange,
                "limits must allow at least 8 KiB, 1 pass and 1 lane",
            ));
        }
        Ok(limits)
    }

    /// The most memory, in KiB.
    pub const fn memory_cost(&self) -> u32 {
        self.memory_cost
    }

    /// The same limits, raised to the costs of a policy, because its digests must verify.
    pub(super) fn raised_to(self, params: &Params) -> Self {
        Self {
            memory_cost: self.memory_cost.max(params.memory_cost()),
            time_cost: self.time_cost.max(params.time_cost()),
            parallelism: self.parallelism.max(params.parallelism()),
        }
    }

    /// Fails with `ERR_PASSWORD_LIMIT` if `len`, the bytes that another scheme's hash needs,
    /// exceeds the limit.
    pub(super) fn check_memory(&self, len: u64) -> Result<()> {
        if len <= u64::from(self.memory_cost) * 1024 {
            return Ok(());
        }
        let message = "the hash needs more memory than limits.memoryCost allows";
        Err(Error::new(Code::PasswordLimit, message))
    }

    /// Fails with `ERR_PASSWORD_LIMIT` if a digest asks for more. Allocates nothing.
    pub fn check(&self, digest: &Digest) -> Result<()> {
        let params = digest.params();
        let message = if params.memory_cost() > self.memory_cost {
            "the digest needs more memory than limits.memoryCost allows"
        } else if params.time_cost() > self.time_cost {
            "the digest needs more passes than limits.timeCost allows"
        } else if params.parallelism() > self.parallelism {
            "the digest needs more lanes than limits.parallelism allows"
        } else {
            return Ok(());
        };
        Err(Error::new(Code::PasswordLimit, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(limits: DigestLimits, costs: &str) -> bool {
        let text = format!("$argon2id$v=19${costs}$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA");
        let digest = Digest::parse(&text).unwrap().unwrap();
        limits.check(&digest).is_err_and(|error| error.code == Code::PasswordLimit)
    }

    #[test]
    fn a_digest_beyond_any_ceiling_is_refused() {
        let limits = DigestLimits::default();
        assert!(!refused(limits, "m=1048576,t=64,p=64"));
        assert!(refused(limits, "m=1048577,t=1,p=1"));
        assert!(refused(limits, "m=4294967295,t=1,p=1"));
        assert!(refused(limits, "m=1024,t=65,p=1"));
        assert!(refused(limits, "m=1024,t=1,p=65"));
        assert!(refused(limits, "m=134217720,t=1,p=16777215"));
        assert!(refused(DigestLimits::new(Some(1024), None, None).unwrap(), "m=1025,t=1,p=1"));
        for limits in [
            DigestLimits::new(Some(7), None, None),
            DigestLimits::new(Some(MAX_MEMORY_COST + 1), None, None),
            DigestLimits::new(None, Some(0), None),
            DigestLimits::new(None, None, Some(0)),
        ] {
            assert_eq!(limits.unwrap_err().code, Code::OutOfRange);
        }
    }
}
