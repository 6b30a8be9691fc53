//! Every `SecretBuffer` of the process that is still held, whichever thread holds it, so that one
//! call can dispose of them all.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};

use napi::Env;
use napi_derive::napi;

use super::SecretBuffer;
use crate::binding::guard;
use crate::secret::handovers;

/// By address, which is an object's own as long as its entry is here.
type Live = HashMap<usize, Weak<SecretBuffer>>;

static LIVE: LazyLock<Mutex<Live>> = LazyLock::new(Mutex::default);

/// Enters a new object.
pub fn enter(buffer: &Arc<SecretBuffer>) {
    live().insert(Arc::as_ptr(buffer).addr(), Arc::downgrade(buffer));
}

/// Strikes out an object that has nothing to dispose of any more.
pub fn leave(buffer: &SecretBuffer) {
    live().remove(&std::ptr::from_ref(buffer).addr());
}

/// Disposes of every `SecretBuffer` that is held now, in all threads, and of those that wait to be
/// adopted.
#[napi(catch_unwind)]
pub fn secure_heap_dispose_all(env: &Env) -> napi::Result<()> {
    guard(env, || {
        handovers().clear();
        // Collected first: dropping what may be the last owner takes the lock again.
        let held: Vec<_> = live().values().filter_map(Weak::upgrade).collect();
        for buffer in held {
            buffer.dispose();
        }
        Ok(())
    })
}

fn live() -> MutexGuard<'static, Live> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}
