//! HMAC of the password with the salt as its key (RFC 2104), as Werkzeug before 3.0 computed it for
//! methods such as `sha256`. It costs an attacker next to nothing.

use aws_lc_rs::hmac::{self, HMAC_SHA1_FOR_LEGACY_USE_ONLY, HMAC_SHA256, HMAC_SHA512};

use super::pbkdf2::Hash;

/// An upper bound for the HMAC states.
pub(super) const MEMORY_LEN: u64 = 1024;

/// A parsed hash.
#[derive(Clone)]
pub struct Salted {
    hash: Hash,
    salt: Vec<u8>,
    tag: Vec<u8>,
}

impl Salted {
    /// `None` if the tag does not have the length of the hash function's output.
    pub(super) fn new(hash: Hash, salt: Vec<u8>, tag: Vec<u8>) -> Option<Self> {
        (tag.len() == hash.len()).then_some(Self { hash, salt, tag })
    }

    /// Whether the password matches this hash; the comparison takes constant time.
    pub fn matches(&self, password: &[u8]) -> bool {
        let algorithm = match self.hash {
            Hash::Sha1 => HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha256 => HMAC_SHA256,
            Hash::Sha512 => HMAC_SHA512,
        };
        hmac::verify(&hmac::Key::new(algorithm, &self.salt), password, &self.tag).is_ok()
    }
}

/// Leaves out salt and tag, with which passwords can be guessed offline.
impl std::fmt::Debug for Salted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Salted {{ hash: {:?}, .. }}", self.hash)
    }
}
