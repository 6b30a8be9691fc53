//! The native part of a façade object of a limiter.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::Unknown;

use crate::binding::args::handle::Handle;
use crate::binding::args::{Arg, Result};
use crate::limiter::{AnyLimiter, OnFull, Quota};

/// The longest key, in bytes.
pub(super) const MAX_KEY_LEN: usize = 8192;

/// A limiter as JavaScript holds it.
pub(super) struct RateLimiter {
    pub limiter: AnyLimiter,
    /// The options of a limiter of this process.
    pub made_with: Option<MadeWith>,
}

/// The names and quotas, the number of keys, and `onFull`.
pub(super) type MadeWith = (Vec<(String, Quota)>, usize, OnFull);

impl Handle for RateLimiter {
    const TAG: u128 = 0x54d2_76fd_59a5_4c06_8a2a_2a6a_8f1d_3104;
    const CLASS: &'static str = "RateLimiter";

    fn external_len(&self) -> u32 {
        // The initial size of the table. Growth with use is not reported.
        128 << 10
    }
}

/// The limiter of a façade object.
pub(super) fn this(env: &Env, limiter: &Unknown<'_>) -> Result<Arc<RateLimiter>> {
    Arg::new(env, limiter, "this").handle::<RateLimiter>()
}
