//! Limits on the costs that a stored digest may ask for.

use super::params::Params;
use super::phc::Digest;
use super::policy::{MAX_MEMORY_COST, Policy, PolicyOptions, at_most};
use crate::error::{Code, Error, Result};

/// The highest limit on the work of a digest: the largest integer that JavaScript represents
/// exactly.
pub const MAX_WORK: u64 = (1 << 53) - 1;

/// The most that a stored digest may ask for, so that an attacker who can plant a digest cannot
/// exhaust the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigestLimits {
    memory_cost: u32,
    time_cost: u32,
    parallelism: u32,
    work: u64,
}

impl Default for DigestLimits {
    /// 1 GiB, 64 passes, 64 lanes, and 8 GiB of memory times passes, which takes a few seconds. The
    /// most costly presets of other libraries ask for half of that: libsodium's SENSITIVE has 1 GiB
    /// and 4 passes.
    fn default() -> Self {
        Self { memory_cost: 1 << 20, time_cost: 64, parallelism: 64, work: 8 << 20 }
    }
}

impl DigestLimits {
    /// Limits for memory in KiB (8 to [`MAX_MEMORY_COST`]), passes and lanes (both at least 1), and
    /// memory times passes (8 to [`MAX_WORK`]); `None` means the default. Fails with
    /// `ERR_OUT_OF_RANGE` for other values.
    pub fn new(
        memory_cost: Option<u32>,
        time_cost: Option<u32>,
        parallelism: Option<u32>,
        work: Option<u64>,
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
            work: work.unwrap_or(default.work),
        };
        if !(8..=MAX_WORK).contains(&limits.work) {
            let message = format!("limits.work must be from 8 to {MAX_WORK}");
            return Err(Error::new(Code::OutOfRange, message));
        }
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
            work: self.work.max(work(params)),
        }
    }

    /// The default policy, with its costs lowered to these limits: the work that stands for a check
    /// of a hash that no password matches.
    pub fn lowered_policy(&self) -> Result<Policy> {
        let costs = *Policy::new(&PolicyOptions::default(), false)?.params();
        let work = u32::try_from(self.work).unwrap_or(u32::MAX);
        let memory_cost = costs.memory_cost().min(self.memory_cost).min(work);
        let lowered = PolicyOptions {
            memory_cost: Some(memory_cost),
            time_cost: Some(costs.time_cost().min(self.time_cost).min(work / memory_cost)),
            // Argon2 needs 8 KiB for each lane.
            parallelism: Some(costs.parallelism().min(self.parallelism).min(memory_cost / 8)),
            ..PolicyOptions::default()
        };
        Policy::new(&lowered, false)
    }

    /// Fails with `ERR_PASSWORD_LIMIT` if `len`, the bytes that a hash of scrypt needs, exceeds the
    /// limit. One byte in 256 is free, so that a table of exactly the limit is allowed with the few
    /// blocks that scrypt needs beside it.
    pub(super) fn check_memory(&self, len: u64) -> Result<()> {
        if len - len / 256 <= u64::from(self.memory_cost) * 1024 {
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
        } else if work(params) > self.work {
            "the digest needs more memory times passes than limits.work allows"
        } else {
            return Ok(());
        };
        Err(Error::new(Code::PasswordLimit, message))
    }
}

