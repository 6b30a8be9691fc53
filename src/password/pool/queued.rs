//! A job in the pool: the work, and the single delivery of its result.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use crate::error::{Code, Error, Result};
use crate::password::cancel::Cancel;

/// Identifies one job, so that it can be cancelled.
#[derive(Debug)]
pub struct JobHandle {
    /// The job's number in the queue, once it has one.
    pub(super) number: OnceLock<u64>,
    pub(super) cancel: Cancel,
}

impl JobHandle {
    /// A handle for one job.
    pub fn new() -> Self {
        Self { number: OnceLock::new(), cancel: Cancel::default() }
    }
}

impl Default for JobHandle {
    fn default() -> Self {
        Self::new()
    }
}

/// Delivers the result of one job, once.
pub struct Delivery<T> {
    deliver: Option<Box<dyn FnOnce(Result<T>) + Send>>,
}

impl<T> Delivery<T> {
    /// Delivers a result. Only the first call counts; later results are dropped.
    pub fn send(&mut self, result: Result<T>) {
        if let Some(deliver) = self.deliver.take() {
            deliver(result);
        }
    }
}

/// Runs the work, or delivers the error that prevents it from running.
type Settle = dyn FnOnce(Result<&Cancel>) + Send;

/// A job with its result type erased.
pub(super) struct QueuedJob {
    cancel: Cancel,
    settle: Box<Settle>,
}

impl QueuedJob {
    pub(super) fn new<T: 'static>(
        handle: &JobHandle,
        work: impl FnOnce(&mut Delivery<T>, &Cancel) + Send + 'static,
        deliver: impl FnOnce(Result<T>) + Send + 'static,
    ) -> Self {
        let settle = move |start: Result<&Cancel>| settle(start, work, deliver);
        Self { cancel: handle.cancel.clone(), settle: Box::new(settle) }
    }

    /// Runs the job and returns whether it was cancelled.
    pub(super) fn run(self) -> bool {
        let Self { cancel, settle } = self;
        // `settle` catches panics of the work; this catches panics of `deliver`.
        forget_panic(catch_unwind(AssertUnwindSafe(|| settle(Ok(&cancel)))));
        cancel.is_cancelled()
    }

    /// Delivers an error instead of running the job.
    pub(super) fn refuse(self, error: Error) {
        forget_panic(catch_unwind(AssertUnwindSafe(|| (self.settle)(Err(error)))));
    }
}

fn settle<T>(
    start: Result<&Cancel>,
    work: impl FnOnce(&mut Delivery<T>, &Cancel),
    deliver: impl FnOnce(Result<T>) + Send + 'static,
) {
    let cancel = match start {
        Ok(cancel) => cancel,
        Err(error) => {
            // The inputs are wiped before the caller learns of the error.
            drop(work);
            return deliver(Err(error));
        }
    };
    let mut delivery = Delivery { deliver: Some(Box::new(deliver)) };
    forget_panic(catch_unwind(AssertUnwindSafe(|| work(&mut delivery, cancel))));
    delivery.send(Err(Error::new(
        Code::Internal,
        "hashing failed unexpectedly; report it to the maintainers of @nodesec/native",
    )));
}

/// Forgets the payload of a panic, because dropping it may panic too. The panic hook has already
/// reported the panic.
fn forget_panic(outcome: std::result::Result<(), Box<dyn Any + Send>>) {
    if let Err(payload) = outcome {
        std::mem::forget(payload);
    }
}
