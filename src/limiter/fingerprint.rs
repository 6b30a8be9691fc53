//! Fingerprints of keys: the table stores these 64 bits and never a key's text.

use siphasher::sip::SipHasher13;

use crate::error::Result;
use crate::id::random_bytes;

/// Computes fingerprints of keys under a secret of its own.
///
/// The hash is SipHash-1-3 with a random 128-bit secret per limiter. So an attacker cannot compute
/// in advance a key with the fingerprint or the set of a victim's key, and the same key has
/// unrelated fingerprints in two limiters. Among a million keys, the probability that any two share
/// a fingerprint is 6e-8; these two would also share their quota.
#[derive(Clone)]
pub(super) struct Fingerprinter(SipHasher13);

impl Fingerprinter {
    /// A fingerprinter with a new random secret. Fails with `ERR_RANDOM` if the system provides no
    /// bytes.
    pub(super) fn new() -> Result<Self> {
        let mut key = [0; 16];
        random_bytes(&mut key)?;
        Ok(Self(SipHasher13::new_with_key(&key)))
    }

    /// The fingerprinter with the secret of another one.
    pub(super) fn with_key(key: [u8; 16]) -> Self {
        Self(SipHasher13::new_with_key(&key))
    }

    /// The secret.
    pub(super) fn key(&self) -> [u8; 16] {
        self.0.key()
    }

    /// The fingerprint of a key of any length: an even number, because the table has a use for the
    /// last bit, and never 0, which marks an empty slot.
    pub(super) fn of(&self, key: &[u8]) -> u64 {
        (self.checksum(key) & !1).max(2)
    }

    /// All 64 bits of the hash.
    pub(super) fn checksum(&self, bytes: &[u8]) -> u64 {
        self.0.hash(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_unrelated_fingerprints_in_two_limiters() {
        let (a, b) = (Fingerprinter::new().unwrap(), Fingerprinter::new().unwrap());
        assert_eq!(a.of(b"key"), a.of(b"key"));
        assert_ne!(a.of(b"key"), a.of(b"kez"));
        assert_ne!(a.of(b"key"), b.of(b"key"));
        assert_ne!(a.of(b""), a.of(b"\0"));
    }
}
