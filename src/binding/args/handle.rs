//! Objects of the core behind objects of the façade.
//!
//! `attach` wraps an `Arc` in an instance of a façade class and tags it (Node-API type tags); a
//! method gets its own clone of the `Arc`. So the core's object lives until the last of its
//! JavaScript instance, running jobs and bound functions is gone, and an object that is not of
//! the class, or of another copy of this module's class, is refused rather than misread. The
//! `Arc` is per instance and so per environment; what it points to may be shared between threads.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use napi::sys;

use super::arg::{Arg, Type};
use super::fault::{Fault, Result};
use crate::error::Code;

/// What a façade class stands for.
pub(crate) trait Handle: Send + Sync + 'static {
    /// A number of its own: the class's UUID.
    const TAG: u128;
    /// The class's name, for errors.
    const CLASS: &'static str;

    /// The memory that goes with an object, in bytes, as the collector is told: always the same
    /// for one object. Without it a loop that makes and drops large objects never collects any.
    fn external_len(&self) -> u32 {
        0
    }
}

impl Arg<'_> {
    /// Makes this object, a fresh instance of the façade's class, stand for `value`.
    pub(crate) fn attach<T: Handle>(&self, value: Arc<T>) -> Result<()> {
        let tag = tag::<T>();
        let pointer = Arc::into_raw(value);
        // SAFETY: `env` and `value` are those of the current call. The pointer is a strong count
        // that belongs to the wrap from here on: `release` gives it back exactly once.
        let status = unsafe {
            let status = sys::napi_wrap(
                self.env,
                self.value,
                pointer.cast_mut().cast(),
                Some(finalize::<T>),
                ptr::null_mut(),
                ptr::null_mut(),
            );
            if status != sys::Status::napi_ok {
                drop(Arc::from_raw(pointer));
                return Err(self.wrong_type("a new object"));
            }
            account(self.env, i64::from((*pointer).external_len()));
            sys::napi_type_tag_object(self.env, self.value, &raw const tag)
        };
        self.check(status)
    }

    /// The object that this instance stands for.
    pub(crate) fn handle<T: Handle>(&self) -> Result<Arc<T>> {
        self.handle_if::<T>()?.ok_or_else(|| {
            let class = T::CLASS;
            if self.name == "this" {
                Fault::new(Code::InvalidThis, format!("this method belongs to a {class}"))
            } else {
                self.wrong_type(&format!("a {class}"))
            }
        })
    }

    /// The object that this instance stands for, if it is of this class.
    pub(crate) fn handle_if<T: Handle>(&self) -> Result<Option<Arc<T>>> {
        if !self.is_type(Type::Object)? {
            return Ok(None);
        }
        let tag = tag::<T>();
        let mut is_tagged = false;
        let mut pointer = ptr::null_mut();
        // SAFETY: `env` and `value` are those of the current call. An object with this tag was
        // tagged by `attach::<T>`, after it had been wrapped with a pointer from
        // `Arc::<T>::into_raw` whose strong count lives as long as the object.
        unsafe {
            self.check(sys::napi_check_object_type_tag(
                self.env,
                self.value,
                &raw const tag,
                &raw mut is_tagged,
            ))?;
            if !is_tagged {
                return Ok(None);
            }
            self.check(sys::napi_unwrap(self.env, self.value, &raw mut pointer))?;
            let pointer = pointer.cast::<T>().cast_const();
            Arc::increment_strong_count(pointer);
            Ok(Some(Arc::from_raw(pointer)))
        }
    }
}

/// The class's tag in this copy of the module. A process may load several, of other versions and
/// so of other layouts; where each lies in memory tells them apart.
#[expect(clippy::cast_possible_truncation, reason = "the two halves")]
fn tag<T: Handle>() -> sys::napi_type_tag {
    static COPY: u8 = 0;
    let copy = (&raw const COPY).addr() as u64;
    sys::napi_type_tag { lower: T::TAG as u64 ^ copy, upper: (T::TAG >> 64) as u64 }
}

/// Tells the collector how much memory has come or gone.
///
/// # Safety
///
/// `env` must be that of the running call or finalizer.
unsafe fn account(env: sys::napi_env, change: i64) {
    let mut total = 0;
    if change != 0 {
        // SAFETY: as this function demands. A failure means that the environment is going away.
        unsafe { sys::napi_adjust_external_memory(env, change, &raw mut total) };
    }
}

/// Ends an object that `attach::<T>` made.
///
/// # Safety
///
/// As for [`release`].
unsafe extern "C" fn finalize<T: Handle>(
    env: sys::napi_env,
    pointer: *mut c_void,
    hint: *mut c_void,
) {
    // SAFETY: as this function demands; the count that is given back keeps the object until then.
    unsafe {
        account(env, -i64::from((*pointer.cast::<T>()).external_len()));
        release::<T>(env, pointer, hint);
    }
}

/// Gives back a strong count of an `Arc<T>`.
///
/// # Safety
///
/// Called by Node-API only, once, with a pointer from `Arc::<T>::into_raw`.
pub(crate) unsafe extern "C" fn release<T: Handle>(
    _env: sys::napi_env,
    pointer: *mut c_void,
    _hint: *mut c_void,
) {
    // SAFETY: as this function demands. A panic of a destructor must not cross into C.
    let released = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| unsafe {
        drop(Arc::from_raw(pointer.cast::<T>().cast_const()));
    }));
    if let Err(panic) = released {
        std::mem::forget(panic);
    }
}
