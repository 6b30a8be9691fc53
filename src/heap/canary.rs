//! Canaries around the bytes of a slot, which reveal writes beyond them.
//!
//! There are 16 bytes before and 16 bytes after. They depend on a key of the process, on the
//! address of the slot and on its tenant. So they can be neither guessed nor copied from another
//! slot, and a handle whose slot was given back finds the canaries of another tenant. The second
//! canary follows the requested bytes directly, not the slot, so that even one byte too many is
//! detected. A free slot is zero; this is checked before the slot is lent again.

use std::ptr::NonNull;
use std::sync::OnceLock;

use siphasher::sip128::SipHasher13;
use zeroize::Zeroize;

use crate::error::Result;
use crate::id;

/// Bytes on each side.
pub(super) const CANARY_LEN: usize = 16;

/// Bytes that a slot holds in addition to the requested bytes.
pub const OVERHEAD: usize = 2 * CANARY_LEN;

/// The canaries of the process.
pub(super) struct Canaries(SipHasher13);

impl Canaries {
    /// The canaries of the process. The first call draws their key and may fail with `ERR_RANDOM`.
    pub(super) fn get() -> Result<&'static Self> {
        static CANARIES: OnceLock<Canaries> = OnceLock::new();
        if let Some(canaries) = CANARIES.get() {
            return Ok(canaries);
        }
        let mut key = [0; 16];
        id::random_bytes(&mut key)?;
        let hasher = SipHasher13::new_with_key(&key);
        key.zeroize();
        Ok(CANARIES.get_or_init(|| Self(hasher)))
    }

    /// Puts the canaries of a tenant into an empty slot of `len` bytes. Returns the start of the
    /// `len - OVERHEAD` bytes between the canaries.
    ///
    /// # Safety
    ///
    /// `start` points to `len` (at least `OVERHEAD`) bytes that belong to the caller alone.
    pub(super) unsafe fn place(&self, start: NonNull<u8>, len: usize, tenant: u64) -> NonNull<u8> {
        let canary = self.at(start, tenant);
        // SAFETY: both lie within the `len` bytes that the caller guarantees.
        unsafe {
            start.cast().write_unaligned(canary);
            start.add(len - CANARY_LEN).cast().write_unaligned(canary);
            start.add(CANARY_LEN)
        }
    }

    /// Whether both canaries still are as [`Canaries::place`] wrote them.
    ///
    /// # Safety
    ///
    /// `start` and `len` are the arguments of the call to `place`, and the memory still exists.
    pub(super) unsafe fn are_intact(&self, start: NonNull<u8>, len: usize, tenant: u64) -> bool {
        let canary = self.at(start, tenant);
        // SAFETY: both lie within the slot, and no code writes to them after `place`.
        unsafe {
            let before = start.cast::<[u8; CANARY_LEN]>().read_unaligned();
            let behind = start.add(len - CANARY_LEN).cast::<[u8; CANARY_LEN]>().read_unaligned();
            before == canary && behind == canary
        }
    }

    fn at(&self, start: NonNull<u8>, tenant: u64) -> [u8; CANARY_LEN] {
        let mut text = [0; 16];
        let (address, rest) = text.split_at_mut(8);
        address[..size_of::<usize>()].copy_from_slice(&start.addr().get().to_ne_bytes());
        rest.copy_from_slice(&tenant.to_ne_bytes());
        self.0.hash(&text).as_bytes()
    }
}

/// Half of the canary before a tenant's bytes, which differs for every later tenant. Comparing it
/// needs no hash, so every use checks the tenant. The other half is stored nowhere else.
///
/// # Safety
///
/// `bytes` was returned by [`Canaries::place`], and the memory still exists.
pub(super) unsafe fn tag(bytes: NonNull<u8>) -> u64 {
    // SAFETY: the canary lies directly before `bytes`, within the slot.
    unsafe { bytes.sub(CANARY_LEN).cast::<u64>().read_unaligned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::wipe::{is_zero, wipe};

    #[test]
    fn one_byte_on_either_side_is_noticed() {
        let canaries = Canaries::get().unwrap();
        let mut memory = [0_u8; 40 + OVERHEAD + 8];
        let len = 40 + OVERHEAD;
        let start = NonNull::from(&mut memory).cast::<u8>();
        // SAFETY: the array is ours, and longer than `len`.
        unsafe {
            let bytes = canaries.place(start, len, 7);
            assert_eq!(bytes, start.add(CANARY_LEN));
            wipe(bytes, 40);
            assert!(canaries.are_intact(start, len, 7));
            for at in [0, 15, 56, len - 1] {
                let byte = start.add(at);
                byte.write(byte.read() ^ 1);
                assert!(!canaries.are_intact(start, len, 7), "{at}");
                byte.write(byte.read() ^ 1);
            }
            assert!(canaries.are_intact(start, len, 7));
            let first = tag(bytes);
            assert_eq!(tag(canaries.place(start, len, 7)), first);
            assert_ne!(tag(canaries.place(start, len, 8)), first);
            assert!(!canaries.are_intact(start, len, 7));
            assert!(!is_zero(start, len));
            wipe(start, len);
            assert!(is_zero(start, len + 8));
        }
    }

    #[test]
    fn no_two_slots_and_no_two_tenants_have_the_same() {
        let canaries = Canaries::get().unwrap();
        let memory = [0_u8; 2];
        let [one, other] = memory.each_ref().map(|byte| canaries.at(NonNull::from(byte), 1));
        assert_ne!(one, other);
        assert_ne!(one, canaries.at(NonNull::from(&memory[0]), 2));
    }
}
