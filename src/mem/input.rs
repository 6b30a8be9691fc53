//! Secret bytes that a job takes along to another thread.

use std::fmt;

use secrecy::{ExposeSecret, SecretSlice};

use super::Secret;

/// What was in secret memory stays there; what was not is a copy, wiped when dropped: it would only
/// take room from those that are. Prints no bytes.
pub enum SecretInput {
    /// Shared with its holder, who may let go of it in the meantime.
    Inside(Secret),
    /// A copy on the ordinary heap.
    Copied(SecretSlice<u8>),
}

impl ExposeSecret<[u8]> for SecretInput {
    fn expose_secret(&self) -> &[u8] {
        match self {
            Self::Inside(secret) => secret.expose_secret(),
            Self::Copied(bytes) => bytes.expose_secret(),
        }
    }
}

impl From<&[u8]> for SecretInput {
    fn from(bytes: &[u8]) -> Self {
        Self::Copied(Box::<[u8]>::from(bytes).into())
    }
}

impl fmt::Debug for SecretInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretInput({} bytes)", self.expose_secret().len())
    }
}
