//! The strong counts that objects of JavaScript hold, by thread.
//!
//! A finalizer of Node-API gives a count back when its object is collected, and Node also runs all
//! finalizers when an environment ends. Deno differs in two ways, so in Deno the counts are listed.
//! If a worker is terminated, Deno runs no finalizers, and the secrets of the worker would stay to
//! the end of the process. It does run the finalizer of the instance data, which gives back all
//! that is left ([`give_back_all`]). If an environment ends otherwise, Deno runs all finalizers,
//! and goes on to run JavaScript, which still has the objects: they hold the number of an entry in
//! place of a pointer, and [`find`] returns nothing for them.

use std::cell::RefCell;
use std::ffi::c_void;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hashbrown::HashTable;
use hashbrown::hash_table::OccupiedEntry;
use napi::sys;

/// One strong count of an `Arc`, which an object of this environment holds.
struct Held {
    /// A number that no other entry of the thread has or had.
    number: usize,
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

/// The entries of a thread.
struct List {
    entries: HashTable<Held>,
    /// The number of the last entry.
    last: usize,
}

/// Whether this process lists its counts.
static IS_LISTING: AtomicBool = AtomicBool::new(false);

thread_local! {
    static HELD: RefCell<List> = const {
        RefCell::new(List { entries: HashTable::new(), last: 0 })
    };
}

/// Lists the counts from now on. Called before there is one.
pub(super) fn list() {
    IS_LISTING.store(true, Ordering::Relaxed);
}

/// A value for an object of JavaScript to keep. It stands for a strong count until [`take`] or the
/// end of the environment.
pub(crate) fn hold<T: 'static>(env: sys::napi_env, value: Arc<T>) -> *mut c_void {
    let pointer = Arc::into_raw(value).cast_mut().cast();
    if !IS_LISTING.load(Ordering::Relaxed) {
        return pointer;
    }
    HELD.with_borrow_mut(|list| {
        list.last += 1;
        let held = Held { number: list.last, env, pointer, give_back: give_back::<T> };
        list.entries.insert_unique(hash(list.last), held, |held| hash(held.number));
        ptr::without_provenance_mut(list.last)
    })
}

/// Something that the list of counts keeps.
pub(crate) struct Listed<T> {
    number: usize,
    value: PhantomData<fn() -> T>,
}

/// Keeps a value until it is taken or the environment ends, if this process lists its counts.
pub(crate) fn list_until_end<T: 'static>(
    env: sys::napi_env,
    make: impl FnOnce() -> T,
) -> Option<Listed<T>> {
    IS_LISTING.load(Ordering::Relaxed).then(|| {
        let number = hold(env, Arc::new(make())).addr();
        Listed { number, value: PhantomData }
    })
}

impl<T: 'static> Listed<T> {
    /// The value, unless the environment has ended. Called on the thread of the environment.
    pub(crate) fn take(self) -> Option<Arc<T>> {
        // SAFETY: the number is that of an entry for a `T`, and it is taken once.
        unsafe { take(ptr::without_provenance_mut(self.number)) }
    }
}

/// The object that a value of [`hold`] stands for; `None` if its count has been given back. The
/// pointer is valid until then. Only JavaScript of this thread, or the end of its environment,
/// gives the count back.
///
/// # Safety
///
/// The value is from `hold::<T>`, on this thread. If counts are not listed, it was not taken.
pub(crate) unsafe fn find<T: 'static>(value: *mut c_void) -> Option<*const T> {
    if !IS_LISTING.load(Ordering::Relaxed) {
        return Some(value.cast::<T>().cast_const());
    }
    let number = value.addr();
    HELD.try_with(|list| {
        let list = list.borrow();
        let held = list.entries.find(hash(number), |held| held.number == number)?;
        Some(held.pointer.cast::<T>().cast_const())
    })
    .ok()
    .flatten()
}

/// The strong count that a value of [`hold`] stands for; `None` if it has been given back.
///
/// # Safety
///
/// The value is from `hold::<T>`. It is taken once.
pub(crate) unsafe fn take<T: 'static>(value: *mut c_void) -> Option<Arc<T>> {
    let pointer =
        if IS_LISTING.load(Ordering::Relaxed) { strike_off(value.addr())? } else { value };
    // SAFETY: the pointer is from `Arc::<T>::into_raw`. If counts are listed, this one was, so
    // `give_back_all` has not given it back.
    Some(unsafe { Arc::from_raw(pointer.cast::<T>().cast_const()) })
}

/// Removes a count from the list. Returns its pointer, if it was there.
fn strike_off(number: usize) -> Option<*mut c_void> {
    let struck = HELD.try_with(|list| {
        let entries = &mut list.borrow_mut().entries;
        let entry = entries.find_entry(hash(number), |held| held.number == number).ok();
        entry.map(|entry| OccupiedEntry::remove(entry).0.pointer)
    });
    struck.ok().flatten()
}

/// Gives back what the objects of an environment, which has ended, still hold.
pub(super) fn give_back_all(env: sys::napi_env) {
    let left = HELD.try_with(|list| {
        let entries = &mut list.borrow_mut().entries;
        entries.extract_if(|held| held.env == env).collect::<Vec<_>>()
    });
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

/// Numbers differ in their lowest bits; the table uses the highest and the lowest.
fn hash(number: usize) -> u64 {
    (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
