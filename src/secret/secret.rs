//! Bytes that lie in the secure heap and nowhere else.

use std::fmt;
use std::sync::Arc;

use secrecy::ExposeSecret;

use super::bytes;
use super::overflow::Overflow;
use super::process_heap::process_heap;
use super::registers::clear_vector_registers;
use super::secure_heap::SecureHeap;
use crate::error::{Code, Error, Result};
use crate::heap::Slot;
use crate::id;

/// The longest secret, in bytes: 1 MiB.
pub const MAX_SECRET_LEN: usize = 1024 * 1024;

/// Secret bytes, read through [`ExposeSecret::expose_secret`] only.
///
/// A clone is another owner of the same bytes; they are wiped when the last one is dropped. An
/// empty secret is allowed and takes no memory. Prints as `Secret(32 bytes)`.
///
/// Within [`super::storing`] it may lie in memory that is lent for the time of the call: a secret
/// that must last longer becomes a [`super::StoredSecret`].
///
/// After `fork` the child must not read or drop it: the memory is not there (`memfd_secret`), or
/// reads as zeros.
#[derive(Clone)]
pub struct Secret {
    /// `None`: empty.
    slot: Option<Arc<Slot>>,
    /// At most the slot's length.
    len: usize,
    /// The overflow whose scratch memory the slot is of. Such a secret lasts for a call only.
    scratch_of: Option<Arc<Overflow>>,
}

impl Secret {
    /// A copy of `bytes`; wiping the original is the caller's affair. `ERR_OUT_OF_RANGE` above
    /// [`MAX_SECRET_LEN`], `ERR_SECRET_EXHAUSTED` when there is no room.
    pub fn copy_from(bytes: &[u8]) -> Result<Self> {
        Self::filled(bytes.len(), |slot| {
            slot.copy_from_slice(bytes);
            Ok(())
        })
    }

    /// `len` random bytes; errors as [`Secret::copy_from`], and `ERR_RANDOM`.
    pub fn random(len: usize) -> Result<Self> {
        Self::filled(len, id::random_bytes)
    }

    /// `len` bytes, zero at first, that `fill` writes in place. If it fails or panics, its bytes
    /// are wiped. Errors as [`Secret::copy_from`], and those of `fill`.
    pub fn filled(len: usize, fill: impl FnOnce(&mut [u8]) -> Result<()>) -> Result<Self> {
        Self::filled_in(process_heap(), len, fill)
    }

    /// As [`Secret::filled`], where `fill` says how many of the `room` bytes it has used: they are
    /// the secret.
    pub fn filled_up_to(
        room: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<usize>,
    ) -> Result<Self> {
        let mut used = 0;
        let mut secret = Self::filled(room, |slot| {
            used = fill(slot)?.min(slot.len());
            Ok(())
        })?;
        secret.len = used;
        secret.slot.take_if(|_| used == 0);
        Ok(secret)
    }

    /// Bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether the bytes are the same. The time taken depends on the lengths only; different
    /// lengths are unequal at once.
    pub fn ct_eq(&self, other: &[u8]) -> bool {
        let is_equal = bytes::ct_eq(self.expose_secret(), other);
        clear_vector_registers();
        is_equal
    }

    pub(super) fn filled_in(
        heap: &SecureHeap,
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<()>,
    ) -> Result<Self> {
        if len > MAX_SECRET_LEN {
            return Err(Error::new(
                Code::OutOfRange,
                format!("a secret holds at most {MAX_SECRET_LEN} bytes, not {len}"),
            ));
        }
        if len == 0 {
            fill(&mut [])?;
            return Ok(Self { slot: None, len, scratch_of: None });
        }
        let (mut slot, scratch_of) = heap.slot_or_scratch(len)?;
        let filled = fill(slot.bytes_mut());
        clear_vector_registers();
        filled.map(|()| Self { slot: Some(Arc::new(slot)), len, scratch_of })
    }

    pub(super) fn in_scratch(slot: Slot, scratch_of: Arc<Overflow>) -> Self {
        let len = slot.bytes().len();
        Self { slot: Some(Arc::new(slot)), len, scratch_of: Some(scratch_of) }
    }

    pub(super) fn scratch_of(&self) -> Option<&Arc<Overflow>> {
        self.scratch_of.as_ref()
    }
}

impl ExposeSecret<[u8]> for Secret {
    fn expose_secret(&self) -> &[u8] {
        self.slot.as_ref().map_or(&[], |slot| &slot.bytes()[..self.len])
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.len())
    }
}

