//! Runs the calls that happen on every request: raw N-API functions, and buffers of each thread.
//!
//! A class implements [`Hot`] in its own file. `bind` makes a JavaScript function that carries an
//! `Arc` of the core's object as its data; the façade keeps the function in a private field. A call
//! then costs one string copy into a buffer of this thread, the work, and one primitive as the
//! result: no class borrow, no `String`, no exception for an ordinary answer. Node-API releases the
//! data in the function's finalizer, so the data lives as long as the function does, and a function
//! that runs is alive. Each environment binds its own functions.

use std::cell::RefCell;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;

use napi::bindgen_prelude::{FromNapiValue, ToNapiValue, Unknown};
use napi::{Env, sys};

use super::args::handle::{Handle, ended};
use super::args::held;
use super::args::internal;
use super::args::{Arg, Fault, Outcome, Result};
use crate::jwt::{MAX_TOKEN_LEN, Scratch};

/// A call on an object of the core that happens on every request.
pub(super) trait Hot: Handle {
    /// The function's name in stack traces.
    const NAME: &'static str;
    /// How many arguments are read, at most [`MAX_ARGUMENTS`].
    const ARGUMENTS: usize;

    /// Performs the call.
    fn call(&self, call: &RawCall) -> Result<sys::napi_value>;
}

const MAX_ARGUMENTS: usize = 6;

/// The environment and the arguments of a call.
pub(super) struct RawCall {
    env: sys::napi_env,
    /// The number of arguments given, which may be more than are read.
    pub count: usize,
    arguments: [sys::napi_value; MAX_ARGUMENTS],
}

/// A function that performs `T`'s call on `object`.
pub(super) fn bind<T: Hot>(env: &Env, object: Arc<T>) -> Result<Unknown<'_>> {
    let mut function = ptr::null_mut();
    let data = held::hold(env.raw(), object);
    // SAFETY: `env` is that of the current call and the name is valid for its length. The strong
    // count in `data` belongs to the function's finalizer once that is registered. If a call fails
    // before that, the count is given back here.
    unsafe {
        let created = sys::napi_create_function(
            env.raw(),
            T::NAME.as_ptr().cast(),
            T::NAME.len().cast_signed(),
            Some(run::<T>),
            data,
            &raw mut function,
        );
        let registered = created == sys::Status::napi_ok
            && sys::napi_add_finalizer(
                env.raw(),
                function,
                data,
                Some(finalize::<T>),
                ptr::null_mut(),
                ptr::null_mut(),
            ) == sys::Status::napi_ok;
        if !registered {
            drop(held::take::<T>(data));
            return Err(internal().into());
        }
        Unknown::from_napi_value(env.raw(), function).map_err(|_| internal().into())
    }
}

/// Releases the object of a function that is collected.
///
/// # Safety
///
/// Called by Node-API only, with a pointer from `hold::<T>`.
unsafe extern "C" fn finalize<T: Hot>(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: as this function demands.
    held::let_go(unsafe { held::take::<T>(data) });
}

/// # Safety
///
/// Called by Node-API only, as a function that `bind::<T>` made.
unsafe extern "C" fn run<T: Hot>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    // Filled in place: a copy of the arguments would wait for the writes of Node-API to end.
    let arguments = [ptr::null_mut(); MAX_ARGUMENTS];
    let mut call = RawCall { env, count: T::ARGUMENTS, arguments };
    let mut data = ptr::null_mut();
    // SAFETY: `arguments` has room for `count` values, which Node-API fills up with `undefined`.
    let status = unsafe {
        sys::napi_get_cb_info(
            env,
            info,
            &raw mut call.count,
            call.arguments.as_mut_ptr(),
            ptr::null_mut(),
            &raw mut data,
        )
    };
    if status != sys::Status::napi_ok {
        return ptr::null_mut();
    }
    let body = || {
        // SAFETY: `bind::<T>` stored a value from `hold::<T>`. If its strong count is found, it is
        // there until the function is collected or its environment has ended, and neither happens
        // while it runs.
        let object = unsafe { held::find::<T>(data).ok_or_else(ended::<T>)?.as_ref() };
        object.ok_or_else(internal)?.call(&call)
    };
    let error = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(value)) => return value,
        Ok(Err(Fault::Pending)) => return ptr::null_mut(),
        Ok(Err(Fault::Coded(error))) => error,
        Err(_) => internal(),
    };
    // SAFETY: `env` is that of the running callback. If this fails, the environment is shutting
    // down and no caller is left.
    unsafe { Outcome::<()>::to_napi_value(env, Outcome::Failed(error)) }.unwrap_or(ptr::null_mut())
}

