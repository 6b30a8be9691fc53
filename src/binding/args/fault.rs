//! The errors of the native part, and the values as which they reach the façade.
//!
//! An error with a code is returned, not thrown: the façade (`lib/native.js`) throws an instance of
//! its own classes. If native code threw, V8 would abort a process that runs with
//! `--abort-on-uncaught-exception`, even inside of `try`, because it does not look beyond the
//! native frame for a handler.

use napi::bindgen_prelude::{JsObjectValue, JsValue, Object, ToNapiValue, TypeName, Unknown};
use napi::{Env, Property, Status, ValueType, sys};

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

    /// The result of an export that failed. An exception that is pending stays so.
    pub(crate) fn outcome<T>(self) -> napi::Result<Outcome<T>> {
        match self {
            Self::Coded(error) => Ok(Outcome::Failed(error)),
            Self::Pending => Err(napi::Error::new(Status::PendingException, "")),
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

/// The result of an export: its value, or the error that the façade throws.
pub(crate) enum Outcome<T> {
    /// The value of a call that succeeded.
    Returned(T),
    /// The error of a call that failed: an object with the code as `fault`, with `message` and
    /// perhaps with `retryAfterMs`.
    Failed(Error),
}

impl<T: ToNapiValue> ToNapiValue for Outcome<T> {
    unsafe fn to_napi_value(
        raw_env: sys::napi_env,
        outcome: Self,
    ) -> napi::Result<sys::napi_value> {
        let error = match outcome {
            // SAFETY: the caller upholds the requirement on `raw_env`.
            Self::Returned(value) => return unsafe { T::to_napi_value(raw_env, value) },
            Self::Failed(error) => error,
        };
        let env = Env::from_raw(raw_env);
        let mut object = Object::new(&env)?;
        // Defined, not set: a setter or a read-only member of `Object.prototype` would keep a set
        // member away, and the façade would return this object instead of throwing.
        let mut define = |name: &str, value: Unknown<'_>| {
            object.define_properties(&[Property::new().with_utf8_name(name)?.with_value(&value)])
        };
        define("fault", error.code.as_str().into_unknown(&env)?)?;
        define("message", error.message.as_ref().into_unknown(&env)?)?;
        if let Some(millis) = error.retry_after_ms {
            define("retryAfterMs", (millis as f64).into_unknown(&env)?)?;
        }
        Ok(object.raw())
    }
}

impl<T: TypeName> TypeName for Outcome<T> {
    fn type_name() -> &'static str {
        T::type_name()
    }

    fn value_type() -> ValueType {
        T::value_type()
    }
}
