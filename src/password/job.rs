//! Hashing and verifying as jobs. A job is validated when it is created and is cheap to move to
//! another thread. It owns its secrets: they are shared with secret memory, or are copies that it
//! wipes.

use std::borrow::Cow;
use std::mem;

use zeroize::Zeroizing;

use super::cancel::Cancel;
use super::engine::{self, Engine, Inputs};
use super::limits::DigestLimits;
use super::phc::{self, Digest};
use super::policy::Policy;
use crate::error::{Code, Error, Result};
use crate::id::random_bytes;
use crate::password::memory::{self, Pages};
use crate::secret::{Depth, Secret, SecretInput, TraceGuard};

/// The longest password, in bytes of UTF-8 or otherwise.
pub const MAX_PASSWORD_LEN: usize = 4096;

/// The longest secret (pepper), in bytes.
pub const MAX_SECRET_LEN: usize = 4096;

/// A tag alone, as the option `raw` asks for it; wiped when dropped.
pub type Tag = Zeroizing<Vec<u8>>;

/// A new hash to compute.
#[derive(Debug)]
pub struct HashJob {
    policy: Policy,
    password: SecretInput,
    salt: Vec<u8>,
    secret: Option<SecretInput>,
    associated_data: Vec<u8>,
}

impl HashJob {
    /// A hash under a policy. Without a salt, a random one of the policy's length is drawn.
    ///
    /// Fails with `ERR_OUT_OF_RANGE` for a password above [`MAX_PASSWORD_LEN`], a secret above
    /// [`MAX_SECRET_LEN`], a salt of less than 8 or more than 1024 bytes, associated data above
    /// 1024 bytes, or if salt, tag and associated data have more than [`phc::MAX_FIELDS_LEN`] bytes
    /// together.
    pub fn new(
        policy: Policy,
        password: SecretInput,
        salt: Option<Vec<u8>>,
        secret: Option<SecretInput>,
        associated_data: Vec<u8>,
    ) -> Result<Self> {
        check_secrets(&password, secret.as_ref())?;
        let salt = match salt {
            Some(salt) => salt,
            None => random_salt(policy.salt_length())?,
        };
        if !(phc::MIN_SALT_LEN..=phc::MAX_FIELD_LEN).contains(&salt.len()) {
            return Err(out_of_range("salt must be from 8 to 1024 bytes"));
        }
        if associated_data.len() > phc::MAX_FIELD_LEN {
            return Err(out_of_range("associatedData must be at most 1024 bytes"));
        }
        if salt.len() + policy.hash_length() + associated_data.len() > phc::MAX_FIELDS_LEN {
            let max = phc::MAX_FIELDS_LEN;
            return Err(out_of_range(format!(
                "salt, hash and associatedData must be at most {max} bytes together"
            )));
        }
        Ok(Self { policy, password, salt, secret, associated_data })
    }

    /// Bytes of working memory.
    pub fn memory_len(&self) -> u64 {
        self.policy.params().memory_len()
    }

    /// Computes the digest and delivers it; the working memory is wiped only afterwards. Delivers
    /// `ABORT_ERR` if the job has been cancelled.
    pub fn run<T>(self, cancel: &Cancel, deliver: impl FnOnce(Result<Digest>) -> T) -> T {
        let (params, data, salt) =
            (*self.policy.params(), self.associated_data.clone(), self.salt.clone());
        self.run_raw(cancel, |tag| {
            deliver(tag.map(|mut tag| Digest::new(params, data, salt, mem::take(&mut *tag))))
        })
    }

    /// As [`Self::run`], for the tag alone.
    pub fn run_raw<T>(self, cancel: &Cancel, deliver: impl FnOnce(Result<Tag>) -> T) -> T {
        let mut memory = None;
        let mut tag = Zeroizing::new(vec![0; self.policy.hash_length()]);
        let computed = self.compute(cancel, &mut memory, &mut tag);
        // The copies of the secrets are dropped before the caller gets the result. `memory` is
        // wiped when it drops, after the result has been delivered.
        drop(self);
        deliver(computed.map(|()| tag))
    }

    /// As [`Self::run`], for the tag alone, which is written into secret memory and nowhere else.
    pub fn run_secret<T>(self, cancel: &Cancel, deliver: impl FnOnce(Result<Secret>) -> T) -> T {
        let mut memory = None;
        let secret =
            Secret::filled(self.policy.hash_length(), |tag| self.compute(cancel, &mut memory, tag));
        // As in `run_raw`: drop the secrets, deliver the result, then wipe the memory.
        drop(self);
        deliver(secret)
    }

    fn compute(&self, cancel: &Cancel, memory: &mut Option<Pages>, tag: &mut [u8]) -> Result<()> {
        let (engine, memory) = prepare(self.memory_len(), cancel, memory::take, memory)?;
        TraceGuard::run(Depth::Derivation, |trace| {
            let inputs = Inputs {
                params: *self.policy.params(),
                password: self.password.expose(trace),
                salt: &self.salt,
                secret: exposed(self.secret.as_ref(), trace),
                associated_data: &self.associated_data,
            };
            engine.derive(&inputs, memory, tag, cancel)
        })
    }
}

