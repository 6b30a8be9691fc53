//! The object behind a `SecretBuffer`, and the list of all of them in the process, so that one call
//! can dispose of them all.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};

use crate::binding::args::handle::Handle;
use crate::binding::args::{Fault, Result};
use crate::error::Code;
use crate::secret::{self, Secret, StoredSecret, TraceGuard};

/// A secret that JavaScript holds until it is disposed of.
pub(crate) struct SecretBuffer {
    secret: Mutex<Option<StoredSecret>>,
    len: u32,
}

/// The objects by their addresses. An address is unique as long as its entry is in the map.
type Live = HashMap<usize, Weak<SecretBuffer>>;

static LIVE: LazyLock<Mutex<Live>> = LazyLock::new(Mutex::default);

impl Handle for SecretBuffer {
    const TAG: u128 = 0xd5b7_43a8_0f9e_4d7b_8e57_0a4b_61e1_5507;
    const CLASS: &'static str = "SecretBuffer";

    fn external_len(&self) -> u32 {
        // Many times the real size. The secure heap is small, and the collector should run before
        // garbage fills it.
        self.len.saturating_add(64).saturating_mul(16)
    }
}

impl SecretBuffer {
    /// Holds the secret that `make` makes: in the secure heap, or sealed if the heap is full and
    /// `overflow` is `'seal'`.
    pub(crate) fn make(make: impl FnOnce() -> Result<Secret>) -> Result<Arc<Self>> {
        secret::storing(|| make().and_then(|secret| Ok(Self::keeping(StoredSecret::new(secret)?))))
    }

    /// Holds a secret that is stored already.
    pub(crate) fn keeping(secret: StoredSecret) -> Arc<Self> {
        // At most `MAX_SECRET_LEN`.
        let len = u32::try_from(secret.len()).unwrap_or(u32::MAX);
        let buffer = Arc::new(Self { secret: Mutex::new(Some(secret)), len });
        live().insert(Arc::as_ptr(&buffer).addr(), Arc::downgrade(&buffer));
        buffer
    }

    /// Lends the secret to a call. The secret stays until the call ends, even if the buffer is
    /// disposed of meanwhile.
    pub(crate) fn with<T>(&self, call: impl FnOnce(&Secret) -> Result<T>) -> Result<T> {
        self.get()?.with(call)?
    }

    /// The secret, of which the caller becomes another owner: it stays until the caller drops it,
    /// too.
    pub(crate) fn get(&self) -> Result<StoredSecret> {
        self.held().clone().ok_or_else(disposed)
    }

    /// Whether the secret equals `other`, in a time that depends on the lengths only. `other` may
    /// be the secret's own bytes.
    pub(crate) fn ct_eq(&self, other: &[u8], trace: &TraceGuard) -> Result<bool> {
        let held = self.held();
        let stored = held.as_ref().ok_or_else(disposed)?;
        Ok(stored.with(|secret| secret::ct_eq(secret.expose(trace), other))?)
    }

    /// The length of the secret, in bytes.
    pub(crate) fn len(&self) -> Result<u32> {
        self.get()?;
        Ok(self.len)
    }

    fn held(&self) -> MutexGuard<'_, Option<StoredSecret>> {
        self.secret.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops the secret. Returns whether there was one.
    pub(crate) fn dispose(&self) -> bool {
        let secret = self.held().take();
        if secret.is_some() {
            live().remove(&std::ptr::from_ref(self).addr());
        }
        secret.is_some()
    }
}

fn disposed() -> Fault {
    Fault::new(Code::SecretDisposed, "the secret has been disposed of; make a new one")
}

/// The garbage collector frees a buffer that was never disposed of. Its secret counts as leaked.
impl Drop for SecretBuffer {
    fn drop(&mut self) {
        if self.dispose() {
            secret::count_leaked();
        }
    }
}

/// Disposes of every `SecretBuffer` that is held now, in all threads.
pub(super) fn dispose_all() {
    // Collected first: a buffer dropped here may be the last owner, and its drop takes the lock
    // again.
    let held: Vec<_> = live().values().filter_map(Weak::upgrade).collect();
    for buffer in held {
        buffer.dispose();
    }
}

fn live() -> MutexGuard<'static, Live> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}
