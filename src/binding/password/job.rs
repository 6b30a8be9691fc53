//! Jobs of the worker pool, and the promises of their results.

use std::sync::Arc;

use napi::bindgen_prelude::{Object, ToNapiValue, Unknown};
use napi::{Env, JsDeferred};
use napi_derive::napi;

use crate::binding::args::handle::Handle;
use crate::binding::args::{Arg, Outcome, Result, internal};
use crate::binding::guard;
use crate::password::Cancel;
use crate::password::pool::{self, Delivery, JobHandle};

/// A job with the inputs that it holds.
pub(super) trait PoolJob: Send + Sized + 'static {
    /// The result on the worker thread.
    type Output: Send + 'static;
    /// The result in JavaScript.
    type Js: ToNapiValue + 'static;

    /// The bytes of Argon2 memory that the job takes.
    fn memory_len(&self) -> u64;

    /// Does the work on a thread of the pool.
    fn run(self, delivery: &mut Delivery<Self::Output>, cancel: &Cancel);

    /// Converts the result on the JavaScript thread.
    fn convert(env: &Env, output: Self::Output) -> Result<Self::Js>;
}

/// The object by which the façade cancels a job.
impl Handle for JobHandle {
    const TAG: u128 = 0x3c1e_9a52_64d7_4f0b_9b1d_7f52_c0a8_4e36;
    const CLASS: &'static str = "job";
}

type Settle<J> = Box<dyn FnOnce(Env) -> napi::Result<Outcome<J>> + Send>;

/// The writing end of a job's promise.
type Deferred<J> = JsDeferred<Outcome<J>, Settle<J>>;

/// Submits a job to the worker pool and returns the promise of its result. If the environment has
/// ended before the job has, the result is dropped. The object `handle`, if given, can cancel the
/// job.
pub(super) fn submit<'env, J: PoolJob>(
    env: &'env Env,
    handle: &Unknown<'_>,
    job: J,
) -> Result<Object<'env>> {
    let ticket = Arc::new(JobHandle::new());
    if let Some(handle) = Arg::new(env, handle, "job").present()? {
        handle.attach(ticket.clone())?;
    }
    let (deferred, promise): (Deferred<J::Js>, _) =
        env.create_deferred().map_err(|_| internal())?;
    let bytes = job.memory_len();
    let work = move |delivery: &mut Delivery<J::Output>, cancel: &Cancel| job.run(delivery, cancel);
    pool::submit(&ticket, bytes, work, move |result| {
        deferred.resolve(Box::new(move |env| guard(&env, || J::convert(&env, result?))));
    });
    Ok(promise)
}

/// Cancels the job of a handle: a queued job leaves the queue, a running one stops at its next
/// slice.
#[napi(catch_unwind)]
pub(super) fn password_cancel(env: &Env, job: Unknown<'_>) -> napi::Result<Outcome<()>> {
    guard(env, || {
        pool::cancel(&*Arg::new(env, &job, "job").handle::<JobHandle>()?);
        Ok(())
    })
}
