//! One policy for a service's passwords: how it makes new digests, which older digests it still
//! verifies, and when a digest is due to be replaced.

mod jobs;

pub use self::jobs::{Check, NewDigestJob, Update, Updated};
use super::job::{HashJob, VerifyJob, check_secrets};
use super::legacy::{self, Ceilings, LegacyHash, LegacyScheme, ParsedLegacy};
use super::limits::DigestLimits;
use super::peppers::Peppers;
use super::phc::Digest;
use super::policy::Policy;
use super::rehash::Rehash;
use crate::error::{Code, Error, Result};
use crate::secret::{Secret, SecretInput};

/// The parts of a hasher.
#[derive(Debug)]
pub struct HasherOptions {
    /// The costs and lengths of new digests.
    pub policy: Policy,
    /// Which older digests are due to be replaced.
    pub rehash: Rehash,
    /// The pepper of digests that name none: digests from before `peppers`, or all digests.
    pub secret: Option<Secret>,
    /// Peppers by id; new digests name the current one.
    pub peppers: Option<Peppers>,
    /// Other schemes that are verified.
    pub legacy: Vec<LegacyScheme>,
    /// The costs that a digest may ask for, raised to those of the policy.
    pub limits: DigestLimits,
    /// How much work a hash of another scheme may ask for.
    pub ceilings: Ceilings,
}

/// A policy with its peppers and other schemes. It creates jobs to run here or on the pool.
#[derive(Debug)]
pub struct Hasher(HasherOptions);

impl Hasher {
    /// A hasher. Each option has already been validated on its own.
    pub fn new(mut options: HasherOptions) -> Self {
        options.limits = options.limits.raised_to(options.policy.params());
        Self(options)
    }

    /// Prepares a new digest of a password, with the current pepper. Fails with `ERR_OUT_OF_RANGE`
    /// for a password above [`MAX_PASSWORD_LEN`](super::MAX_PASSWORD_LEN).
    pub fn hash(&self, password: SecretInput) -> Result<NewDigestJob> {
        let (keyid, secret) = self.current_pepper();
        let job = HashJob::new(
            self.0.policy,
            password,
            None,
            secret.cloned().map(SecretInput::Inside),
            Vec::new(),
        )?;
        Ok(NewDigestJob { job, keyid: keyid.into() })
    }

    /// Prepares a check of a password by Argon2, or by another scheme that is enabled. No password
    /// matches the hash of a scheme that is not enabled, after the work of a check under the
    /// policy.
    ///
    /// Fails with `ERR_PASSWORD_DIGEST` for a malformed digest, `ERR_PASSWORD_PEPPER` for a digest
    /// that names an unknown pepper, `ERR_PASSWORD_LIMIT` for a digest beyond the limits, and
    /// `ERR_OUT_OF_RANGE` for a password above [`MAX_PASSWORD_LEN`](super::MAX_PASSWORD_LEN).
    pub fn verify(&self, digest: &str, password: SecretInput) -> Result<Check> {
        self.check(self.read(digest)?, password)
    }

    /// Prepares a check of a password and, in the same job, a new digest if the password is right
    /// and its digest is due to be replaced. Without a digest, and for a hash of a scheme that is
    /// not enabled, the job does the work of a check under today's policy, and no password passes.
    /// Fails as [`Hasher::verify`] does.
    pub fn verify_and_update(&self, digest: Option<&str>, password: SecretInput) -> Result<Update> {
        // Before the password is copied.
        check_secrets(&password, None)?;
        let stored = digest.map_or(Ok(Stored::NeverMatches), |digest| self.read(digest))?;
        let can_match = !matches!(stored, Stored::NeverMatches);
        let again = (can_match && self.is_due(&stored)).then(|| password.clone());
        let check = self.check(stored, password)?;
        let new_digest = again.map(|password| self.hash(password)).transpose()?;
        Ok(Update { check, new_digest })
    }

    /// Whether a digest is due to be replaced by the rule `rehash`. Hashes of other schemes and
    /// Argon2 digests in Django's wrapping are always due. Fails with `ERR_PASSWORD_DIGEST` for a
    /// malformed digest.
    pub fn needs_rehash(&self, digest: &str) -> Result<bool> {
        Ok(self.is_due(&self.read(digest)?))
    }

    fn read(&self, text: &str) -> Result<Stored> {
        match legacy::parse(text, &self.0.legacy)? {
            Some(ParsedLegacy::Legacy(legacy)) => return Ok(Stored::Legacy(legacy)),
            Some(ParsedLegacy::Argon2(digest)) => return Ok(Stored::Wrapped(digest)),
            Some(ParsedLegacy::Unusable) => return Ok(Stored::NeverMatches),
            None => {}
        }
        Ok(Digest::parse(text)?.map_or(Stored::NeverMatches, Stored::Argon2))
    }

    fn is_due(&self, stored: &Stored) -> bool {
        let Stored::Argon2(digest) = stored else { return true };
        self.0.policy.needs_rehash(digest, self.0.rehash, self.current_pepper().0)
    }

    fn check(&self, stored: Stored, password: SecretInput) -> Result<Check> {
        let (digest, secret) = match stored {
            Stored::Argon2(digest) => {
                let secret = self.pepper_of(&digest)?.cloned().map(SecretInput::Inside);
                (digest, secret)
            }
            Stored::Wrapped(digest) => (digest, None),
            Stored::Legacy(legacy) => {
                legacy.check(&self.0.limits, &self.0.ceilings)?;
                check_secrets(&password, None)?;
                return Ok(Check::Legacy { legacy, password });
            }
            Stored::NeverMatches => {
                let secret = self.current_pepper().1.cloned().map(SecretInput::Inside);
                let check = VerifyJob::for_timing(&self.0.policy, password, secret)?;
                return Ok(Check::Argon2(check));
            }
        };
        Ok(Check::Argon2(VerifyJob::new(digest, password, secret, &self.0.limits)?))
    }

    /// The pepper that a digest was made with. A missing pepper is a configuration error, not a
    /// wrong password.
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
}

/// A digest as it was stored.
enum Stored {
    Argon2(Digest),
    /// An Argon2 digest in Django's wrapping.
    Wrapped(Digest),
    Legacy(LegacyHash),
    /// Well-formed, but no password matches it: the scheme is not enabled, or it is Django's mark
    /// of a user without a password.
    NeverMatches,
}

#[cfg(test)]
mod tests;
