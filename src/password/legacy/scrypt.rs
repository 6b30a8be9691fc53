//! scrypt (RFC 7914) as a PHC string, `$scrypt$ln=17,r=8,p=1$salt$hash`; passlib writes it too.
//! Some libraries write `n=131072` or `N=131072`, the number itself instead of its logarithm. Ory
//! Kratos writes it as `ln=131072`, and pads its Base64.

use std::hint::black_box;

use scrypt::Params;
use zeroize::Zeroizing;

use super::ceilings::Ceilings;
use super::fields::{SALT_LEN, TAG_LEN, maybe_padded};
use super::normalized::normalized;
use crate::error::{Code, Error, Result};
use crate::password::limits::DigestLimits;
use crate::password::phc::{malformed, number};
use crate::secret;

/// A smaller N counts as this one: PBKDF2 makes and reads the blocks, which takes as long as a few
/// rounds of mixing.
const LEAST_COUNTED: u64 = 8;

/// From here on `ln` is N itself: as the logarithm of N, it is more than scrypt allows.
const LEAST_N_AS_LN: u32 = 64;

/// A parsed scrypt hash.
#[derive(Clone)]
pub struct Scrypt {
    log_n: u8,
    r: u32,
    p: u32,
    normalizes: bool,
    salt: Vec<u8>,
    tag: Vec<u8>,
}

/// Parses `$scrypt$`; `None` for anything else.
pub(super) fn parse(text: &str) -> Result<Option<Scrypt>> {
    let Some(rest) = text.strip_prefix("$scrypt$") else { return Ok(None) };
    let parts: Vec<&str> = rest.split('$').collect();
    let [costs, salt, tag] = parts.as_slice() else {
        return Err(malformed("it must consist of parameters, salt and hash"));
    };
    let costs: Vec<_> = costs.split(',').filter_map(|cost| cost.split_once('=')).collect();
    let [(n @ ("ln" | "n" | "N"), cost), ("r", r), ("p", p)] = costs.as_slice() else {
        return Err(malformed("it must have the parameters ln, r and p"));
    };
    let (salt, tag) = (maybe_padded(salt, SALT_LEN)?, maybe_padded(tag, TAG_LEN)?);
    let cost = number(cost)?;
    let is_log = *n == "ln" && cost < LEAST_N_AS_LN;
    let make = if is_log { Scrypt::new } else { Scrypt::of_n };
    make(cost, number(r)?, number(p)?, salt, tag).map(Some)
}

impl Scrypt {
    /// `log_n` is the binary logarithm of N: 1 to 63.
    pub(super) fn new(log_n: u32, r: u32, p: u32, salt: Vec<u8>, tag: Vec<u8>) -> Result<Self> {
        let log_n = u8::try_from(log_n).ok().filter(|log_n| (1..64).contains(log_n));
        let log_n = log_n.ok_or_else(|| malformed("it has an N that scrypt does not allow"))?;
        Ok(Self { log_n, r, p, normalizes: false, salt, tag })
    }

    /// `n` is N itself, a power of two from 2 on.
    pub(super) fn of_n(n: u32, r: u32, p: u32, salt: Vec<u8>, tag: Vec<u8>) -> Result<Self> {
        if !n.is_power_of_two() {
            return Err(malformed("its N must be a power of two"));
        }
        Self::new(n.trailing_zeros(), r, p, salt, tag)
    }

    /// The same hash, of a password that was normalized first.
    pub(super) fn normalizing(self) -> Self {
        Self { normalizes: true, ..self }
    }

    /// Whether the password is normalized to another one first.
    pub(super) fn respells(&self, password: &[u8]) -> bool {
        self.normalizes && normalized(password).as_slice() != password
    }

    pub(super) fn check(&self, limits: &DigestLimits, ceilings: &Ceilings) -> Result<()> {
        limits.check_memory(self.memory_len())?;
        let blocks = u64::from(self.r).saturating_mul(u64::from(self.p));
        ceilings.scrypt(blocks.saturating_mul((1 << self.log_n).max(LEAST_COUNTED)))
    }

