//! How an error leaves: as an instance of the façade's classes, made by a function that the façade
//! registers for its environment.

use std::ptr;

use napi::bindgen_prelude::{FromNapiValue, JsValue, Unknown};
use napi::{Env, Status, sys};

use crate::error::{Code, Error};

/// The result of reading arguments, and of everything that then happens.
pub type Result<T> = std::result::Result<T, Fault>;

/// Why a call failed.
#[derive(Debug)]
pub enum Fault {
    /// Something of ours.
    Coded(Error),
    /// Something that JavaScript threw while we read its objects: it goes back as it came.
    Pending,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Coded(error)
    }
}

impl Fault {
    /// A coded error.
    pub fn new(code: Code, message: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self::Coded(Error::new(code, message))
    }

    /// The error for napi-rs to throw, or to reject a promise with.
    pub fn into_js(self, env: &Env) -> napi::Error {
        let Self::Coded(error) = self else {
            return napi::Error::new(Status::PendingException, "");
        };
        match make(env.raw(), &error) {
            // SAFETY: `value` has just been made in the open scope of this environment.
            Some(value) => match unsafe { Unknown::from_napi_value(env.raw(), value) } {
                Ok(unknown) => napi::Error::from(unknown),
                Err(error) => error,
            },
            None => napi::Error::from_reason(error.message.into_owned()),
        }
    }

    /// Throws the error from a raw callback.
    pub fn throw(self, env: sys::napi_env) {
        let Self::Coded(error) = self else { return };
        if let Some(value) = make(env, &error) {
            // SAFETY: `env` is that of the callback which is running, `value` was made in it. A
            // failure means that the environment is going away and nobody is left to tell.
            unsafe { sys::napi_throw(env, value) };
        }
    }
}

/// Registers the error factory of an environment.
pub fn set_factory(env: &Env, factory: &Unknown<'_>) -> napi::Result<()> {
    let (mut reference, mut previous) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: both values are those of the current call. The reference is given to the instance
    // data of the same environment, whose finalizer deletes it there.
    let status = unsafe {
        let status = sys::napi_create_reference(env.raw(), factory.raw(), 1, &raw mut reference);
        if status == sys::Status::napi_ok {
            // A façade that is loaded again, over the same native part, takes the other's place.
            if sys::napi_get_instance_data(env.raw(), &raw mut previous) == sys::Status::napi_ok
                && !previous.is_null()
            {
                sys::napi_delete_reference(env.raw(), previous.cast());
            }
            sys::napi_set_instance_data(
                env.raw(),
                reference.cast(),
                Some(delete_factory),
                ptr::null_mut(),
            )
        } else {
            status
        }
    };
    if status == sys::Status::napi_ok {
        Ok(())
    } else {
        Err(napi::Error::new(Status::from(status), "the error factory was not registered"))
    }
}

/// # Safety
///
/// Called by Node-API only, with what `set_factory` registered.
unsafe extern "C" fn delete_factory(
    env: sys::napi_env,
    reference: *mut std::ffi::c_void,
    _hint: *mut std::ffi::c_void,
) {
    // SAFETY: the reference belongs to this environment and is deleted only here.
    unsafe { sys::napi_delete_reference(env, reference.cast()) };
}

/// `factory(code, message, retryAfterMs)`; `None` when that is not possible any more.
fn make(env: sys::napi_env, error: &Error) -> Option<sys::napi_value> {
    let ok = |status| (status == sys::Status::napi_ok).then_some(());
    let (mut data, mut factory, mut receiver, mut made) =
        (ptr::null_mut(), ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    // SAFETY: `env` is that of the running call. The instance data is the reference that
    // `set_factory` stored, or null; the strings outlive the calls that copy them.
    unsafe {
        ok(sys::napi_get_instance_data(env, &raw mut data))?;
        if data.is_null() {
            return None;
        }
        ok(sys::napi_get_reference_value(env, data.cast(), &raw mut factory))?;
        ok(sys::napi_get_undefined(env, &raw mut receiver))?;
        let retry_after = match error.retry_after_ms {
            Some(millis) => number(env, millis)?,
            None => receiver,
        };
        let arguments = [text(env, error.code.as_str())?, text(env, &error.message)?, retry_after];
        ok(sys::napi_call_function(
            env,
            receiver,
            factory,
            arguments.len(),
            arguments.as_ptr(),
            &raw mut made,
        ))?;
    }
    Some(made)
}

/// # Safety
///
/// `env` must be that of the running call.
unsafe fn text(env: sys::napi_env, text: &str) -> Option<sys::napi_value> {
    let mut value = ptr::null_mut();
    // SAFETY: the text is valid for its length; `env` is the caller's to uphold.
    let status = unsafe {
        sys::napi_create_string_utf8(
            env,
            text.as_ptr().cast(),
            text.len().cast_signed(),
            &raw mut value,
        )
    };
    (status == sys::Status::napi_ok).then_some(value)
}

/// # Safety
///
/// `env` must be that of the running call.
unsafe fn number(env: sys::napi_env, number: u64) -> Option<sys::napi_value> {
    let mut value = ptr::null_mut();
    // SAFETY: `env` is the caller's to uphold; the value is written only when the status is ok.
    let status = unsafe { sys::napi_create_double(env, number as f64, &raw mut value) };
    (status == sys::Status::napi_ok).then_some(value)
}
