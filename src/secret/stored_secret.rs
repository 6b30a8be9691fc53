//! A secret that outlives the call that created it: in a slot, or sealed for lack of room.

use std::fmt;
use std::sync::Arc;

use super::input::SecretInput;
use super::overflow::Sealed;
use super::scratch_lock::with_scratch_lock;
use super::secret::Secret;
use super::trace_guard::{Depth, TraceGuard};
use crate::error::Result;
use crate::notice::{NOTICES, Notice};

/// A secret to keep; a clone is another owner of the same secret.
#[derive(Clone)]
pub struct StoredSecret(Form);

#[derive(Clone)]
enum Form {
    InSlot(Secret),
    Sealed(Arc<Sealed>),
}

impl StoredSecret {
    /// Stores a secret that a call created within [`super::storing`]. It is sealed if there was
    /// room only in the scratch memory. Errors as for [`StoredSecret::with`].
    pub fn new(secret: Secret) -> Result<Self> {
        let Some(overflow) = secret.scratch_of() else { return Ok(Self(Form::InSlot(secret))) };
        let sealed = with_scratch_lock(|lock| {
            TraceGuard::run(Depth::Cipher, |trace| overflow.seal(secret.expose(trace), lock, trace))
        })?;
        NOTICES.leave(Notice::Overflowed);
        Ok(Self(Form::Sealed(Arc::new(sealed))))
    }

    /// The length in bytes.
    #[allow(clippy::len_without_is_empty, reason = "nobody asks")]
    pub fn len(&self) -> usize {
        match &self.0 {
            Form::InSlot(secret) => secret.len(),
            Form::Sealed(sealed) => sealed.len(),
        }
    }

    /// Lends the secret. A sealed secret is open for the duration of `call`, which must not keep
    /// it. Fails with `ERR_INTERNAL` if the ciphertext was overwritten, and with
    /// `ERR_SECRET_EXHAUSTED` if more secrets are open in one call than the scratch memory holds:
    /// more than two.
    pub fn with<T>(&self, call: impl FnOnce(&Secret) -> T) -> Result<T> {
        match &self.0 {
            Form::InSlot(secret) => Ok(call(secret)),
            Form::Sealed(sealed) => with_scratch_lock(|lock| {
                let slot = sealed.open(lock)?;
                Ok(call(&Secret::in_scratch(slot, Arc::clone(sealed.overflow()))))
            }),
        }
    }

    /// The secret for longer than a call, in a slot. A sealed secret is copied there, which fails
    /// with `ERR_SECRET_EXHAUSTED` while there is no room. Other errors as for
    /// [`StoredSecret::with`].
    pub fn to_secret(&self) -> Result<Secret> {
        match &self.0 {
            Form::InSlot(secret) => Ok(secret.clone()),
            Form::Sealed(_) => self.with(Secret::copy)?,
        }
    }

    /// The secret for a job. A sealed secret is copied out, because a job lasts longer than a
    /// thread may hold the scratch memory. Errors as for [`StoredSecret::with`].
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
