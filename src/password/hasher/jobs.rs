//! The jobs that a hasher creates.

use crate::error::Result;
use crate::password::cancel::Cancel;
use crate::password::job::{HashJob, VerifyJob};
use crate::password::legacy::LegacyHash;
use crate::password::phc::Digest;
use crate::secret::{Depth, SecretInput, TraceGuard};

/// A job that makes a new digest.
#[derive(Debug)]
pub struct NewDigestJob {
    pub(super) job: HashJob,
    pub(super) keyid: Vec<u8>,
}

impl NewDigestJob {
    /// Bytes of working memory.
    pub fn memory_len(&self) -> u64 {
        self.job.memory_len()
    }

    /// Computes the digest and delivers it; the working memory is wiped only afterwards. Delivers
    /// `ABORT_ERR` if the job has been cancelled.
    pub fn run<T>(self, cancel: &Cancel, deliver: impl FnOnce(Result<Digest>) -> T) -> T {
        let keyid = self.keyid;
        self.job.run(cancel, |digest| deliver(digest.map(|digest| digest.with_keyid(keyid))))
    }
}

/// A job that checks a password.
#[derive(Debug)]
pub enum Check {
    /// By Argon2.
    Argon2(VerifyJob),
    /// By another scheme.
    Legacy {
        /// The hash.
        legacy: LegacyHash,
        /// The password.
        password: SecretInput,
    },
}

impl Check {
    /// Bytes of working memory.
    pub fn memory_len(&self) -> u64 {
        match self {
            Self::Argon2(job) => job.memory_len(),
            Self::Legacy { legacy, .. } => legacy.memory_len(),
        }
    }

    /// Whether a new digest of this password would shut out other spellings of it, which the scheme
    /// of the stored hash reads as the same password.
    fn respells(&self) -> bool {
        match self {
            Self::Argon2(_) => false,
            Self::Legacy { legacy, password } => {
                TraceGuard::run(Depth::Derivation, |trace| legacy.respells(password.expose(trace)))
            }
        }
    }

    /// Checks the password and delivers whether it is right; the working memory is wiped only
    /// afterwards. Delivers `ABORT_ERR` if the job has been cancelled. A check by another scheme
    /// cannot be stopped once it has begun.
    pub fn run<T>(self, cancel: &Cancel, deliver: impl FnOnce(Result<bool>) -> T) -> T {
        match self {
            Self::Argon2(job) => job.run(cancel, deliver),
            Self::Legacy { legacy, password } => {
                let matches = cancel.check().and_then(|()| {
                    TraceGuard::run(Depth::Derivation, |trace| {
                        legacy.matches(password.expose(trace))
                    })
                });
                drop(password);
                deliver(matches)
            }
        }
    }
}

/// A job that checks a password and, if it is right, makes a new digest.
#[derive(Debug)]
pub struct Update {
    pub(super) check: Check,
    pub(super) new_digest: Option<NewDigestJob>,
}

/// The result of an [`Update`].
#[derive(Debug)]
pub struct Updated {
    /// Whether the password is right.
    pub valid: bool,
    /// The digest to store in place of the old one, if that is due, and if the password is spelt as
    /// the scheme of the old one hashes it.
    pub digest: Option<Digest>,
}

impl Update {
    /// Bytes of working memory: the larger need of the check and of the new digest, which run one
    /// after the other.
    pub fn memory_len(&self) -> u64 {
        self.check.memory_len().max(self.new_digest.as_ref().map_or(0, NewDigestJob::memory_len))
    }

    /// Checks the password, makes the new digest if one is due, and delivers both. Makes none if
    /// the scheme of the stored hash changes the spelling of the password. Delivers `ABORT_ERR` if
    /// the job has been cancelled.
    pub fn run<T>(self, cancel: &Cancel, deliver: impl FnOnce(Result<Updated>) -> T) -> T {
        let Self { check, mut new_digest } = self;
        if new_digest.is_some() && check.respells() {
            new_digest = None;
        }
        let valid = match check.run(cancel, |matches| matches) {
            Ok(matches) => matches,
            Err(error) => return deliver(Err(error)),
        };
        match new_digest {
            Some(new_digest) if valid => new_digest.run(cancel, |digest| {
                deliver(digest.map(|digest| Updated { valid, digest: Some(digest) }))
            }),
            _ => deliver(Ok(Updated { valid, digest: None })),
        }
    }
}
