//! Keys that are used too often for the secure heap.

use std::hint::black_box;
use std::ops::Deref;

use super::trace_guard::{Depth, TraceGuard};

/// A key on the ordinary heap, for a hash of every request, which has no time for a guard. It is
/// overwritten when it is dropped, and moving it copies nothing of it.
pub struct OpenKey<T: Copy + Default>(Box<T>);

impl<T: Copy + Default> OpenKey<T> {
    /// The key that `make` makes, which leaves nothing on the stack.
    pub fn make<E>(make: impl FnOnce() -> Result<T, E>) -> Result<Self, E> {
        TraceGuard::run(Depth::Cipher, |_| Ok(Self(Box::new(make()?))))
    }
}

impl<T: Copy + Default> Deref for OpenKey<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Copy + Default> Drop for OpenKey<T> {
    fn drop(&mut self) {
        *self.0 = T::default();
        // Without a reader, the compiler could leave the assignment out.
        black_box(&*self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_under_a_guard_and_what_its_maker_fails_with_is_passed_on() {
        let before = super::super::ended_guards();
        let key = OpenKey::make(|| Ok::<_, ()>([7_u64; 4])).unwrap();
        assert_eq!(*key, [7; 4]);
        assert_eq!(OpenKey::<u64>::make(|| Err("no key")).err(), Some("no key"));
        assert_eq!(super::super::ended_guards(), before + 2);
    }
}
