//! The strong counts that objects of JavaScript hold, by thread.
//!
//! A finalizer of Node-API gives a count back when its object is collected, and Node also runs all
//! finalizers when an environment ends. Deno does not, and the secrets of a worker that has ended
//! would stay to the end of the process. It does run the finalizer of the instance data, which
//! gives back all that is left ([`give_back_all`]). Counts are listed in Deno only, as that takes
//! time.

use std::cell::RefCell;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hashbrown::HashTable;
use hashbrown::hash_table::OccupiedEntry;
use napi::sys;

/// One strong count of an `Arc`, which an object of this environment holds.
struct Held {
    env: sys::napi_env,
    /// From `Arc::into_raw`.
    pointer: *mut c_void,
    /// Gives the count back.
    ///
    /// # Safety
    ///
    /// Called once, with the pointer.
    give_back: unsafe fn(*mut c_void),
}

/// Whether this process lists its counts.
static IS_LISTING: AtomicBool = AtomicBool::new(false);

thread_local! {
    static HELD: RefCell<HashTable<Held>> = const { RefCell::new(HashTable::new()) };
}

/// Lists the counts from now on. Called before there is one.
pub(super) fn list() {
    IS_LISTING.store(true, Ordering::Relaxed);
}

/// A pointer for an object of JavaScript. It holds a strong count until [`take`] or the end of the
/// environment.
pub(crate) fn hold<T: 'static>(env: sys::napi_env, value: Arc<T>) -> *mut c_void {
    let pointer = Arc::into_raw(value).cast_mut().cast();
    if IS_LISTING.load(Ordering::Relaxed) {
        let held = Held { env, pointer, give_back: give_back::<T> };
        HELD.with_borrow_mut(|all| {
            all.insert_unique(hash(pointer), held, |held| hash(held.pointer));
        });
    }
    pointer
}

/// The strong count that a pointer of [`hold`] stands for; `None` if it has been given back.
///
/// # Safety
///
/// The pointer is from `hold::<T>`, for the same environment. It is taken once.
pub(crate) unsafe fn take<T: 'static>(env: sys::napi_env, pointer: *mut c_void) -> Option<Arc<T>> {
    if IS_LISTING.load(Ordering::Relaxed) && !strike_off(env, pointer) {
        return None;
    }
    // SAFETY: the pointer is from `Arc::<T>::into_raw`. If counts are listed, this one was, so
    // `give_back_all` has not given it back.
    Some(unsafe { Arc::from_raw(pointer.cast::<T>().cast_const()) })
}

/// Removes a count from the list. Returns whether it was there.
fn strike_off(env: sys::napi_env, pointer: *mut c_void) -> bool {
    let is_it = |held: &Held| held.pointer == pointer && held.env == env;
    let struck = HELD.try_with(|all| {
        all.borrow_mut().find_entry(hash(pointer), is_it).map(OccupiedEntry::remove).is_ok()
    });
    struck.unwrap_or(false)
}

/// Gives back what the objects of an environment, which has ended, still hold.
pub(super) fn give_back_all(env: sys::napi_env) {
    let left = HELD
        .try_with(|all| all.borrow_mut().extract_if(|held| held.env == env).collect::<Vec<_>>());
    for Held { pointer, give_back, .. } in left.into_iter().flatten() {
        // SAFETY: the pointer belongs to the function, and the entry, which stood for the count, is
        // gone.
        unsafe { give_back(pointer) };
    }
}

/// Drops a value. A panic of its destructor must not cross into C.
pub(crate) fn let_go<T>(value: T) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        std::mem::forget(panic);
    }
}

/// # Safety
///
/// Called once, with a pointer from `Arc::<T>::into_raw`.
unsafe fn give_back<T: 'static>(pointer: *mut c_void) {
    // SAFETY: as this function demands.
    let_go(unsafe { Arc::from_raw(pointer.cast::<T>().cast_const()) });
}

/// Addresses differ in their middle bits; the table uses the highest and the lowest.
fn hash(pointer: *mut c_void) -> u64 {
    (pointer.addr() as u64 >> 4).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
