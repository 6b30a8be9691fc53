//! The jobs that a hasher hands out.

use crate::error::Result;
use crate::password::cancel::Cancel;
use crate::password::job::{HashJob, VerifyJob};
use crate::password::legacy::LegacyHash;
use crate::password::phc::Digest;
use crate::secret::{Depth, SecretInput, TraceGuard};

/// A new digest to be made.
#[derive(Debug)]
pub struct NewDigestJob {
    pub(super) job: HashJob,
    pub(super) keyid: Vec<u8>,
}

impl NewDigestJob {
    /// Bytes of memory that it works in.
    pub fn memory_len(&self) -> u64 {
        self.job.memory_len()
    }

    /// Computes the digest and hands it on; only then is the working memory wiped. `ABORT_ERR`
    /// once it has been called off.
    pub fn run<T>(self, cancel: &Cancel, deliver: impl FnOnce(Result<Digest>) -> T) -> T {
        let keyid = self.keyid;
        self.job.run(cancel, |digest| deliver(digest.map(|digest| digest.with_keyid(keyid))))
    }
}

/// A password to be checked.
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
    /// No password matches.
    NeverMatches,
}

impl Check {
    /// Bytes of memory that it works in.
    pub fn memory_len(&self) -> u64 {
        match self {
            Self::Argon2(job) => job.memory_len(),
            Self::Legacy { legacy, .. } => legacy.memory_len(),
            Self::NeverMatches => 0,
        }
    }

    /// Checks, and hands on whether the password is right; only then is the working memory wiped.
    /// `ABORT_ERR` once it has been called off, which another scheme's work is not when it has
    /// begun.
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
            Self::NeverMatches => deliver(Ok(false)),
        }
    }
}

/// A password to be checked, and a digest to be made if it is right.
#[derive(Debug)]
pub struct Update {
    pub(super) check: Check,
    pub(super) new_digest: Option<NewDigestJob>,
    /// There is no digest to match: the work only takes the time of a check.
    pub(super) only_for_timing: bool,
}

/// The result of an [`Update`].
#[derive(Debug)]
pub struct Updated {
    /// Whether the password is right.
    pub valid: bool,
    /// The digest to store in place of the old one, when that is due.
    pub digest: Option<Digest>,
}

impl Update {
    /// Bytes of memory that it works in: of the check, then of the new digest.
    pub fn memory_len(&self) -> u64 {
        self.check.memory_len().max(self.new_digest.as_ref().map_or(0, NewDigestJob::memory_len))
    }

    /// Checks, makes the new digest if one is due, and hands both on. `ABORT_ERR` once it has been
    /// called off.
    pub fn run<T>(self, cancel: &Cancel, deliver: impl FnOnce(Result<Updated>) -> T) -> T {
        let Self { check, new_digest, only_for_timing } = self;
        let valid = match check.run(cancel, |matches| matches) {
            Ok(matches) => matches && !only_for_timing,
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
