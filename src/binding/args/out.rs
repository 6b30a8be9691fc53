//! Makes the values that calls and promises return. They are written on the JavaScript thread, so
//! that no copy is left in memory that nobody wipes.

use std::ptr;
use std::sync::Arc;

use napi::bindgen_prelude::{ToNapiValue, TypeName};
use napi::{Env, ValueType, sys};

use super::arg::{Arg, Type};
use super::fault::{Result, internal};
use super::handle::Handle;

/// A value in the scope of the current call or settlement.
pub(crate) struct LocalValue(sys::napi_value);

impl ToNapiValue for LocalValue {
    unsafe fn to_napi_value(_env: sys::napi_env, made: Self) -> napi::Result<sys::napi_value> {
        Ok(made.0)
    }
}

impl TypeName for LocalValue {
    fn type_name() -> &'static str {
        "unknown"
    }

    fn value_type() -> ValueType {
        ValueType::Unknown
    }
}

/// A `Buffer` with a copy of `bytes`.
pub(crate) fn buffer(env: &Env, bytes: &[u8]) -> Result<LocalValue> {
    make(|result| {
        // SAFETY: `env` is that of the running call; the bytes are valid for their length.
        unsafe {
            sys::napi_create_buffer_copy(
                env.raw(),
                bytes.len(),
                bytes.as_ptr().cast(),
                ptr::null_mut(),
                result,
            )
        }
    })
}

/// A string.
pub(crate) fn string(env: &Env, text: &str) -> Result<LocalValue> {
    make(|result| {
        // SAFETY: `env` is that of the running call; the text is valid for its length.
        unsafe {
            sys::napi_create_string_utf8(
                env.raw(),
                text.as_ptr().cast(),
                text.len().cast_signed(),
                result,
            )
        }
    })
}

/// A plain object that carries `value` until an instance of a façade class takes it over.
pub(crate) fn carrier<T: Handle>(env: &Env, value: Arc<T>) -> Result<LocalValue> {
    // SAFETY: `env` is that of the running call.
    let made = make(|result| unsafe { sys::napi_create_object(env.raw(), result) })?;
    Arg::of_call(env.raw(), made.0, "carrier").attach(value)?;
    Ok(made)
}

/// Returns an argument that must be a function, which the façade calls later.
pub(crate) fn function(arg: &Arg<'_>) -> Result<LocalValue> {
    if arg.is_type(Type::Function)? { Ok(same(arg)) } else { Err(arg.wrong_type("a function")) }
}

/// Returns an argument as it was read, so that the façade does not read the option again.
pub(crate) fn same(arg: &Arg<'_>) -> LocalValue {
    LocalValue(arg.value)
}

fn make(call: impl FnOnce(*mut sys::napi_value) -> sys::napi_status) -> Result<LocalValue> {
    let mut value = ptr::null_mut();
    match call(&raw mut value) {
        sys::Status::napi_ok => Ok(LocalValue(value)),
        _ => Err(internal().into()),
    }
}