/// A password to check against a digest.
#[derive(Debug)]
pub struct VerifyJob {
    digest: Digest,
    password: SecretInput,
    secret: Option<SecretInput>,
    for_timing: bool,
}

impl VerifyJob {
    /// A check within limits.
    ///
    /// Fails with `ERR_PASSWORD_LIMIT` for a digest that asks for more than the limits allow, and
    /// with `ERR_OUT_OF_RANGE` for a password above [`MAX_PASSWORD_LEN`] or a secret above
    /// [`MAX_SECRET_LEN`].
    pub fn new(
        digest: Digest,
        password: SecretInput,
        secret: Option<SecretInput>,
        limits: &DigestLimits,
    ) -> Result<Self> {
        limits.check(&digest)?;
        check_secrets(&password, secret.as_ref())?;
        Ok(Self { digest, password, secret, for_timing: false })
    }

    /// A check that takes the time of a check under the policy, and that no password passes. Fails
    /// with `ERR_OUT_OF_RANGE` as [`VerifyJob::new`] does.
    pub fn for_timing(
        policy: &Policy,
        password: SecretInput,
        secret: Option<SecretInput>,
    ) -> Result<Self> {
        check_secrets(&password, secret.as_ref())?;
        let (salt, hash) = (vec![0; policy.salt_length()], vec![0; policy.hash_length()]);
        let digest = Digest::new(*policy.params(), Vec::new(), salt, hash);
        Ok(Self { digest, password, secret, for_timing: true })
    }

    /// Bytes of working memory.
    pub fn memory_len(&self) -> u64 {
        self.digest.params().memory_len()
    }

    /// Computes the tag and delivers whether it is the digest's; the working memory is wiped only
    /// afterwards. Delivers `ABORT_ERR` if the job has been cancelled.
    pub fn run<T>(self, cancel: &Cancel, deliver: impl FnOnce(Result<bool>) -> T) -> T {
        let mut memory = None;
        let matches = self.matches(cancel, &mut memory);
        // As in `run_raw`.
        drop(self);
        deliver(matches)
    }

    fn matches(&self, cancel: &Cancel, memory: &mut Option<Pages>) -> Result<bool> {
        let (engine, memory) = prepare(self.memory_len(), cancel, memory::take_untrusted, memory)?;
        TraceGuard::run(Depth::Derivation, |trace| {
            let inputs = Inputs {
                params: *self.digest.params(),
                password: self.password.expose(trace),
                salt: self.digest.salt(),
                secret: exposed(self.secret.as_ref(), trace),
                associated_data: self.digest.data(),
            };
            let mut tag = Zeroizing::new(vec![0; self.digest.hash().len()]);
            engine.derive(&inputs, memory, &mut tag, cancel)?;
            Ok(self.digest.matches(&tag) && !self.for_timing)
        })
    }
}

/// The engine and its working memory. Dropping the memory wipes it, so the caller decides when.
fn prepare<'a>(
    memory_len: u64,
    cancel: &Cancel,
    take: fn(usize) -> Result<Pages>,
    memory: &'a mut Option<Pages>,
) -> Result<(&'static dyn Engine, &'a mut Pages)> {
    // Checked first, so that no memory is taken for a result that no caller waits for.
    cancel.check()?;
    // On 32-bit systems a length beyond the address space is not available either.
    let len = usize::try_from(memory_len).unwrap_or(usize::MAX);
    // Chosen first: the choice also takes memory, and gives it back.
    let engine = engine::current()?;
    Ok((engine, memory.insert(take(len)?)))
}

fn random_salt(len: usize) -> Result<Vec<u8>> {
    let mut salt = vec![0; len];
    random_bytes(&mut salt)?;
    Ok(salt)
}

fn exposed<'a>(secret: Option<&'a SecretInput>, trace: &'a TraceGuard) -> &'a [u8] {
    secret.map_or(&[], |secret| secret.expose(trace))
}

pub(super) fn check_secrets(password: &SecretInput, secret: Option<&SecretInput>) -> Result<()> {
    if password.len() > MAX_PASSWORD_LEN {
        return Err(out_of_range(format!("password must be at most {MAX_PASSWORD_LEN} bytes")));
    }
    if secret.map_or(0, SecretInput::len) > MAX_SECRET_LEN {
        return Err(out_of_range(format!("secret must be at most {MAX_SECRET_LEN} bytes")));
    }
    Ok(())
}

fn out_of_range(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(Code::OutOfRange, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::PolicyOptions;
    use crate::password::policy::Preset;

    /// A tag may have as few as four bytes, which some password has.
    #[test]
    fn no_password_passes_a_check_for_timing() {
        let options = PolicyOptions { preset: Some(Preset::Test), ..PolicyOptions::default() };
        let policy = Policy::new(&options, false).unwrap();
        let password = || SecretInput::Inside(Secret::copy_from(b"right").unwrap());
        let job = HashJob::new(policy, password(), None, None, Vec::new()).unwrap();
        let digest = job.run(&Cancel::default(), Result::unwrap);
        for for_timing in [false, true] {
            let timed = VerifyJob::for_timing(&policy, password(), None).unwrap();
            let job = VerifyJob { digest: digest.clone(), for_timing, ..timed };
            assert_eq!(job.run(&Cancel::default(), |matches| matches), Ok(!for_timing));
        }
    }
}
