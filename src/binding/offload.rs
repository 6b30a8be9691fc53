//! Runs short work on libuv's thread pool and returns promises of the results. Work on files, DNS
//! and others waits behind it there.
//!
//! On the hash pool short work could queue for seconds. Node waits for running libuv jobs before it
//! tears down an environment. Deno waits for none and then never asks for their results, which may
//! be secrets or hold a store open: they go when the environment ends, or when the work ends.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use napi::bindgen_prelude::{AsyncTask, ToNapiValue, TypeName};
use napi::{Env, Task};

use super::args::held::{self, Listed};
use super::args::{Outcome, Result, internal};
use super::guard;

/// A value that napi-rs returns to JavaScript as a promise of `J`. The work returns `T`, which is
/// then converted to `J`.
pub(super) type Offloaded<T, J = T> = AsyncTask<Job<T, J>>;

/// Runs `work` on another thread once the returned value has been passed to JavaScript.
pub(super) fn offload<T>(
    env: &Env,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Offloaded<T>
where
    T: ToNapiValue + TypeName + Send + 'static,
{
    offload_into(env, work, |_, value| Ok(value))
}

/// As [`offload`], but `convert` makes the promise's value on the JavaScript thread.
pub(super) fn offload_into<T, J>(
    env: &Env,
    work: impl FnOnce() -> Result<T> + Send + 'static,
    convert: fn(&Env, T) -> Result<J>,
) -> Offloaded<T, J>
where
    T: Send + 'static,
    J: ToNapiValue + TypeName + 'static,
{
    let slot = Arc::new(Slot(Mutex::new(State::Awaited)));
    let listed = held::list_until_end(env.raw(), || Abandon(slot.clone()));
    AsyncTask::new(Job { work: Some(Box::new(work)), convert, slot, listed })
}

/// Work, taken out when it runs, and the conversion of its result on the JavaScript thread.
pub(super) struct Job<T: 'static, J> {
    work: Option<Box<dyn FnOnce() -> Result<T> + Send>>,
    convert: fn(&Env, T) -> Result<J>,
    slot: Arc<Slot<T>>,
    listed: Option<Listed<Abandon<T>>>,
}

impl<T: Send + 'static, J: ToNapiValue + TypeName + 'static> Task for Job<T, J> {
    type Output = ();
    type JsValue = Outcome<J>;

    fn compute(&mut self) -> napi::Result<()> {
        let done = self.work.take().map(|work| catch_unwind(AssertUnwindSafe(work)));
        let result = done.and_then(std::result::Result::ok);
        self.slot.fill(result.unwrap_or_else(|| Err(internal().into())));
        Ok(())
    }

    fn resolve(&mut self, env: Env, (): ()) -> napi::Result<Outcome<J>> {
        let result = self.slot.empty();
        drop(self.listed.take().and_then(Listed::take));
        guard(&env, || (self.convert)(&env, result.unwrap_or_else(|| Err(internal().into()))?))
    }
}

/// A result between the thread of the work and that of its caller.
struct Slot<T>(Mutex<State<T>>);

enum State<T> {
    Awaited,
    Filled(Result<T>),
    /// The caller's environment has ended.
    Abandoned,
}

impl<T> Slot<T> {
    fn fill(&self, result: Result<T>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, State::Awaited) {
            *state = State::Filled(result);
        }
    }

    /// Takes the result, if there is one, and lets no other in.
    fn empty(&self) -> Option<Result<T>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match mem::replace(&mut *state, State::Abandoned) {
            State::Filled(result) => Some(result),
            State::Awaited | State::Abandoned => None,
        }
    }
}

/// Empties a slot when it is dropped.
struct Abandon<T>(Arc<Slot<T>>);

impl<T> Drop for Abandon<T> {
    fn drop(&mut self) {
        drop(self.0.empty());
    }
}
