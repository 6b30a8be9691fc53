//! Secret bytes that a job takes to another thread.

use std::fmt;

use secrecy::{ExposeSecret, SecretBox};

use super::secret::Secret;
use super::trace_guard::{Depth, TraceGuard};

/// Bytes on the ordinary heap. The whole capacity is wiped when they are dropped, and `Debug`
/// prints none of them. They are for the inputs of one job, which may exceed the room in the secure
/// heap.
pub type WipedBytes = SecretBox<Vec<u8>>;

/// Bytes of a secret stay in secret memory. Other bytes are copied to the ordinary heap and wiped
/// when dropped, so that they take no room from secrets. `Debug` prints no bytes.
pub enum SecretInput {
    /// Shared with other owners, which may drop the secret meanwhile.
    Inside(Secret),
    /// A copy on the ordinary heap.
    Copied(WipedBytes),
}

impl SecretInput {
    /// A copy of a secret on the ordinary heap.
    pub fn copy_of(secret: &Secret) -> Self {
        TraceGuard::run(Depth::Registers, |trace| secret.expose(trace).into())
    }

    /// The length in bytes.
    #[allow(clippy::len_without_is_empty, reason = "nobody asks")]
    pub fn len(&self) -> usize {
        match self {
            Self::Inside(secret) => secret.len(),
            Self::Copied(bytes) => bytes.expose_secret().len(),
        }
    }

    /// The bytes, for code that leaves no trace of them.
    pub fn expose<'a>(&'a self, trace: &'a TraceGuard) -> &'a [u8] {
        match self {
            Self::Inside(secret) => secret.expose(trace),
            Self::Copied(bytes) => bytes.expose_secret(),
        }
    }
}

impl From<&[u8]> for SecretInput {
    fn from(bytes: &[u8]) -> Self {
        WipedBytes::new(Box::new(bytes.to_vec())).into()
    }
}

impl From<WipedBytes> for SecretInput {
    fn from(bytes: WipedBytes) -> Self {
        Self::Copied(bytes)
    }
}

/// Cloned for a second job with the same secret.
impl Clone for SecretInput {
    fn clone(&self) -> Self {
        match self {
            Self::Inside(secret) => Self::Inside(secret.clone()),
            Self::Copied(bytes) => {
                TraceGuard::run(Depth::Registers, |_| bytes.expose_secret().as_slice().into())
            }
        }
    }
}

impl fmt::Debug for SecretInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretInput({} bytes)", self.len())
    }
}
