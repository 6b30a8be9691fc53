//! The changes of key rings, for listeners and for the audit trail.
//!
//! A thread has one watcher for all its rings. It holds the changes until the façade takes them:
//! right after its own calls, within which they happen, or when the watcher calls it because a ring
//! has rotated on its own or another thread has changed it. A ring that two objects of a thread
//! share is watched once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use napi::Env;
use napi::bindgen_prelude::{Function, Unknown};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;

use super::NativeKeyChange;
use super::reading::this;
use crate::binding::args::handle::Handle;
use crate::binding::args::{Arg, Outcome, internal};
use crate::binding::guard;
use crate::jwt::KeyChange;

/// The most changes that wait; the oldest are dropped. A thread that never runs its event loop
/// takes none.
const MAX_WAITING: usize = 10_000;

/// Collects the changes of a thread's rings.
struct KeyWatcher {
    waiting: Mutex<VecDeque<KeyChange>>,
    wake: ThreadsafeFunction<(), (), (), napi::Status, false, true>,
}

impl Handle for KeyWatcher {
    const TAG: u128 = 0x91c4_3e7a_52d8_4b06_b1f3_6a8e_24d7_905c;
    const CLASS: &'static str = "KeyWatcher";
}

impl KeyWatcher {
    /// Holds the changes and calls the façade. `false` if its thread has ended.
    fn add(&self, changes: &[KeyChange]) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.extend(changes.iter().cloned());
        let excess = waiting.len().saturating_sub(MAX_WAITING);
        waiting.drain(..excess);
        drop(waiting);
        self.wake.call((), ThreadsafeFunctionCallMode::NonBlocking) == napi::Status::Ok
    }
}

/// Attaches a watcher to the façade object `watcher`. It calls `wake`, on this thread and without
/// keeping its event loop alive, when there are changes to take.
#[napi(catch_unwind)]
pub(crate) fn key_watcher_attach(
    env: &Env,
    watcher: Unknown<'_>,
    wake: Function<'_, (), ()>,
) -> napi::Result<Outcome<()>> {
    guard(env, move || {
        let wake = wake.build_threadsafe_function().weak::<true>().build();
        let wake = wake.map_err(|_| internal())?;
        let core = KeyWatcher { waiting: Mutex::default(), wake };
        Arg::new(env, &watcher, "this").attach(Arc::new(core))
    })
}

/// Watches a ring from now on.
#[napi(catch_unwind)]
pub(crate) fn key_watcher_watch(
    env: &Env,
    watcher: Unknown<'_>,
    ring: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let watcher = Arg::new(env, &watcher, "this").handle::<KeyWatcher>()?;
        let ring = this(env, &ring)?;
        let number = Arc::as_ptr(&watcher).addr();
        ring.watch(number, Box::new(move |changes| watcher.add(changes)));
        Ok(())
    })
}

/// Takes the changes that wait, in their order.
#[napi(catch_unwind)]
pub(crate) fn key_watcher_take(
    env: &Env,
    watcher: Unknown<'_>,
) -> napi::Result<Outcome<Vec<NativeKeyChange>>> {
    guard(env, || {
        let Some(watcher) = Arg::new(env, &watcher, "this").handle_unless_ended::<KeyWatcher>()?
        else {
            return Ok(Vec::new());
        };
        let mut waiting = watcher.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(waiting.drain(..).map(|change| NativeKeyChange::from(&change)).collect())
    })
}

/// Calls `listener`, a function of the façade, with every change from now on. The calls happen on
/// the thread of the listener and do not keep its event loop alive. Returns the number to pass to
/// `keyringUnlisten`.
#[napi(catch_unwind)]
pub(crate) fn keyring_listen(
    env: &Env,
    ring: Unknown<'_>,
    listener: Function<'_, Vec<NativeKeyChange>, ()>,
) -> napi::Result<Outcome<f64>> {
    guard(env, move || {
        let ring = this(env, &ring)?;
        let listener = listener.build_threadsafe_function().weak::<true>().build();
        let listener = listener.map_err(|_| internal())?;
        let id = ring.listen(Box::new(move |changes| {
            let changes = changes.iter().map(NativeKeyChange::from).collect();
            listener.call(changes, ThreadsafeFunctionCallMode::NonBlocking) == napi::Status::Ok
        }));
        Ok(id as f64)
    })
}

/// Removes a listener that `keyringListen` has added.
#[napi(catch_unwind)]
pub(crate) fn keyring_unlisten(
    env: &Env,
    ring: Unknown<'_>,
    id: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let ring = this(env, &ring)?;
        ring.unlisten(Arg::new(env, &id, "id").integer(0..=u64::from(u32::MAX))?);
        Ok(())
    })
}
