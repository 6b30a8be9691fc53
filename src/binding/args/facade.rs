//! Stores and calls the functions that the façade registers for its environment, as one object.

use std::ptr;

use napi::bindgen_prelude::{JsValue, Object};
use napi::{Env, Status, sys};

/// Registers the functions of an environment.
pub(crate) fn register(env: &Env, functions: &Object<'_>) -> napi::Result<()> {
    let (mut reference, mut previous) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: both values are those of the current call. The reference is given to the instance
    // data of the same environment, whose finalizer deletes it there.
    let status = unsafe {
        let status = sys::napi_create_reference(env.raw(), functions.raw(), 1, &raw mut reference);
        if status == sys::Status::napi_ok {
            // If the façade is loaded again over the same native part, the new one replaces the old
            // one.
            if sys::napi_get_instance_data(env.raw(), &raw mut previous) == sys::Status::napi_ok
                && !previous.is_null()
            {
                sys::napi_delete_reference(env.raw(), previous.cast());
            }
            sys::napi_set_instance_data(env.raw(), reference.cast(), Some(forget), ptr::null_mut())
        } else {
            status
        }
    };
    if status == sys::Status::napi_ok {
        Ok(())
    } else {
        Err(napi::Error::new(Status::from(status), "the façade's functions were not registered"))
    }
}

/// Calls a function of the façade. The error is the Node-API status of the call that failed.
///
/// # Safety
///
/// `env` must be that of the running call, and the arguments must be values of that call.
pub(crate) unsafe fn call(
    env: sys::napi_env,
    name: &'static str,
    arguments: &[sys::napi_value],
) -> Result<sys::napi_value, sys::napi_status> {
    let ok = |status| if status == sys::Status::napi_ok { Ok(()) } else { Err(status) };
    let (mut data, mut functions, mut key) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    let (mut function, mut result) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: the caller upholds the requirements on the environment and the arguments. The
    // instance data is the reference that `register` stored, or null; the name is valid for its
    // length.
    unsafe {
        ok(sys::napi_get_instance_data(env, &raw mut data))?;
        if data.is_null() {
            return Err(sys::Status::napi_generic_failure);
        }
        ok(sys::napi_get_reference_value(env, data.cast(), &raw mut functions))?;
        ok(sys::napi_create_string_utf8(
            env,
            name.as_ptr().cast(),
            name.len().cast_signed(),
            &raw mut key,
        ))?;
        ok(sys::napi_get_property(env, functions, key, &raw mut function))?;
        ok(sys::napi_call_function(
            env,
            functions,
            function,
            arguments.len(),
            arguments.as_ptr(),
            &raw mut result,
        ))?;
    }
    Ok(result)
}

/// # Safety
///
/// Called by Node-API only, with the reference that `register` stored.
unsafe extern "C" fn forget(
    env: sys::napi_env,
    reference: *mut std::ffi::c_void,
    _hint: *mut std::ffi::c_void,
) {
    // SAFETY: the reference belongs to this environment and is deleted only here.
    unsafe { sys::napi_delete_reference(env, reference.cast()) };
}
