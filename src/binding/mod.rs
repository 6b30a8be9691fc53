//! The N-API layer: the only place that knows Node.
//!
//! A function here converts its arguments (`args`), calls the core and hands back the result. It
//! runs inside [`guard`], which turns errors and panics into an [`Outcome`] with a code.
//!
//! A class of the façade is a plain JavaScript class whose instances carry an `Arc` of the core's
//! object (`args::handle`); a method passes its instance to the functions here. Calls that happen
//! on every request are bound once and bypass napi-rs (`fast`).

// These are not `expect`s at the functions: `#[napi]` copies those to the code that it generates,
// where the lint does not fire.
#![allow(clippy::cast_precision_loss, reason = "counts and times, which JavaScript holds as f64")]
#![allow(clippy::trivially_copy_pass_by_ref, reason = "napi-rs hands over `&Env`")]
#![cfg_attr(test, allow(dead_code, reason = "napi-rs registers exports in the addon only"))]

#[allow(unsafe_code, reason = "reads raw N-API values; see the module")]
mod args;
mod audit;
mod clock;
mod dpop;
#[allow(unsafe_code, reason = "raw N-API callbacks for the calls of every request")]
mod fast;
#[cfg(feature = "count-guards")]
mod guard_count;
mod id;
mod ip_key;
mod issuer;
mod jws;
mod key;
mod key_ring;
mod key_set;
mod limiter;
mod offload;
mod option_names;
mod outbox;
mod password;
mod path;
mod rejection;
mod revocation;
mod secret;
mod server_prefix;
mod session;
mod spiffe;
mod store;
mod token_form;
mod unverified;
mod verifier;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};

use napi::Env;
use napi::bindgen_prelude::{FnArgs, Function, JsObjectValue, Object, Unknown};
use napi_derive::napi;

use args::Outcome;

use crate::clock::{Clock, SystemClock};
use crate::heap;
use crate::notice::NOTICES;
use crate::os::{Native, Platform};

static CLOCK: LazyLock<Arc<dyn Clock>> = LazyLock::new(|| Arc::new(SystemClock));

/// Runs whenever an environment loads the addon.
#[napi(module_exports)]
pub fn load(_exports: Object<'_>) -> napi::Result<()> {
    Native::stay_loaded();
    Ok(())
}

/// The version of the native part; the façade compares it with its own.
#[napi(catch_unwind)]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Registers the functions of the façade that the native part calls in this environment:
/// `inProduction()` and `notice(name)`. `keeps_objects` says that the runtime finalizes no objects
/// when an environment ends.
#[napi(catch_unwind)]
pub fn set_facade(env: &Env, functions: Object<'_>, keeps_objects: bool) -> napi::Result<()> {
    args::facade::register(env, &functions, keeps_objects)
}

/// Runs a binding's body: its errors and its panics become JavaScript errors with a code. After a
/// success, emits the warnings and the notices that are pending.
fn guard<T>(env: &Env, body: impl FnOnce() -> args::Result<T>) -> napi::Result<Outcome<T>> {
    let value = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(value)) => value,
        Ok(Err(fault)) => return fault.outcome(),
        Err(_) => return Ok(Outcome::Failed(args::internal())),
    };
    if let Some(text) = heap::take_warning() {
        // The call succeeds even if the warning cannot be emitted.
        let _ = warn(env, &text, "NODESEC_SECRET_DEGRADED");
    }
    if let Some(text) = crate::password::take_warning() {
        let _ = warn(env, text, "NODESEC_ARGON2_ENGINE");
    }
    while let Some(notice) = NOTICES.take() {
        let _ = args::facade::notify(env, notice.name());
    }
    Ok(Outcome::Returned(value))
}

/// `process.emitWarning(text, 'SecurityWarning', code)`.
fn warn(env: &Env, text: &str, code: &str) -> napi::Result<()> {
    let process: Object<'_> = env.get_global()?.get_named_property("process")?;
    let emit: Function<'_, FnArgs<(&str, &str, &str)>, Unknown<'_>> =
        process.get_named_property("emitWarning")?;
    emit.apply(process, (text, "SecurityWarning", code).into())?;
    Ok(())
}