/// The work of a hash: memory in KiB times passes, to which its time is proportional.
fn work(params: &Params) -> u64 {
    u64::from(params.memory_cost()) * u64::from(params.time_cost())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::params::{Algorithm, Version};
    use crate::password::policy::Preset;

    fn refused(limits: DigestLimits, costs: &str) -> bool {
        let text = format!("$argon2id$v=19${costs}$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA");
        let digest = Digest::parse(&text).unwrap().unwrap();
        limits.check(&digest).is_err_and(|error| error.code == Code::PasswordLimit)
    }

    #[test]
    fn a_digest_beyond_any_ceiling_is_refused() {
        let limits = DigestLimits::default();
        assert!(!refused(limits, "m=1048576,t=8,p=64"));
        assert!(!refused(limits, "m=131072,t=64,p=64"));
        assert!(refused(limits, "m=1048577,t=1,p=1"));
        assert!(refused(limits, "m=4294967295,t=1,p=1"));
        assert!(refused(limits, "m=1024,t=65,p=1"));
        assert!(refused(limits, "m=1024,t=1,p=65"));
        assert!(refused(limits, "m=134217720,t=1,p=16777215"));
        let limit = |memory, passes, lanes, work| DigestLimits::new(memory, passes, lanes, work);
        assert!(refused(limit(Some(1024), None, None, None).unwrap(), "m=1025,t=1,p=1"));
        for limits in [
            limit(Some(7), None, None, None),
            limit(Some(MAX_MEMORY_COST + 1), None, None, None),
            limit(None, Some(0), None, None),
            limit(None, None, Some(0), None),
            limit(None, None, None, Some(7)),
            limit(None, None, None, Some(MAX_WORK + 1)),
        ] {
            assert_eq!(limits.unwrap_err().code, Code::OutOfRange);
        }
    }
    #[test]
    fn memory_times_passes_have_a_ceiling_of_their_own() {
        let limits = DigestLimits::default();
        assert!(refused(limits, "m=1048576,t=9,p=1") && refused(limits, "m=131073,t=64,p=1"));
        let low = DigestLimits::new(None, None, None, Some(192)).unwrap();
        assert!(!refused(low, "m=64,t=3,p=1") && refused(low, "m=65,t=3,p=1"));
        let highest = DigestLimits::new(Some(MAX_MEMORY_COST), Some(u32::MAX), None, None).unwrap();
        assert!(refused(highest, "m=4194304,t=4294967295,p=1"));
        // A policy raises the ceiling to its own work, not to any split of it.
        let params = Params::new(Algorithm::Argon2id, Version::V0x13, 1 << 20, 9, 1).unwrap();
        let raised = limits.raised_to(&params);
        assert!(!refused(raised, "m=1048576,t=9,p=1") && refused(raised, "m=1048576,t=10,p=1"));
    }

    #[test]
    fn the_work_for_a_hash_that_matches_nothing_is_within_the_limits() {
        for (memory, passes, lanes, work) in [
            (None, None, None, None),
            (Some(8), None, None, None),
            (Some(1024), Some(1), None, None),
            (None, Some(2), Some(1), None),
            (None, None, Some(2), Some(65536)),
            (Some(17), None, None, Some(8)),
            (None, None, None, Some(9)),
        ] {
            let limits = DigestLimits::new(memory, passes, lanes, work).unwrap();
            let policy = limits.lowered_policy().unwrap();
            let (salt, hash) = (vec![0; policy.salt_length()], vec![0; policy.hash_length()]);
            limits.check(&Digest::new(*policy.params(), Vec::new(), salt, hash)).unwrap();
        }
        let default = Policy::new(&PolicyOptions::default(), false).unwrap();
        assert_eq!(DigestLimits::default().lowered_policy().unwrap(), default);
    }

    #[test]
    fn digests_of_the_presets_and_of_other_libraries_are_within_the_default_ceilings() {
        for (_, preset) in Preset::ALL {
            let (memory, passes, lanes) = preset.costs();
            let limits = DigestLimits::new(Some(2 << 20), None, None, None).unwrap();
            assert!(!refused(limits, &format!("m={memory},t={passes},p={lanes}")), "{preset:?}");
        }
        for costs in [
            // npm argon2: the defaults until 0.28 and since, and with more passes or memory.
            "m=4096,t=3,p=1",
            "m=65536,t=3,p=4",
            "m=65536,t=64,p=4",
            "m=1048576,t=3,p=4",
            // libsodium: INTERACTIVE, MODERATE, SENSITIVE, and SENSITIVE of Argon2i.
            "m=65536,t=2,p=1",
            "m=262144,t=3,p=1",
            "m=1048576,t=4,p=1",
            "m=524288,t=8,p=1",
            // Django, Spring, PHP.
            "m=102400,t=2,p=8",
            "m=16384,t=2,p=1",
            "m=65536,t=4,p=1",
        ] {
            assert!(!refused(DigestLimits::default(), costs), "{costs}");
        }
    }
}
