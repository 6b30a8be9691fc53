//! The parameters of an Argon2 tag besides its inputs: variant, version and the three costs.

use crate::error::{Code, Error, Result};

/// The three variants of RFC 9106 section 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Memory is addressed by its content: fastest to fill, but open to timing side channels.
    Argon2d,
    /// Memory is addressed independently of the password.
    Argon2i,
    /// The first half pass as Argon2i, the rest as Argon2d: the recommended variant.
    Argon2id,
}

impl Algorithm {
    /// Every variant.
    pub const ALL: [Self; 3] = [Self::Argon2d, Self::Argon2i, Self::Argon2id];

    /// The identifier in a PHC string.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Argon2d => "argon2d",
            Self::Argon2i => "argon2i",
            Self::Argon2id => "argon2id",
        }
    }

    /// The type `y` of RFC 9106 section 3.1: 0, 1 or 2.
    pub const fn number(self) -> u32 {
        match self {
            Self::Argon2d => 0,
            Self::Argon2i => 1,
            Self::Argon2id => 2,
        }
    }

    /// The variant with this identifier.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The variant with this type number.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.number() == number)
    }
}

/// The version of Argon2, which is part of the hashed input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 16, from 2015: later passes overwrite a block. Only for existing digests.
    V0x10,
    /// 19, the version of RFC 9106: later passes XOR into a block.
    V0x13,
}

impl Version {
    /// The number in a PHC string.
    pub const fn number(self) -> u32 {
        match self {
            Self::V0x10 => 0x10,
            Self::V0x13 => 0x13,
        }
    }

    /// The version with this number.
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            0x10 => Some(Self::V0x10),
            0x13 => Some(Self::V0x13),
            _ => None,
        }
    }
}

/// Variant, version and costs within the bounds of RFC 9106 section 3.1. They say that Argon2 can
/// compute the hash, not that the costs are wise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    algorithm: Algorithm,
    version: Version,
    memory_cost: u32,
    time_cost: u32,
    parallelism: u32,
}

impl Params {
    /// The most lanes that Argon2 supports.
    pub const MAX_PARALLELISM: u32 = (1 << 24) - 1;

    /// Costs that Argon2 can compute. Fails with `ERR_OUT_OF_RANGE` otherwise.
    pub fn new(
        algorithm: Algorithm,
        version: Version,
        memory_cost: u32,
        time_cost: u32,
        parallelism: u32,
    ) -> Result<Self> {
        let out_of_range = |message: &'static str| Err(Error::new(Code::OutOfRange, message));
        if !(1..=Self::MAX_PARALLELISM).contains(&parallelism) {
            return out_of_range(
                "parallelism must be from 1 to 255 lanes, or to 16777215 in a digest",
            );
        }
        if time_cost == 0 {
            return out_of_range("timeCost must be at least 1 pass");
        }
        if memory_cost < 8 * parallelism {
            return out_of_range("memoryCost must be at least 8 KiB per lane of parallelism");
        }
        Ok(Self { algorithm, version, memory_cost, time_cost, parallelism })
    }

    /// The variant.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The version.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Memory `m` in KiB: from 8 per lane to 2^32 − 1.
    pub const fn memory_cost(&self) -> u32 {
        self.memory_cost
    }

    /// Passes `t`: at least 1.
    pub const fn time_cost(&self) -> u32 {
        self.time_cost
    }

    /// Lanes `p`: 1 to 2^24 − 1.
    pub const fn parallelism(&self) -> u32 {
        self.parallelism
    }

    /// Bytes of working memory: `m'` blocks of 1 KiB, where `m'` is `m` rounded down to a multiple
    /// of four per lane (RFC 9106 section 3.2).
    pub fn memory_len(&self) -> u64 {
        let step = 4 * self.parallelism;
        u64::from(self.memory_cost / step * step) * 1024
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_and_number_is_read_back() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
            assert_eq!(Algorithm::from_number(algorithm.number()), Some(algorithm));
        }
        assert_eq!(Algorithm::from_name("argon2"), None);
        assert_eq!(Algorithm::from_number(3), None);
        assert_eq!(Version::from_number(16), Some(Version::V0x10));
        assert_eq!(Version::from_number(Version::V0x13.number()), Some(Version::V0x13));
        assert_eq!(Version::from_number(0x99), None);
    }

    #[test]
    fn costs_outside_the_bounds_of_the_rfc_are_refused() {
        let params = |m, t, p| Params::new(Algorithm::Argon2id, Version::V0x13, m, t, p);
        for (m, t, p) in [(7, 1, 1), (31, 1, 4), (64, 0, 1), (64, 1, 0), (u32::MAX, 1, 1 << 24)] {
            assert_eq!(params(m, t, p).unwrap_err().code, Code::OutOfRange, "{m} {t} {p}");
        }
        let most = params(u32::MAX, u32::MAX, Params::MAX_PARALLELISM).unwrap();
        assert!(most.memory_len() <= u64::from(u32::MAX) * 1024);
        assert_eq!(params(71, 1, 4).unwrap().memory_len(), 64 << 10);
    }
}
