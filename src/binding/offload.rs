//! Promises of what takes a thread of libuv's pool for a short time: files, DNS and others wait
//! there for it.
//!
//! The module's own pool is for hashes: what would come after some there waits for seconds. Node
//! lets work that has begun end before it takes an environment down.

use std::panic::{AssertUnwindSafe, catch_unwind};

use napi::bindgen_prelude::{AsyncTask, ToNapiValue, TypeName};
use napi::{Env, Task};

use super::args::Result;
use super::args::internal;
use super::guard;

/// What is returned to JavaScript as a promise of `J`, which is made of `T`.
pub(super) type Offloaded<T, J = T> = AsyncTask<Job<T, J>>;

/// Work, until it has been done, and what becomes of its result on the JavaScript thread.
pub(super) struct Job<T, J> {
    work: Option<Box<dyn FnOnce() -> Result<T> + Send>>,
    convert: fn(&Env, T) -> Result<J>,
}

/// Does `work` on another thread once the result is returned to JavaScript.
pub(super) fn offload<T>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Offloaded<T>
where
    T: ToNapiValue + TypeName + Send + 'static,
{
    offload_into(work, |_, value| Ok(value))
}

/// As [`offload`], with a value that is made on the JavaScript thread.
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
    type JsValue = J;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        let done = self.work.take().map(|work| catch_unwind(AssertUnwindSafe(work)));
        Ok(done.and_then(std::result::Result::ok).unwrap_or_else(|| Err(internal().into())))
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<J> {
        guard(&env, || (self.convert)(&env, output?))
    }
}
