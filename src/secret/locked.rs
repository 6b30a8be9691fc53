//! A plain value that lives in the arena: precomputed key state, for example.

use std::fmt;
use std::marker::PhantomData;
use std::mem::{MaybeUninit, align_of, needs_drop};
use std::ops::Deref;
use std::sync::Arc;

use zeroize::Zeroize;

use super::overflow;
use crate::error::Result;
use crate::heap::arena::{self, Arena};
use crate::heap::canary::CANARY_LEN;
use crate::heap::slot::Slot;

/// A value in a slot of the arena, wiped when dropped.
///
/// For values without anything to drop and of alignment 16 at most (checked when compiling).
/// What it does not promise: the value was computed on the stack and in registers before it came
/// here, and a move leaves the bytes behind. The copy handed to [`Locked::new`] is wiped; copies
/// that the compiler made on the way to it, and those of the code that computed it, are not. Nor
/// does it follow references: only the value's own bytes are in the slot.
pub struct Locked<T> {
    slot: Slot,
    value: PhantomData<T>,
}

impl<T> Locked<T> {
    /// Moves `value` into the arena. `ERR_SECRET_EXHAUSTED` when there is no room; `value` is
    /// wiped then too.
    // Inlined, so that the parameter and the copy that is wiped are one and the same if possible.
    #[inline]
    pub fn new(value: T) -> Result<Self> {
        Self::new_in(arena::global(), value)
    }

    /// As [`Locked::new`], for the time of a call only: within [`super::storing`] it may lie in the
    /// scratch memory.
    #[inline]
    pub(super) fn for_this_call(value: T) -> Result<Self> {
        let mut value = MaybeUninit::new(value);
        let slot = overflow::slot(arena::global(), Self::LEN);
        let locked = slot.map(|(slot, _)| Self::copy_in(slot, &value));
        value.zeroize();
        locked
    }

    #[inline]
    pub(super) fn new_in(arena: &Arc<Arena>, value: T) -> Result<Self> {
        let mut value = MaybeUninit::new(value);
        let locked = arena.slot(Self::LEN).map(|slot| Self::copy_in(slot, &value));
        value.zeroize();
        locked
    }

    const LEN: usize = if size_of::<T>() == 0 { 1 } else { size_of::<T>() };

    /// `slot` has [`Self::LEN`] bytes.
    fn copy_in(slot: Slot, value: &MaybeUninit<T>) -> Self {
        const { assert!(!needs_drop::<T>() && align_of::<T>() <= CANARY_LEN) };
        // SAFETY: the slot holds at least the size of a `T`, is aligned to 16 at least, is owned
        // by us, and cannot overlap a value outside the arena or in another slot.
        unsafe { slot.as_ptr().cast::<MaybeUninit<T>>().copy_from_nonoverlapping(value.into(), 1) };
        Self { slot, value: PhantomData }
    }
}

impl<T> Deref for Locked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: `copy_in` put a valid `T` there, from an initialised value that it took over;
        // the slot is not written again before it is dropped.
        unsafe { self.slot.as_ptr().cast::<T>().as_ref() }
    }
}

impl<T> fmt::Debug for Locked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Locked({} bytes)", size_of::<T>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::arena::Config;

    #[repr(C, align(16))]
    struct State {
        words: [u64; 9],
        rest: u8,
    }

    #[test]
    fn holds_aligns_and_wipes() {
        let arena = Arc::new(Arena::new(Config { max_bytes: 8192, ..Config::default() }));
        let value = State { words: [u64::MAX; 9], rest: 7 };
        let locked = Locked::new_in(&arena, value).unwrap();
        assert_eq!((locked.words, locked.rest), ([u64::MAX; 9], 7));
        let at = locked.slot.as_ptr();
        assert_eq!(at.as_ptr().addr() % align_of::<State>(), 0);
        drop(locked);
        // SAFETY: the arena is still there, and the slot was wiped as a whole.
        let left = unsafe { std::slice::from_raw_parts(at.as_ptr(), size_of::<State>()) };
        assert!(left.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn hmac_state_and_debug() {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &[1; 32]);
        let tag = ring::hmac::sign(&key, b"text");
        let locked = Locked::new(key).unwrap();
        assert_eq!(ring::hmac::sign(&locked, b"text").as_ref(), tag.as_ref());
        assert!(format!("{locked:?}").starts_with("Locked("));
        assert_eq!(*Locked::new(()).unwrap(), ());
    }

    #[test]
    fn shared_between_threads_like_its_value() {
        fn both<T: Send + Sync>() {}
        both::<Locked<ring::hmac::Key>>();
        both::<crate::secret::Secret>();
    }
}
