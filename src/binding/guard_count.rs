//! Counts the trace guards that have ended, for the test of exports that take a secret.

use napi_derive::napi;

use crate::secret;

/// How many trace guards (`TraceGuard`) have ended on this thread.
#[napi(catch_unwind)]
pub fn ended_guards() -> u32 {
    secret::ended_guards()
}
