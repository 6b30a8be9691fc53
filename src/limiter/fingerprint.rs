//! What the table knows a key by: 64 bits, never its text.

use siphasher::sip::SipHasher13;

use crate::error::Result;
use crate::id::random_bytes;

/// Turns keys into fingerprints under a secret of its own.
///
/// SipHash-1-3 with a random 128-bit key for each limiter: nobody can compute in advance a key
/// that shares a victim's fingerprint or set, and the same key has unrelated fingerprints in two
/// limiters. Among a million keys some two share one with a probability of 3e-8; they would then
/// share their quota too.
pub(super) struct Fingerprinter(SipHasher13);

impl Fingerprinter {
    /// One with a new random key; `ERR_RANDOM` when the system gives no bytes.
    pub(super) fn new() -> Result<Self> {
        let mut key = [0; 16];
        random_bytes(&mut key)?;
        Ok(Self(SipHasher13::new_with_key(&key)))
    }

    /// The fingerprint of a key of any length; never 0, which marks an empty slot.
    pub(super) fn of(&self, key: &[u8]) -> u64 {
        self.0.hash(key).max(1)
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
