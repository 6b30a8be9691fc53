//! One policy for a service's passwords: what new digests are made with, which older ones are still
//! verified, and when one is due to be replaced.

use secrecy::ExposeSecret;

use super::cancel::Cancel;
use super::job::{HashJob, VerifyJob};
use super::legacy::{Ceilings, Family, Found, Legacy};
use super::limits::Limits;
use super::peppers::Peppers;
use super::phc::Digest;
use super::policy::{Policy, Rehash};
use crate::error::{Code, Error, Result};
use crate::mem::{Secret, WipedBytes};

/// What a hasher is made of.
#[derive(Debug)]
pub struct HasherOptions {
    /// What new digests ask for.
    pub policy: Policy,
    /// Which older digests are due to be replaced.
    pub rehash: Rehash,
    /// The pepper of digests that name none: those from before `peppers`, or all of them.
    pub secret: Option<Secret>,
    /// Peppers by id; new digests name the current one.
    pub peppers: Option<Peppers>,
    /// Other schemes that are verified.
    pub legacy: Vec<Family>,
    /// What a digest may ask for. Raised to what the policy asks for itself.
    pub limits: Limits,
    /// How much work a hash of another scheme may ask for.
    pub ceilings: Ceilings,
}

/// A policy with its peppers and other schemes. It hands out jobs, to run here or on the pool.
#[derive(Debug)]
pub struct Hasher(HasherOptions);

impl Hasher {
    /// A hasher; everything in the options is valid by itself.
    pub fn new(mut options: HasherOptions) -> Self {
        options.limits = options.limits.raised_to(options.policy.params());
        Self(options)
    }

    /// A new digest of a password, with the current pepper. `ERR_OUT_OF_RANGE` for a password above
    /// [`MAX_PASSWORD_LEN`](super::MAX_PASSWORD_LEN).
    pub fn hash(&self, password: WipedBytes) -> Result<Mint> {
        let (keyid, secret) = self.current_pepper();
        let job = HashJob::new(self.0.policy, password, None, secret.map(copied), Vec::new())?;
        Ok(Mint { job, keyid: keyid.into() })
    }

    /// A check of a password: by Argon2, or by another scheme that was asked for. The hash of any
    /// other scheme matches nothing.
    ///
    /// `ERR_PASSWORD_DIGEST` for a malformed digest, `ERR_PASSWORD_PEPPER` for one that names a
    /// pepper that is not among ours, `ERR_PASSWORD_LIMIT` for one beyond the ceilings,
    /// `ERR_OUT_OF_RANGE` for a password above [`MAX_PASSWORD_LEN`](super::MAX_PASSWORD_LEN).
    pub fn verify(&self, digest: &str, password: WipedBytes) -> Result<Check> {
        self.check(self.read(digest)?, password)
    }

    /// A check of a password and, if it is right and its digest due, a new digest in the same job.
    /// Without a digest, and for the hash of a scheme that was not asked for, the work of a check
    /// under today's policy, which nothing passes. Errors as [`Hasher::verify`].
    pub fn verify_and_update(&self, digest: Option<&str>, password: WipedBytes) -> Result<Update> {
        let stored = digest.map_or(Ok(Stored::Foreign), |digest| self.read(digest))?;
        if matches!(stored, Stored::Foreign) {
            let check = self.check(Stored::Argon2(self.nobodys()), password)?;
            return Ok(Update { check, mint: None, hopeless: true });
        }
        let mint = if self.is_due(&stored) { Some(self.hash(copied(&password))?) } else { None };
        Ok(Update { check: self.check(stored, password)?, mint, hopeless: false })
    }

    /// Whether a digest is due: made under another policy or pepper, or by another scheme.
    /// `ERR_PASSWORD_DIGEST` for a malformed one.
    pub fn needs_rehash(&self, digest: &str) -> Result<bool> {
        Ok(self.is_due(&self.read(digest)?))
    }

    fn read(&self, text: &str) -> Result<Stored> {
        match Found::parse(text, &self.0.legacy)? {
            Some(Found::Legacy(legacy)) => return Ok(Stored::Legacy(legacy)),
            Some(Found::Argon2(digest)) => return Ok(Stored::Wrapped(digest)),
            None => {}
        }
        Ok(Digest::parse(text)?.map_or(Stored::Foreign, Stored::Argon2))
    }

    fn is_due(&self, stored: &Stored) -> bool {
        let Stored::Argon2(digest) = stored else { return true };
        self.0.policy.needs_rehash(digest, self.0.rehash, self.current_pepper().0)
    }

