//! A plain value in a slot of an arena.

use std::marker::PhantomData;
use std::mem::{MaybeUninit, align_of, needs_drop};
use std::ops::Deref;
use std::ptr::NonNull;

use zeroize::Zeroize;

use super::canary::CANARY_LEN;
use super::slot::Slot;
use crate::error::{Code, Error, Result};

/// A value in a slot, wiped when dropped.
///
/// The value must have nothing to drop and an alignment of at most 16; the compiler checks both.
/// The copy passed to [`SlotValue::new`] is wiped. Copies that the compiler made on the way are
/// not, and neither are copies of the code that computed the value. References are not followed:
/// only the value's own bytes are in the slot.
pub struct SlotValue<T> {
    slot: Slot,
    value: PhantomData<T>,
}

impl<T> SlotValue<T> {
    const LEN: usize = if size_of::<T>() == 0 { 1 } else { size_of::<T>() };

    /// Moves `value` into the slot of the given length that `take` returns. `value` is wiped even
    /// if `take` fails.
    // Inlined, so that the parameter and the wiped copy are the same memory if possible.
    #[inline]
    pub fn new(value: T, take: impl FnOnce(usize) -> Result<Slot>) -> Result<Self> {
        let mut value = MaybeUninit::new(value);
        let stored = take(Self::LEN).and_then(|slot| Self::copy_in(slot, &value));
        value.zeroize();
        stored
    }

    /// The address of the value.
    pub fn as_ptr(&self) -> NonNull<T> {
        self.slot.as_ptr().cast()
    }

    fn copy_in(slot: Slot, value: &MaybeUninit<T>) -> Result<Self> {
        const { assert!(!needs_drop::<T>() && align_of::<T>() <= CANARY_LEN) };
        if slot.bytes().len() < Self::LEN {
            return Err(Error::new(Code::Internal, "a slot is shorter than its value"));
        }
        // SAFETY: the slot holds at least the size of a `T`, is aligned to at least 16, is owned by
        // us, and cannot overlap a value outside the arena or in another slot.
        unsafe { slot.as_ptr().cast::<MaybeUninit<T>>().copy_from_nonoverlapping(value.into(), 1) };
        Ok(Self { slot, value: PhantomData })
    }
}

impl<T> Deref for SlotValue<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: `copy_in` put a valid `T` there, from an initialised value that it took over. The
        // slot is not written again before it is dropped.
        unsafe { self.as_ptr().as_ref() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::heap::{Arena, Config};

    #[repr(C, align(16))]
    struct State {
        words: [u64; 9],
        rest: u8,
    }

    #[test]
    fn a_value_is_aligned_and_wiped_when_dropped() {
        let arena = Arc::new(Arena::new(Config { max_bytes: 8192, ..Config::default() }));
        let value = State { words: [u64::MAX; 9], rest: 7 };
        let stored = SlotValue::new(value, |len| Slot::take(&arena, len)).unwrap();
        assert_eq!((stored.words, stored.rest), ([u64::MAX; 9], 7));
        let at = stored.as_ptr().cast::<u8>();
        assert_eq!(at.as_ptr().addr() % align_of::<State>(), 0);
        drop(stored);
        // SAFETY: the arena still exists, and the slot was wiped as a whole.
        let left = unsafe { std::slice::from_raw_parts(at.as_ptr(), size_of::<State>()) };
        assert!(left.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn a_slot_that_is_too_short_is_refused() {
        let arena = Arc::new(Arena::new(Config { max_bytes: 8192, ..Config::default() }));
        let stored = SlotValue::new([7_u64; 4], |len| Slot::take(&arena, len - 1));
        assert_eq!(stored.err().map(|error| error.code), Some(Code::Internal));
    }
}
