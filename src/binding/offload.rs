//! Runs short work on libuv's thread pool and returns promises of the results. Work on files, DNS
//! and others waits behind it there.
//!
//! On the hash pool short work could queue for seconds. Node waits for running libuv jobs before it
//! tears down an environment.

use std::panic::{AssertUnwindSafe, catch_unwind};

use napi::bindgen_prelude::{AsyncTask, ToNapiValue, TypeName};
use napi::{Env, Task};

use super::args::{Outcome, Result, internal};
use super::guard;

/// A value that napi-rs returns to JavaScript as a promise of `J`. The work returns `T`, which is
/// then converted to `J`.
pub(super) type Offloaded<T, J = T> = AsyncTask<Job<T, J>>;

/// Work, taken out when it runs, and the conversion of its result on the JavaScript thread.
pub(super) struct Job<T, J> {
    work: Option<Box<dyn FnOnce() -> Result<T> + Send>>,
    convert: fn(&Env, T) -> Result<J>,
}

/// Runs `work` on another thread once the returned value has been passed to JavaScript.
pub(super) fn offload<T>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Offloaded<T>
where
    T: ToNapiValue + TypeName + Send + 'static,
{
    offload_into(work, |_, value| Ok(value))
}

/// As [`offload`], but `convert` makes the promise's value on the JavaScript thread.
pub(super) fn offload_into<T, J>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
    convert: fn(&Env, T) -> Result<J>,
) -> Offloaded<T, J>
where
    T: Send + 'static,
    J: ToNapiValue + TypeName + 'static,
{
    AsyncTask::new(Job { work: Some(Box::new(work)), convert })
}

impl<T: Send + 'static, J: ToNapiValue + TypeName + 'static> Task for Job<T, J> {
    type Output = Result<T>;
    type JsValue = Outcome<J>;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        let done = self.work.take().map(|work| catch_unwind(AssertUnwindSafe(work)));
        Ok(done.and_then(std::result::Result::ok).unwrap_or_else(|| Err(internal().into())))
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<Outcome<J>> {
        guard(&env, || (self.convert)(&env, output?))
    }
}
