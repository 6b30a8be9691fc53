//! Secrets that do not fit in a full arena, stored encrypted outside it.
//!
//! The ciphertext lies on the ordinary heap: AES-256-GCM (NIST SP 800-38D) under one key of the
//! process, which never leaves protected memory. The nonce is a counter and is never reused. The
//! counter and the length are authenticated, so that no ciphertext opens in the place of another. A
//! secret is opened for the duration of a call, into scratch memory that was reserved before the
//! first secret, so it is available even when everything else is full. The scratch memory is a
//! small arena of its own, with canaries and guard pages, and one thread at a time holds its lock
//! (`scratch_lock`).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, Tag, UnboundKey};
use zeroize::{Zeroize, Zeroizing};

use super::scratch_lock::ScratchLock;
use super::trace_guard::{Depth, TraceGuard};
use crate::error::{Code, Error, Result};
use crate::heap::{
    Arena, ArenaSettings, BLOCK, Config, OVERHEAD, ProtectionPolicy, Slot, SlotValue,
};
use crate::id;
use crate::os::ProtectedMemory;

/// The longest secret that can be sealed for lack of room, in bytes: 4064, the capacity of a 4 KiB
/// slot.
pub const MAX_OVERFLOW_LEN: usize = BLOCK - OVERHEAD;

/// Reserved bytes: enough for three secrets of maximum length at a time, for example when one
/// secret is sealed under another and the result is created beside them, and for expanded keys.
const SCRATCH_BYTES: usize = 4 * BLOCK;

const TAG_LEN: usize = 16;

/// The key, the scratch memory and the number of an arena's sealed secrets.
pub(super) struct Overflow {
    scratch: Arc<Arena>,
    cipher: SlotValue<LessSafeKey>,
    next: AtomicU64,
    sealed: AtomicUsize,
}

/// The ciphertext of a secret, wiped when dropped.
pub(super) struct Sealed {
    overflow: Arc<Overflow>,
    number: u64,
    /// The ciphertext, followed by the tag.
    ciphertext: Box<[u8]>,
}

/// Fails with `ERR_OUT_OF_RANGE` unless `max_bytes` holds the scratch memory and at least one page
/// or block more.
pub(super) fn check_fits(memory: &dyn ProtectedMemory, max_bytes: usize) -> Result<()> {
    let least = scratch_bytes(memory) + memory.page_size().max(BLOCK);
    if max_bytes >= least {
        return Ok(());
    }
    Err(Error::new(
        Code::OutOfRange,
        format!("options.maxBytes must be at least {least} with overflow: 'seal'"),
    ))
}

/// Bytes of the scratch memory.
pub(super) fn scratch_bytes(memory: &dyn ProtectedMemory) -> usize {
    SCRATCH_BYTES.next_multiple_of(memory.page_size())
}

impl Overflow {
    /// Draws the key and creates the scratch memory, with the configuration and the policy of the
    /// arena that it serves. Errors as for [`Slot::take`].
    pub(super) fn new(config: Config, policy: ProtectionPolicy) -> Result<Self> {
        let bytes = scratch_bytes(config.memory);
        let scratch =
            Arc::new(Arena::new(Config { first_bytes: bytes, max_bytes: bytes, ..config }));
        scratch.configure(ArenaSettings {
            require: Some(policy.require),
            on_degraded: Some(policy.on_degraded),
            ..ArenaSettings::default()
        })?;
        scratch.admit()?;
        let mut key = Zeroizing::new([0; 32]);
        id::random_bytes(&mut *key)?;
        let cipher = TraceGuard::run(Depth::Cipher, |_| {
            let cipher = UnboundKey::new(&AES_256_GCM, &*key).map_err(|_| broken())?;
            SlotValue::new(LessSafeKey::new(cipher), |len| Slot::take(&scratch, len))
        })?;
        Ok(Self { scratch, cipher, next: AtomicU64::new(0), sealed: AtomicUsize::new(0) })
    }

