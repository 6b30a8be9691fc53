//! A plain value in the secure heap, for example precomputed key state.

use std::fmt;

use super::process_heap::process_heap;
use super::trace_guard::TraceGuard;
use crate::error::Result;
use crate::heap::SlotValue;

/// A value in the secure heap of the process, wiped when dropped. [`SlotValue`] documents which
/// values are allowed and which copies are not wiped.
pub struct Locked<T>(SlotValue<T>);

impl<T> Locked<T> {
    /// Moves `value` into the heap. Fails with `ERR_SECRET_EXHAUSTED` if there is no room; `value`
    /// is wiped even then.
    // Inlined, so that the parameter and the wiped copy are the same memory if possible.
    #[inline]
    pub fn new(value: T) -> Result<Self> {
        SlotValue::new(value, |len| process_heap()?.slot(len)).map(Self)
    }

    /// As [`Locked::new`], but only for the duration of a call: within [`super::storing`] the value
    /// may lie in the scratch memory.
    #[inline]
    pub(super) fn for_this_call(value: T) -> Result<Self> {
        SlotValue::new(value, |len| Ok(process_heap()?.slot_or_scratch(len)?.0)).map(Self)
    }

    /// The value, for code that leaves no trace of it.
    pub fn expose<'a>(&'a self, _: &'a TraceGuard) -> &'a T {
        &self.0
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
    use crate::secret::Secret;
    use crate::secret::trace_guard::Depth;

    #[test]
    fn an_hmac_key_works_in_the_heap_and_prints_its_length_only() {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &[1; 32]);
        let tag = ring::hmac::sign(&key, b"text");
        let locked = Locked::new(key).unwrap();
        let sign = |trace: &TraceGuard| ring::hmac::sign(locked.expose(trace), b"text");
        assert_eq!(TraceGuard::run(Depth::Hmac, sign).as_ref(), tag.as_ref());
        assert!(format!("{locked:?}").starts_with("Locked("));
        let unit = Locked::new(()).unwrap();
        TraceGuard::run(Depth::Registers, |trace| assert_eq!(*unit.expose(trace), ()));
    }

    #[test]
    fn a_value_is_shared_between_threads_as_outside_the_heap() {
        fn both<T: Send + Sync>() {}
        both::<Locked<ring::hmac::Key>>();
        both::<Secret>();
    }
}