/// Working space of a JavaScript thread. Nothing calls JavaScript while it is borrowed.
pub(super) struct Buffers {
    /// For [`Arg::utf8_in`].
    pub text: Box<[MaybeUninit<u8>]>,
    /// For [`Arg::ascii_in`].
    pub units: Box<[u16]>,
    /// For a verifier.
    pub scratch: Scratch,
    /// A token's payload.
    pub payload: Vec<u8>,
    /// A token.
    pub token: Vec<u8>,
}

thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::new(Buffers {
        // Room for the longest token, and enough more for `utf8_in` to notice a longer one.
        text: Box::new_uninit_slice(MAX_TOKEN_LEN + 8),
        // Room for the longest token, a NUL, and one unit more for `ascii_in` to notice a longer
        // one.
        units: vec![0; MAX_TOKEN_LEN + 2].into(),
        scratch: Scratch::default(),
        payload: Vec::new(),
        token: Vec::new(),
    });
}

/// Lends the buffers of this thread.
pub(super) fn with_buffers<T>(body: impl FnOnce(&mut Buffers) -> Result<T>) -> Result<T> {
    BUFFERS.with(|buffers| match buffers.try_borrow_mut() {
        Ok(mut buffers) => body(&mut buffers),
        Err(_) => Err(internal().into()),
    })
}

impl RawCall {
    /// An argument, with the name by which the caller knows it.
    pub(super) fn argument<'a>(&self, index: usize, name: &'a str) -> Arg<'a> {
        Arg::of_call(self.env, self.arguments[index], name)
    }

    /// A boolean.
    pub(super) fn boolean(&self, value: bool) -> Result<sys::napi_value> {
        // SAFETY: `env` is that of the running callback.
        self.value(|result| unsafe { sys::napi_get_boolean(self.env, value, result) })
    }

    /// A number.
    pub(super) fn number(&self, value: f64) -> Result<sys::napi_value> {
        // SAFETY: `env` is that of the running callback.
        self.value(|result| unsafe { sys::napi_create_double(self.env, value, result) })
    }

    /// A string from UTF-8. ASCII, such as a token, is passed as Latin-1, which is faster.
    pub(super) fn string(&self, text: &[u8]) -> Result<sys::napi_value> {
        let (start, length) = (text.as_ptr().cast(), text.len().cast_signed());
        if text.is_ascii() {
            // SAFETY: `env` is that of the running callback, the text is valid for its length.
            self.value(|result| unsafe {
                sys::napi_create_string_latin1(self.env, start, length, result)
            })
        } else {
            // SAFETY: as above.
            self.value(|result| unsafe {
                sys::napi_create_string_utf8(self.env, start, length, result)
            })
        }
    }

    #[expect(clippy::unused_self, reason = "one of the ways to make a result")]
    fn value(
        &self,
        make: impl FnOnce(*mut sys::napi_value) -> sys::napi_status,
    ) -> Result<sys::napi_value> {
        let mut value = ptr::null_mut();
        match make(&raw mut value) {
            sys::Status::napi_ok => Ok(value),
            _ => Err(internal().into()),
        }
    }
}
