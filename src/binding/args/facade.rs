//! Stores and calls the functions that the façade registers for its environment, as one object.

use std::ptr;

use napi::bindgen_prelude::{JsValue, Object};
use napi::{Env, Status, sys};

use super::held;

/// The instance data of an environment.
struct Environment {
    /// Deno gives the finalizer none.
    env: sys::napi_env,
    functions: sys::napi_ref,
}

/// Registers the functions of an environment. `keeps_objects` says that the runtime finalizes no
/// objects when an environment ends.
pub(crate) fn register(env: &Env, functions: &Object<'_>, keeps_objects: bool) -> napi::Result<()> {
    if keeps_objects {
        held::list();
    }
    let (mut reference, mut data) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: both values are those of the current call. The instance data is a boxed
    // `Environment`, whose reference is deleted when another one takes its place, or by `end`.
    let status = unsafe {
        let status = sys::napi_create_reference(env.raw(), functions.raw(), 1, &raw mut reference);
        if status != sys::Status::napi_ok {
            status
        } else if sys::napi_get_instance_data(env.raw(), &raw mut data) == sys::Status::napi_ok
            && !data.is_null()
        {
            // The façade was loaded again over the same native part, and replaces the old one.
            let environment = data.cast::<Environment>();
            let previous = ptr::replace(&raw mut (*environment).functions, reference);
            sys::napi_delete_reference(env.raw(), previous)
        } else {
            let environment = Environment { env: env.raw(), functions: reference };
            let data = Box::into_raw(Box::new(environment));
            sys::napi_set_instance_data(env.raw(), data.cast(), Some(end), ptr::null_mut())
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
    // instance data is the box that `register` stored, or null; the name is valid for its length.
    unsafe {
        ok(sys::napi_get_instance_data(env, &raw mut data))?;
        if data.is_null() {
            return Err(sys::Status::napi_generic_failure);
        }
        let reference = (*data.cast::<Environment>()).functions;
        ok(sys::napi_get_reference_value(env, reference, &raw mut functions))?;
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

/// Calls the façade's function `notice` with a name.
pub(crate) fn notify(env: &Env, name: &str) -> napi::Result<()> {
    let name = env.create_string(name)?;
    // SAFETY: `env` is that of the running call, in which the string was made.
    let called = unsafe { call(env.raw(), "notice", &[name.raw()]) };
    let failed = |status| napi::Error::new(Status::from(status), "the notice was not given");
    called.map(drop).map_err(failed)
}

/// Ends an environment: gives back all that its objects hold, in runtimes that run no finalizers
/// for them.
///
/// # Safety
///
/// Called by Node-API only, once, with the box that `register` stored.
unsafe extern "C" fn end(
    env: sys::napi_env,
    data: *mut std::ffi::c_void,
    _hint: *mut std::ffi::c_void,
) {
    // SAFETY: as this function demands. The reference belongs to this environment.
    let environment = unsafe {
        let environment = Box::from_raw(data.cast::<Environment>());
        sys::napi_delete_reference(env, environment.functions);
        environment
    };
    held::give_back_all(environment.env);
}