    /// Bytes of working memory: 128·r·(N + p + 1), for the table, the initial blocks and one block
    /// to work on.
    pub fn memory_len(&self) -> u64 {
        let blocks = (1_u64 << self.log_n).saturating_add(u64::from(self.p)).saturating_add(1);
        blocks.saturating_mul(128).saturating_mul(u64::from(self.r))
    }

    /// Whether the password matches this hash; the comparison takes constant time. Fails with
    /// `ERR_PASSWORD_MEMORY` if the memory is not available.
    pub fn matches(&self, password: &[u8]) -> Result<bool> {
        self.probe()?;
        let params = Params::new(self.log_n, self.r, self.p)
            .map_err(|_| malformed("it has costs that scrypt does not allow"))?;
        let mut tag = Zeroizing::new(vec![0; self.tag.len()]);
        let normalized = self.normalizes.then(|| normalized(password));
        let password = normalized.as_ref().map_or(password, |password| password.as_slice());
        scrypt::scrypt(password, &self.salt, &params, &mut tag)
            .map_err(|_| malformed("its hash has a length that scrypt does not allow"))?;
        Ok(secret::ct_eq(&tag, &self.tag))
    }

    /// The scrypt crate allocates without checking, and a failure ends the process. So check first.
    fn probe(&self) -> Result<()> {
        let len = usize::try_from(self.memory_len()).unwrap_or(usize::MAX);
        let mut memory = Vec::<u8>::new();
        let reserved = memory.try_reserve_exact(len);
        // The compiler may leave out an allocation that nothing uses.
        black_box(memory.as_ptr());
        reserved.map_err(|_| {
            let message = "not enough memory for the hash; lower limits.memoryCost or try later";
            Error::new(Code::PasswordMemory, message)
        })
    }
}

/// Leaves out salt and tag, with which passwords can be guessed offline.
impl std::fmt::Debug for Scrypt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (log_n, r, p) = (self.log_n, self.r, self.p);
        write!(f, "Scrypt {{ log_n: {log_n}, r: {r}, p: {p}, .. }}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::allocations::{allocated_by, out_of_memory};

    fn scrypt(log_n: u32, r: u32, p: u32) -> Scrypt {
        Scrypt::new(log_n, r, p, b"salt".to_vec(), vec![0; 32]).unwrap()
    }

    #[test]
    fn a_hash_with_a_small_n_has_no_more_blocks_than_one_with_n_8() {
        let check =
            |log_n, p| scrypt(log_n, 1, p).check(&DigestLimits::default(), &Ceilings::default());
        let most = (1 << 24) / 8;
        for log_n in 1..=3 {
            assert!(check(log_n, most).is_ok(), "{log_n}");
            assert_eq!(check(log_n, most + 1).unwrap_err().code, Code::PasswordLimit, "{log_n}");
        }
        assert!(check(4, most / 2).is_ok());
    }

    #[test]
    fn no_hash_takes_more_memory_than_is_reserved_for_it_and_than_the_ceiling() {
        let limit = |kib| DigestLimits::new(Some(kib), None, None, None).unwrap();
        for (log_n, r, p) in
            [(1, 100, 1), (1, 100, 2), (4, 8, 16), (1, 8, 1000), (10, 8, 16), (14, 8, 1)]
        {
            let hash = scrypt(log_n, r, p);
            let (matches, allocated) = allocated_by(|| hash.matches(b"password"));
            assert_eq!(matches, Ok(false));
            // It asks for all of it beforehand, to learn whether there is as much.
            let taken = allocated as u64 - hash.memory_len();
            let costs = (log_n, r, p, taken);
            assert!((hash.memory_len()..hash.memory_len() + 100).contains(&taken), "{costs:?}");
            let kib = u32::try_from(taken / 1024).unwrap();
            assert!(hash.check(&limit(kib + 1), &Ceilings::default()).is_ok(), "{costs:?}");
            let refused = hash.check(&limit(kib - 1 - kib / 200), &Ceilings::default());
            assert_eq!(refused.unwrap_err().code, Code::PasswordLimit, "{costs:?}");
        }
    }

    #[test]
    fn a_hash_without_memory_is_an_error_before_any_work() {
        let refused = out_of_memory(1 << 20, 0, || scrypt(14, 8, 1).matches(b"password"));
        assert_eq!(refused.unwrap_err().code, Code::PasswordMemory);
    }
}
