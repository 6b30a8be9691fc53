//! Who may use the scratch memory: one thread at a time, for the time of a call.
//!
//! A thread that has the turn may take it again, deeper in the same call; the others wait. What it
//! took from the scratch memory is given back before its outermost call ends. No thread comes to
//! wait while it holds anything that the one whose turn it is could want.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Whose turn it is, in the process.
static TURN: Mutex<()> = Mutex::new(());

thread_local! {
    static CALL: Call = const {
        Call { depth: Cell::new(0), storing: Cell::new(0), held: RefCell::new(None) }
    };
}

/// What this thread is doing.
struct Call {
    /// Calls that may have the turn, one within the other.
    depth: Cell<u32>,
    /// How many of them make a secret.
    storing: Cell<u32>,
    held: RefCell<Option<MutexGuard<'static, ()>>>,
}

/// The proof that this thread has the turn. It ends with the outermost call, not with the value.
pub struct ScratchLock {
    /// It is this thread's.
    not_send: PhantomData<*const ()>,
}

/// A call that makes a secret: what it takes for the time of the call, the secret included, may lie
/// in the scratch memory when there is no other room.
pub fn storing<T>(call: impl FnOnce() -> T) -> T {
    let _entered = Entered::new(true);
    call()
}

/// A call that uses a secret which lies in the scratch memory meanwhile.
pub fn with_scratch_lock<T>(call: impl FnOnce(&ScratchLock) -> T) -> T {
    let _entered = Entered::new(false);
    call(&take())
}

/// The turn, if this is a call that makes a secret.
pub fn lock_if_storing() -> Option<ScratchLock> {
    CALL.with(|state| state.storing.get() > 0).then(take)
}

fn take() -> ScratchLock {
    CALL.with(|state| {
        state
            .held
            .borrow_mut()
            .get_or_insert_with(|| TURN.lock().unwrap_or_else(PoisonError::into_inner));
    });
    ScratchLock { not_send: PhantomData }
}

/// Being in such a call; ended by dropping, whichever way the call ends.
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
        // The next one is not kept from it.
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
