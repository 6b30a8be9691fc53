//! Promises of what the worker pool computes.

use std::sync::Arc;

use napi::bindgen_prelude::{Object, ToNapiValue, Unknown};
use napi::{Env, JsDeferred};
use napi_derive::napi;

use crate::binding::args::Arg;
use crate::binding::args::handle::Handle;
use crate::binding::guard;
use crate::password::Cancel;
use crate::password::pool::{self, Delivery, Ticket};

/// The object by which the façade calls a job off.
impl Handle for Ticket {
    const TAG: u128 = 0x3c1e_9a52_64d7_4f0b_9b1d_7f52_c0a8_4e36;
    const CLASS: &'static str = "job";
}

type Settle<J> = Box<dyn FnOnce(Env) -> napi::Result<J> + Send>;

/// Runs `work`, which takes so many bytes of Argon2 memory, on the worker pool, and settles the
/// promise that is returned, with `convert` on the JavaScript thread. When the environment is gone
/// by then, the result is dropped. An object that is given as `job` can call it off.
pub fn hashing<'env, T, J>(
    env: &'env Env,
    job: Unknown<'_>,
    bytes: u64,
    work: impl FnOnce(&mut Delivery<T>, &Cancel) + Send + 'static,
    convert: impl FnOnce(Env, T) -> napi::Result<J> + Send + 'static,
) -> napi::Result<Object<'env>>
where
    T: Send + 'static,
    J: ToNapiValue + 'static,
{
    let ticket = Arc::new(Ticket::new());
    guard(env, || match Arg::new(env, &job, "job").present()? {
        Some(job) => job.attach(ticket.clone()),
        None => Ok(()),
    })?;
    let (deferred, promise): (JsDeferred<J, Settle<J>>, _) = env.create_deferred()?;
    pool::submit(&ticket, bytes, work, move |result| {
        deferred.resolve(Box::new(move |env| {
            let result = guard(&env, || Ok(result?))?;
            convert(env, result)
        }));
    });
    Ok(promise)
}

/// Calls the job of an object off: out of the queue, or at the next slice.
#[napi(catch_unwind)]
pub fn password_cancel(env: &Env, job: Unknown<'_>) -> napi::Result<()> {
    guard(env, || {
        pool::cancel(&*Arg::new(env, &job, "job").handle::<Ticket>()?);
        Ok(())
    })
}