    /// The scratch memory.
    pub(super) fn scratch(&self) -> &Arc<Arena> {
        &self.scratch
    }

    /// The number of sealed secrets.
    pub(super) fn sealed(&self) -> usize {
        self.sealed.load(Ordering::Relaxed)
    }

    /// A slot of the scratch memory, for the holder of its lock. Fails with `ERR_SECRET_EXHAUSTED`
    /// if `len` is too large.
    pub(super) fn slot(&self, len: usize, _: &ScratchLock) -> Result<Slot> {
        if len > MAX_OVERFLOW_LEN {
            return Err(Error::new(
                Code::SecretExhausted,
                format!(
                    "the secure heap has no room for {len} bytes, and can only seal secrets of at \
                     most {MAX_OVERFLOW_LEN} bytes; dispose of secrets that are no longer needed, \
                     or raise maxBytes with secureHeap.configure()"
                ),
            ));
        }
        Slot::take(&self.scratch, len)
    }

    /// Encrypts bytes. Errors as for [`Overflow::slot`].
    pub(super) fn seal(
        self: &Arc<Self>,
        bytes: &[u8],
        lock: &ScratchLock,
        _: &TraceGuard,
    ) -> Result<Sealed> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        // Encrypted in a slot, so that only ciphertext ever leaves protected memory.
        let mut slot = self.slot(bytes.len(), lock)?;
        slot.bytes_mut().copy_from_slice(bytes);
        let aad = Aad::from(identity(number, bytes.len()));
        let tag = self.cipher.seal_in_place_separate_tag(nonce(number), aad, slot.bytes_mut());
        let tag = tag.map_err(|_| broken())?;
        let ciphertext = [slot.bytes(), tag.as_ref()].concat().into_boxed_slice();
        self.sealed.fetch_add(1, Ordering::Relaxed);
        Ok(Sealed { overflow: Arc::clone(self), number, ciphertext })
    }
}

impl Sealed {
    /// Bytes of the secret.
    pub(super) fn len(&self) -> usize {
        self.ciphertext.len().saturating_sub(TAG_LEN)
    }

    /// The overflow that holds the key.
    pub(super) fn overflow(&self) -> &Arc<Overflow> {
        &self.overflow
    }

    /// Decrypts into a slot of the scratch memory. Errors as for [`Overflow::slot`].
    pub(super) fn open(&self, lock: &ScratchLock) -> Result<Slot> {
        let (ciphertext, tag) = self.ciphertext.split_last_chunk::<TAG_LEN>().ok_or_else(broken)?;
        let mut slot = self.overflow.slot(ciphertext.len(), lock)?;
        slot.bytes_mut().copy_from_slice(ciphertext);
        let aad = Aad::from(identity(self.number, ciphertext.len()));
        let (cipher, tag) = (&self.overflow.cipher, Tag::from(*tag));
        let opened = TraceGuard::run(Depth::Cipher, |_| {
            let bytes = slot.bytes_mut();
            cipher.open_in_place_separate_tag(nonce(self.number), aad, tag, bytes, 0..).is_ok()
        });
        if !opened {
            return Err(broken());
        }
        Ok(slot)
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        self.ciphertext.zeroize();
        self.overflow.sealed.fetch_sub(1, Ordering::Relaxed);
    }
}

fn nonce(number: u64) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[NONCE_LEN - 8..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

fn identity(number: u64, len: usize) -> [u8; 16] {
    ((u128::from(number) << 64) | len as u128).to_be_bytes()
}

/// The error if other code of this process changed the ciphertext, or if this code has a defect.
fn broken() -> Error {
    Error::new(
        Code::Internal,
        "a secret that was sealed because the heap was full cannot be opened: memory of this \
         process was overwritten",
    )
}

#[cfg(test)]
#[allow(unsafe_code, reason = "reads memory that was wiped")]
mod tests;
