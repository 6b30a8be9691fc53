//! Seals a ring, for storage or for other processes, and opens it again. The seal is the one of
//! [`crate::secret`], with a kind of its own.

use std::sync::Arc;

use super::book::Book;
use super::options::{RingOptions, RingOverrides};
use super::plain::{self, Plain};
use super::ring::KeyRing;
use crate::clock::Clock;
use crate::error::Result;
use crate::secret::{SealKind, Secret};

impl KeyRing {
    /// Seals the ring with its private keys. Only `key`, which has 32 bytes or more, opens it.
    /// Errors: `ERR_SECRET_EXHAUSTED`, `ERR_RANDOM`; those of the store.
    pub fn seal(&self, key: &Secret) -> Result<Vec<u8>> {
        self.follow()?;
        // Never with `rotateEvery`: processes that rotate copies would sign with keys that the
        // others do not know.
        let plain = plain::write(&self.read(), None, 0, &[])?;
        plain.seal(key, SealKind::Ring, b"")
    }

    /// Opens a ring that [`KeyRing::seal`] sealed. `ERR_SECRET_SEAL` if the seal does not open, or
    /// if the plaintext has another format; `ERR_OUT_OF_RANGE` if the options do not fit together;
    /// `ERR_JWT_KEY` if a key in it is invalid.
    pub fn unseal(
        sealed: &[u8],
        key: &Secret,
        overrides: RingOverrides,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>> {
        let plain = Secret::unseal(sealed, key, SealKind::Ring, b"")?;
        let Plain { options, entries, .. } = plain::read(&plain, &[])?;
        let options = overrides.over(RingOptions { rotate_every: None, ..options });
        Self::with(Book::restored(options, entries), clock)
    }
}
