//! Promises of what takes a thread of libuv's pool for a short time.
//!
//! The module's own pool is for hashes: what would come after some there waits for seconds. Node
//! lets work that has begun end before it takes an environment down.

use std::panic::{AssertUnwindSafe, catch_unwind};

use napi::bindgen_prelude::{AsyncTask, ToNapiValue, TypeName};
use napi::{Env, Task};

use super::args::Result;
use super::{guard, internal};

/// What is returned to JavaScript as a promise of `T`.
pub type Offloaded<T> = AsyncTask<Job<T>>;

/// Work, until it has been done.
pub struct Job<T>(Option<Box<dyn FnOnce() -> Result<T> + Send>>);

/// Does `work` on another thread once the result is returned to JavaScript.
pub fn offload<T>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Offloaded<T>
where
    T: ToNapiValue + TypeName + Send + 'static,
{
    AsyncTask::new(Job(Some(Box::new(work))))
}

impl<T: ToNapiValue + TypeName + Send + 'static> Task for Job<T> {
    type Output = Result<T>;
    type JsValue = T;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        let done = self.0.take().map(|work| catch_unwind(AssertUnwindSafe(work)));
        Ok(done.and_then(std::result::Result::ok).unwrap_or_else(|| Err(internal().into())))
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<T> {
        guard(&env, || output)
    }
}
