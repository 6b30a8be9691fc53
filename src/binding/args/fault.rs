//! Turns an error into an instance of the façade's error classes, which the façade's `makeError`
//! makes.

use std::ptr;

use napi::bindgen_prelude::{FromNapiValue, Unknown};
use napi::{Env, Status, sys};

use super::facade;
use crate::error::{Code, Error};

/// The result of reading arguments and of the work that follows.
pub(crate) type Result<T> = std::result::Result<T, Fault>;

/// Why a call failed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// An error of this package, with a code.
    Coded(Error),
    /// An exception that JavaScript threw while its objects were read. It reaches the caller
    /// unchanged.
    Pending,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Coded(error)
    }
}

impl Fault {
    /// A coded error.
    pub(crate) fn new(code: Code, message: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self::Coded(Error::new(code, message))
    }

    /// The error for napi-rs to throw, or to reject a promise with.
    pub(crate) fn into_js(self, env: &Env) -> napi::Error {
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
    pub(crate) fn throw(self, env: sys::napi_env) {
        let Self::Coded(error) = self else { return };
        if let Some(value) = make(env, &error) {
            // SAFETY: `env` is that of the callback which is running, and `value` was made in it.
            // If the throw fails, the environment is shutting down and no caller is left.
            unsafe { sys::napi_throw(env, value) };
        }
    }
}

/// The error of a defect in this package.
pub(crate) fn internal() -> Error {
    Error::new(
        Code::Internal,
        "an internal error in @nodesec/native; please report the call that caused it",
    )
}

/// Calls `makeError(code, message, retryAfterMs)`; `None` if the environment can no longer do that.
fn make(env: sys::napi_env, error: &Error) -> Option<sys::napi_value> {
    let mut undefined = ptr::null_mut();
    // SAFETY: `env` is that of the running call; the strings outlive the calls that copy them.
    unsafe {
        if sys::napi_get_undefined(env, &raw mut undefined) != sys::Status::napi_ok {
            return None;
        }
        let retry_after = match error.retry_after_ms {
            Some(millis) => number(env, millis)?,
            None => undefined,
        };
        let arguments = [text(env, error.code.as_str())?, text(env, &error.message)?, retry_after];
        facade::call(env, "makeError", &arguments).ok()
    }
}

/// # Safety
///
/// `env` must be that of the running call.
unsafe fn text(env: sys::napi_env, text: &str) -> Option<sys::napi_value> {
    let mut value = ptr::null_mut();
    // SAFETY: the text is valid for its length; the caller upholds the requirement on `env`.
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
    // SAFETY: the caller upholds the requirement on `env`; the value is written only when the
    // status is ok.
    let status = unsafe { sys::napi_create_double(env, number as f64, &raw mut value) };
    (status == sys::Status::napi_ok).then_some(value)
}
