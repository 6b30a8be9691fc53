//! A secret that outlives the call that made it: in a slot, or sealed for want of room.

use std::fmt;
use std::sync::Arc;

use super::input::SecretInput;
use super::overflow::Sealed;
use super::scratch_lock::with_scratch_lock;
use super::secret::Secret;
use super::trace_guard::{Depth, TraceGuard};
use crate::error::Result;

/// A secret for later; a clone is another owner of the same one.
#[derive(Clone)]
pub struct StoredSecret(Form);

#[derive(Clone)]
enum Form {
    InSlot(Secret),
    Sealed(Arc<Sealed>),
}

impl StoredSecret {
    /// Stores a secret that a call made within [`super::storing`]. It is sealed if there was no
    /// room for it but the scratch memory. Errors as [`StoredSecret::with`].
    pub fn new(secret: Secret) -> Result<Self> {
        let Some(overflow) = secret.scratch_of() else { return Ok(Self(Form::InSlot(secret))) };
        let sealed = with_scratch_lock(|lock| {
            TraceGuard::run(Depth::Cipher, |trace| overflow.seal(secret.expose(trace), lock, trace))
        })?;
        Ok(Self(Form::Sealed(Arc::new(sealed))))
    }

    /// Bytes.
    #[allow(clippy::len_without_is_empty, reason = "nobody asks")]
    pub fn len(&self) -> usize {
        match &self.0 {
            Form::InSlot(secret) => secret.len(),
            Form::Sealed(sealed) => sealed.len(),
        }
    }

    /// Lends the secret. A sealed one is open for the time of `call`, which must not keep it.
    /// `ERR_INTERNAL` if the ciphertext was overwritten, `ERR_SECRET_EXHAUSTED` if more secrets are
    /// open in one call than the scratch memory holds: more than two.
    pub fn with<T>(&self, call: impl FnOnce(&Secret) -> T) -> Result<T> {
        match &self.0 {
            Form::InSlot(secret) => Ok(call(secret)),
            Form::Sealed(sealed) => with_scratch_lock(|lock| {
                let slot = sealed.open(lock)?;
                Ok(call(&Secret::in_scratch(slot, Arc::clone(sealed.overflow()))))
            }),
        }
    }

    /// The secret for longer than a call, in a slot. A sealed one is copied there:
    /// `ERR_SECRET_EXHAUSTED` while there is no room, and errors as [`StoredSecret::with`].
    pub fn to_secret(&self) -> Result<Secret> {
        match &self.0 {
            Form::InSlot(secret) => Ok(secret.clone()),
            Form::Sealed(_) => self.with(Secret::copy)?,
        }
    }

    /// The secret for a job. A sealed one is copied out: a job lasts longer than a
    /// thread may hold the scratch memory. Errors as [`StoredSecret::with`].
    pub fn to_input(&self) -> Result<SecretInput> {
        match &self.0 {
            Form::InSlot(secret) => Ok(SecretInput::Inside(secret.clone())),
            Form::Sealed(_) => self.with(SecretInput::copy_of),
        }
    }
}

impl fmt::Debug for StoredSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::InSlot(secret) => secret.fmt(f),
            Form::Sealed(sealed) => write!(f, "Secret({} bytes, sealed)", sealed.len()),
        }
    }
}
