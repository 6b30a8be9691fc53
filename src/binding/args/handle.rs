//! Objects of the core behind objects of the façade.
//!
//! `attach` wraps an `Arc` in an instance of a façade class and tags the instance (Node-API type
//! tags). A method gets its own clone of the `Arc`, so the core's object lives until its JavaScript
//! instance, its running jobs and its bound functions are all gone, or the environment has ended
//! (`held`). The tag lets a method refuse an object of another class, or of the same class in
//! another copy of this module, instead of misreading it. Each instance, and so each environment,
//! has its own `Arc`; threads may share the object that it points to.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use napi::sys;

use super::arg::{Arg, Type};
use super::fault::{Fault, Result};
use super::held;
use crate::error::Code;

/// An object of the core that an instance of a façade class stands for.
pub(crate) trait Handle: Send + Sync + 'static {
    /// The class's UUID, a number that no other class has.
    const TAG: u128;
    /// The class's name, for errors.
    const CLASS: &'static str;

    /// The external memory of an object, in bytes, as reported to the garbage collector: always the
    /// same for one object. Without this report, a loop that makes and drops large objects would
    /// never trigger a collection.
    fn external_len(&self) -> u32 {
        0
    }
}

impl Arg<'_> {
    /// Attaches `value` to this object, which must be a fresh instance of the façade's class.
    pub(crate) fn attach<T: Handle>(&self, value: Arc<T>) -> Result<()> {
        let tag = tag::<T>();
        let external_len = i64::from(value.external_len());
        let pointer = held::hold(self.env, value);
        // SAFETY: `env` and `value` are those of the current call. The pointer holds a strong
        // count, which belongs to the wrap from here on.
        let status = unsafe {
            let status = sys::napi_wrap(
                self.env,
                self.value,
                pointer,
                Some(finalize::<T>),
                ptr::null_mut(),
                ptr::null_mut(),
            );
            if status != sys::Status::napi_ok {
                drop(held::take::<T>(pointer));
                return Err(self.wrong_type("a new object"));
            }
            account(self.env, external_len);
            sys::napi_type_tag_object(self.env, self.value, &raw const tag)
        };
        self.check(status)
    }

    /// The object that this instance stands for.
    pub(crate) fn handle<T: Handle>(&self) -> Result<Arc<T>> {
        self.handle_if::<T>()?.ok_or_else(|| self.wrong_class::<T>())
    }

    /// The object that this instance stands for, if it is of this class.
    pub(crate) fn handle_if<T: Handle>(&self) -> Result<Option<Arc<T>>> {
        let Some(held) = self.held::<T>()? else {
            return Ok(None);
        };
        // SAFETY: the value is that of this object, which JavaScript of this thread has passed.
        unsafe { counted(held) }.ok_or_else(ended::<T>).map(Some)
    }

    /// The object that this instance stands for, or `None` after the end of its environment. For
    /// functions that the façade calls when this module wakes it, which Deno lets happen then, too.
    pub(crate) fn handle_unless_ended<T: Handle>(&self) -> Result<Option<Arc<T>>> {
        let held = self.held::<T>()?.ok_or_else(|| self.wrong_class::<T>())?;
        // SAFETY: as in `handle_if`.
        Ok(unsafe { counted(held) })
    }

    fn wrong_class<T: Handle>(&self) -> Fault {
        let class = T::CLASS;
        if self.name == "this" {
            Fault::new(Code::InvalidThis, format!("this method must be called on a {class}"))
        } else {
            self.wrong_type(&format!("a {class}"))
        }
    }

    /// The value of `hold::<T>` that this instance was attached with, if it is of this class.
    fn held<T: Handle>(&self) -> Result<Option<*mut c_void>> {
        if !self.is_type(Type::Object)? {
            return Ok(None);
        }
        let tag = tag::<T>();
        let mut is_tagged = false;
        let mut held = ptr::null_mut();
        // SAFETY: `env` and `value` are those of the current call.
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
            self.check(sys::napi_unwrap(self.env, self.value, &raw mut held))?;
        }
        Ok(Some(held))
    }
}

/// A strong count of the object that a value stands for, unless the environment has ended.
///
/// # Safety
///
/// The value is from an object of this thread that is in use: it was attached by `attach::<T>` with
/// a value from `hold::<T>`, whose strong count lives as long as the object and its environment.
unsafe fn counted<T: Handle>(held: *mut c_void) -> Option<Arc<T>> {
    // SAFETY: as this function demands.
    unsafe {
        let pointer = held::find::<T>(held)?;
        Arc::increment_strong_count(pointer);
        Some(Arc::from_raw(pointer))
    }
}

/// The class's tag in this copy of the module. A process may load several copies, whose versions
/// and so whose memory layouts may differ; the address of a static variable tells them apart.
#[expect(clippy::cast_possible_truncation, reason = "the two halves")]
fn tag<T: Handle>() -> sys::napi_type_tag {
    static COPY: u8 = 0;
    let copy = (&raw const COPY).addr() as u64;
    sys::napi_type_tag { lower: T::TAG as u64 ^ copy, upper: (T::TAG >> 64) as u64 }
}

/// The error for an object that is used after its environment has ended.
pub(crate) fn ended<T: Handle>() -> Fault {
    let class = T::CLASS;
    Fault::new(Code::InvalidThis, format!("the {class} was used after its environment had ended"))
}

/// Tells the garbage collector how much external memory was added or freed.
///
/// # Safety
///
/// `env` must be that of the running call or finalizer.
unsafe fn account(env: sys::napi_env, change: i64) {
    let mut total = 0;
    if change != 0 {
        // SAFETY: as this function demands. A failure means that the environment is shutting down.
        unsafe { sys::napi_adjust_external_memory(env, change, &raw mut total) };
    }
}

/// Releases the core's object when its façade object is collected.
///
/// # Safety
///
/// Called by Node-API only, with a pointer from `hold::<T>`.
unsafe extern "C" fn finalize<T: Handle>(
    env: sys::napi_env,
    pointer: *mut c_void,
    _hint: *mut c_void,
) {
    // SAFETY: as this function demands.
    unsafe {
        if let Some(value) = held::take::<T>(pointer) {
            account(env, -i64::from(value.external_len()));
            held::let_go(value);
        }
    }
}
