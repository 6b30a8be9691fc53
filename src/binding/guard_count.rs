//! The number of guards that have ended, for the test of exports that take a secret.

use napi_derive::napi;

use crate::secret;

/// How many guards of paths with secrets have ended on this thread.
#[napi(catch_unwind)]
pub fn ended_guards() -> u32 {
    secret::ended_guards()
}