#[cfg(test)]
#[allow(unsafe_code, reason = "reads memory that was given back")]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::heap::Config;
    use crate::os::Backend;

    fn heap(config: Config) -> SecureHeap {
        SecureHeap::new(config, || ())
    }

    fn small() -> SecureHeap {
        heap(Config { max_bytes: 8192, ..Config::default() })
    }

    /// A heap whose growth the machine's limit on locked memory does not end.
    fn unlocked() -> SecureHeap {
        heap(Config { backend: Some(Backend::DontDump), ..Config::default() })
    }

    /// What lies at an address of an arena that still exists.
    fn peek(start: std::ptr::NonNull<u8>, len: usize) -> Vec<u8> {
        // SAFETY: the tests keep the arena alive, so the address is mapped and initialised.
        unsafe { std::slice::from_raw_parts(start.as_ptr(), len) }.to_vec()
    }

    fn start(secret: &Secret) -> std::ptr::NonNull<u8> {
        secret.slot.as_ref().unwrap().as_ptr()
    }

    #[test]
    fn round_trip() {
        let heap = unlocked();
        for len in [1, 32, 33, 4096, 4097, 100_000] {
            let bytes: Vec<u8> = (0..len).map(|i| u8::try_from(i % 251).unwrap()).collect();
            let copy = |slot: &mut [u8]| {
                slot.copy_from_slice(&bytes);
                Ok(())
            };
            let secret = Secret::filled_in(&heap, len, copy).unwrap();
            assert_eq!(secret.len(), len);
            assert_eq!(secret.expose_secret(), bytes);
            assert!(secret.ct_eq(&bytes));
            assert!(!secret.ct_eq(&bytes[1..]));
        }
        assert_ne!(
            Secret::random(32).unwrap().expose_secret(),
            Secret::random(32).unwrap().expose_secret()
        );
    }

    #[test]
    fn limits() {
        let empty = Secret::copy_from(&[]).unwrap();
        assert!(empty.is_empty() && empty.ct_eq(&[]) && !empty.ct_eq(&[0]));
        let longest = Secret::filled_in(&unlocked(), MAX_SECRET_LEN, id::random_bytes).unwrap();
        assert_eq!(longest.len(), MAX_SECRET_LEN);
        let error = Secret::random(MAX_SECRET_LEN + 1).unwrap_err();
        assert_eq!(error.code, Code::OutOfRange);
    }

    #[test]
    fn fewer_bytes_than_there_was_room_for() {
        let secret = Secret::filled_up_to(40, |slot| {
            slot.fill(0xa5);
            Ok(3)
        })
        .unwrap();
        assert_eq!((secret.len(), secret.expose_secret()), (3, &[0xa5; 3][..]));
        assert!(Secret::filled_up_to(8, |_| Ok(0)).unwrap().is_empty());
        assert_eq!(Secret::filled_up_to(8, |_| Ok(9)).unwrap().len(), 8);
    }

    #[test]
    fn prints_its_length_only() {
        let secret = Secret::copy_from(b"correct horse battery staple 012").unwrap();
        assert_eq!(format!("{secret:?} {secret:#?}"), "Secret(32 bytes) Secret(32 bytes)");
    }

    #[test]
    fn the_last_owner_wipes() {
        let heap = small();
        let secret = Secret::filled_in(&heap, 40, |slot| {
            slot.fill(0xa5);
            Ok(())
        })
        .unwrap();
        let (at, other) = (start(&secret), secret.clone());
        drop(secret);
        assert_eq!(other.expose_secret(), [0xa5; 40]);
        drop(other);
        assert_eq!(peek(at, 40), [0; 40]);
        assert_eq!(heap.status().heap.live_secrets, 0);

        let again = Secret::filled_in(&heap, 50, |_| Ok(())).unwrap();
        assert_eq!(start(&again), at);
        assert_eq!(again.expose_secret(), [0; 50]);
    }

    #[test]
    fn a_failed_fill_leaves_nothing() {
        let heap = small();
        let mut at = None;
        let failed = Secret::filled_in(&heap, 64, |slot| {
            at = std::ptr::NonNull::new(slot.as_mut_ptr());
            slot.fill(0xa5);
            Err(Error::new(Code::Random, "no"))
        });
        assert_eq!(failed.unwrap_err().code, Code::Random);
        assert_eq!(peek(at.unwrap(), 64), [0; 64]);

        let panicked = catch_unwind(AssertUnwindSafe(|| {
            Secret::filled_in(&heap, 64, |slot| {
                slot.fill(0xa5);
                panic!("in fill")
            })
        }));
        assert!(panicked.is_err());
        assert_eq!(peek(at.unwrap(), 64), [0; 64]);
        assert_eq!(heap.status().heap.used_bytes, 0);
    }
}
