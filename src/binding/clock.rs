//! The option `clock`, for tests.
//!
//! The façade asks the caller's function for the time before each call, and gives it to the clock
//! of the object here. So no JavaScript runs below a native frame, other threads can read the time,
//! and calls of objects without the option do no more than without it.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use super::args::handle::Handle;
use super::args::{Arg, Outcome, Result, options};
use super::{CLOCK, guard};
use crate::clock::{Clock, TestClock};
use crate::jwt::MAX_NUMERIC_DATE;

/// The latest time of a clock, in milliseconds since 1970.
#[napi]
#[allow(unreachable_pub, reason = "napi-rs exports public constants only")]
pub const MAX_CLOCK_MILLIS: f64 = MAX_NUMERIC_DATE * 1000.0;

impl Handle for TestClock {
    const TAG: u128 = 0x7be3_95d4_0c6a_4e12_8f47_6a0d_c5e1_3b92;
    const CLASS: &'static str = "TestClock";
}

options! {
    /// The clock of an object.
    pub(super) struct ClockOptions {
        /// The clock, which the façade makes of the caller's function.
        clock("clock"): Arc<dyn Clock> = default(CLOCK.clone(), given),
        // Whether the option is allowed in production, which the façade decides.
        facade("allowClockInProduction"),
    }
}

/// Attaches a new clock at this time, in milliseconds since 1970, to the façade object `clock`.
#[napi(catch_unwind)]
pub(super) fn clock_attach(
    env: &Env,
    clock: Unknown<'_>,
    millis: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let millis = Arg::new(env, &millis, "clock").integer(0..=u64::MAX)?;
        Arg::new(env, &clock, "this").attach(Arc::new(TestClock::at(millis)))
    })
}

/// Gives a clock the time, in milliseconds since 1970.
#[napi(catch_unwind)]
pub(super) fn clock_set(
    env: &Env,
    clock: Unknown<'_>,
    millis: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let millis = Arg::new(env, &millis, "clock").integer(0..=u64::MAX)?;
        Arg::new(env, &clock, "this").handle::<TestClock>()?.set(millis);
        Ok(())
    })
}

fn given(clock: Arg<'_>) -> Result<Arc<dyn Clock>> {
    Ok(clock.handle::<TestClock>()?)
}
