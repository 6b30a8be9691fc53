//! The lock of the scratch memory: one thread at a time uses the memory, for the duration of a
//! call.
//!
//! A thread that holds the lock may take it again, deeper in the same call; other threads wait. A
//! thread gives its slots of the scratch memory back before its outermost call ends. No thread
//! waits for this lock while it holds another lock that the holder of this one could need.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Held by the thread that uses the scratch memory of the process.
static LOCK: Mutex<()> = Mutex::new(());

thread_local! {
    static CALL: Call = const {
        Call { depth: Cell::new(0), storing: Cell::new(0), held: RefCell::new(None) }
    };
}

/// The nested calls of this thread that may need the lock.
struct Call {
    /// The number of nested calls that may hold the lock.
    depth: Cell<u32>,
    /// How many of them create a secret.
    storing: Cell<u32>,
    held: RefCell<Option<MutexGuard<'static, ()>>>,
}

/// The proof that this thread holds the lock, until its outermost call ends.
pub(super) struct ScratchLock {
    /// The lock belongs to this thread.
    not_send: PhantomData<*const ()>,
}

/// Runs a call that creates a secret. The secret, and other slots for the duration of the call, may
/// be placed in the scratch memory if there is no other room.
pub fn storing<T>(call: impl FnOnce() -> T) -> T {
    let _entered = Entered::new(true);
    call()
}

/// Runs a call that uses a secret in the scratch memory.
pub(super) fn with_scratch_lock<T>(call: impl FnOnce(&ScratchLock) -> T) -> T {
    let _entered = Entered::new(false);
    call(&take())
}

/// Takes the lock if this is a call that creates a secret.
pub(super) fn lock_if_storing() -> Option<ScratchLock> {
    CALL.with(|state| state.storing.get() > 0).then(take)
}

fn take() -> ScratchLock {
    CALL.with(|state| {
        state
            .held
            .borrow_mut()
            .get_or_insert_with(|| LOCK.lock().unwrap_or_else(PoisonError::into_inner));
    });
    ScratchLock { not_send: PhantomData }
}

/// One of these calls, from its start until it is dropped, even by a panic.
struct Entered {
    storing: u32,
}

impl Entered {
    fn new(storing: bool) -> Self {
        let storing = u32::from(storing);
        CALL.with(|state| {
            state.depth.set(state.depth.get() + 1);
            state.storing.set(state.storing.get() + storing);
        });
        Self { storing }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        CALL.with(|state| {
            state.depth.set(state.depth.get() - 1);
            state.storing.set(state.storing.get() - self.storing);
            if state.depth.get() == 0 {
                state.held.take();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;

    use super::*;

    fn is_held() -> bool {
        CALL.with(|state| state.held.borrow().is_some())
    }

    #[test]
    fn held_from_the_first_need_to_the_end_of_the_outermost_call() {
        assert!(lock_if_storing().is_none());
        storing(|| {
            assert!(!is_held());
            with_scratch_lock(|_| assert!(is_held() && lock_if_storing().is_some()));
            assert!(is_held());
        });
        assert!(!is_held());
        with_scratch_lock(|_| assert!(lock_if_storing().is_none()));
        assert!(!is_held());
    }

    #[test]
    fn a_panic_ends_it_too() {
        assert!(catch_unwind(|| with_scratch_lock(|_| panic!("in the call"))).is_err());
        assert!(!is_held() && lock_if_storing().is_none());
        // The next thread can take the lock.
        thread::spawn(|| with_scratch_lock(|_| ())).join().unwrap();
    }

    #[test]
    fn one_thread_at_a_time() {
        static INSIDE: AtomicU32 = AtomicU32::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        with_scratch_lock(|_| {
                            assert_eq!(INSIDE.fetch_add(1, Ordering::SeqCst), 0);
                            with_scratch_lock(|_| thread::yield_now());
                            assert_eq!(INSIDE.fetch_sub(1, Ordering::SeqCst), 1);
                        });
                    }
                });
            }
        });
    }
}