    fn check(&self, stored: Stored, password: WipedBytes) -> Result<Check> {
        let (digest, secret) = match stored {
            Stored::Argon2(digest) => {
                let secret = self.pepper_of(&digest)?.map(copied);
                (digest, secret)
            }
            Stored::Wrapped(digest) => (digest, None),
            Stored::Legacy(legacy) => {
                legacy.check(&self.0.limits, &self.0.ceilings)?;
                super::job::check_secrets(&password, None)?;
                return Ok(Check::Legacy { legacy, password });
            }
            Stored::Foreign => return Ok(Check::Foreign),
        };
        Ok(Check::Argon2(VerifyJob::new(digest, password, secret, &self.0.limits)?))
    }

    /// The pepper that a digest was made with. One that we do not have is the operator's fault, not
    /// a wrong password.
    fn pepper_of(&self, digest: &Digest) -> Result<Option<&Secret>> {
        if digest.keyid().is_empty() {
            return Ok(self.0.secret.as_ref());
        }
        let known = self.0.peppers.as_ref().and_then(|peppers| peppers.find(digest.keyid()));
        known.map(Some).ok_or_else(|| {
            let message = "the digest names a pepper that is not in peppers.keys; put it back, and \
                           keep old peppers until no digest names them";
            Error::new(Code::PasswordPepper, message)
        })
    }

    fn current_pepper(&self) -> (&[u8], Option<&Secret>) {
        match &self.0.peppers {
            Some(peppers) => {
                let (keyid, secret) = peppers.current();
                (keyid, Some(secret))
            }
            None => (&[], self.0.secret.as_ref()),
        }
    }

    /// A digest under today's policy that is of no user.
    fn nobodys(&self) -> Digest {
        let policy = &self.0.policy;
        let (salt, hash) = (vec![0; policy.salt_length()], vec![0; policy.hash_length()]);
        Digest::new(*policy.params(), Vec::new(), salt, hash)
            .with_keyid(self.current_pepper().0.into())
    }
}

/// A digest as it was stored.
enum Stored {
    Argon2(Digest),
    /// Of Argon2, in Django's wrapping.
    Wrapped(Digest),
    Legacy(Legacy),
    /// Well-formed, of a scheme that was not asked for.
    Foreign,
}

/// A new digest to be made.
#[derive(Debug)]
pub struct Mint {
    job: HashJob,
    keyid: Vec<u8>,
}

impl Mint {
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
        /// What it must match.
        legacy: Legacy,
        /// What is tried.
        password: WipedBytes,
    },
    /// By none: no password matches.
    Foreign,
}

impl Check {
    /// Bytes of memory that it works in.
    pub fn memory_len(&self) -> u64 {
        match self {
            Self::Argon2(job) => job.memory_len(),
            Self::Legacy { legacy, .. } => legacy.memory_len(),
            Self::Foreign => 0,
        }
    }

    /// Checks, and hands on whether the password is right; only then is the working memory wiped.
    /// `ABORT_ERR` once it has been called off, which another scheme's work is not when it has begun.
    pub fn run<T>(self, cancel: &Cancel, deliver: impl FnOnce(Result<bool>) -> T) -> T {
        match self {
            Self::Argon2(job) => job.run(cancel, deliver),
            Self::Legacy { legacy, password } => {
                let matches =
                    cancel.check().and_then(|()| legacy.matches(password.expose_secret()));
                drop(password);
                deliver(matches)
            }
            Self::Foreign => deliver(Ok(false)),
        }
    }
}

/// A password to be checked, and a digest to be made if it is right.
#[derive(Debug)]
pub struct Update {
    check: Check,
    mint: Option<Mint>,
    /// There is no digest to match: the work is for its time.
    hopeless: bool,
}

/// What came of an [`Update`].
#[derive(Debug)]
pub struct Updated {
    /// Whether the password is right.
    pub valid: bool,
    /// What to store in place of the old digest, when that is due.
    pub digest: Option<Digest>,
}

impl Update {
    /// Bytes of memory that it works in: of the check, then of the new digest.
    pub fn memory_len(&self) -> u64 {
        self.check.memory_len().max(self.mint.as_ref().map_or(0, Mint::memory_len))
    }

    /// Checks, makes the new digest if one is due, and hands both on. `ABORT_ERR` once it has been
    /// called off.
    pub fn run<T>(self, cancel: &Cancel, deliver: impl FnOnce(Result<Updated>) -> T) -> T {
        let Self { check, mint, hopeless } = self;
        let valid = match check.run(cancel, |matches| matches) {
            Ok(matches) => matches && !hopeless,
            Err(error) => return deliver(Err(error)),
        };
        match mint {
            Some(mint) if valid => mint.run(cancel, |digest| {
                deliver(digest.map(|digest| Updated { valid, digest: Some(digest) }))
            }),
            _ => deliver(Ok(Updated { valid, digest: None })),
        }
    }
}

/// A wiped copy for a job, which may outlive the original.
fn copied<S: ExposeSecret<B>, B: AsRef<[u8]> + ?Sized>(secret: &S) -> WipedBytes {
    Box::new(secret.expose_secret().as_ref().to_vec()).into()
}

#[cfg(test)]
mod tests;
