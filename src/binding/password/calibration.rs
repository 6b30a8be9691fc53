//! `calibrate`: the façade asks for one measurement after the other, each a job of the pool.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::{Object, Unknown};
use napi_derive::napi;

use super::job::hashing;
use crate::binding::args::Arg;
use crate::binding::args::handle::Handle;
use crate::binding::{CLOCK, guard};
use crate::password::calibrate::{MIN_MEMORY_COST, Search, measure};
use crate::password::{Limits, pool};

/// The longest hash to look for: a minute.
const MAX_TARGET_MS: u64 = 60_000;

/// As both recommendations of RFC 9106 section 4 have it.
const DEFAULT_PARALLELISM: u32 = 4;

/// A search as JavaScript holds it.
struct Calibration(Mutex<Search>);

impl Handle for Calibration {
    const TAG: u128 = 0x8f0d_52c7_1e3b_4ad9_a6c4_20d9_b7e5_913f;
    const CLASS: &'static str = "calibration";
}

impl Calibration {
    fn lock(&self) -> MutexGuard<'_, Search> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was measured.
#[napi(object, object_from_js = false)]
pub struct NativeMeasurement {
    /// KiB.
    pub memory_cost: u32,
    /// Passes.
    pub time_cost: u32,
    /// Lanes.
    pub parallelism: u32,
    /// How long a hash takes.
    pub measured_ms: f64,
}

/// `target` becomes a search.
#[napi(catch_unwind)]
pub fn calibration_begin(env: &Env, target: Unknown<'_>, options: Unknown<'_>) -> napi::Result<()> {
    guard(env, || {
        let options = Arg::new(env, &options, "options").options(&[
            "targetMs",
            "maxMemory",
            "parallelism",
            "onProgress",
            "signal",
        ])?;
        let target_ms = options.require("targetMs")?.integer(1..=MAX_TARGET_MS)?;
        let number =
            |name| options.get(name)?.map(|number| number.integer32(0..=u32::MAX)).transpose();
        let max_memory = number("maxMemory")?.unwrap_or_else(default_memory_cost);
        let parallelism = number("parallelism")?.unwrap_or(DEFAULT_PARALLELISM);
        let search = Search::new(Duration::from_millis(target_ms), max_memory, parallelism)?;
        Arg::new(env, &target, "this").attach(Arc::new(Calibration(Mutex::new(search))))
    })
}

/// Whether the search has found what it looked for.
#[napi(catch_unwind)]
pub fn calibration_is_done(env: &Env, calibration: Unknown<'_>) -> napi::Result<bool> {
    guard(env, || Ok(Arg::new(env, &calibration, "this").handle::<Calibration>()?.lock().is_done()))
}

/// Measures the costs that the search wants to know about, and goes on with it; or, when it is
/// done, those that it found.
#[napi(catch_unwind)]
pub fn calibration_measure<'env>(
    env: &'env Env,
    calibration: Unknown<'_>,
    job: Unknown<'_>,
) -> napi::Result<Object<'env>> {
    let calibration = guard(env, || Arg::new(env, &calibration, "this").handle::<Calibration>())?;
    let costs = calibration.lock().costs();
    hashing(
        env,
        job,
        u64::from(costs.memory_cost) * 1024,
        move |delivery, cancel| delivery.send(measure(costs, &**CLOCK, cancel)),
        move |_, nanos: u64| {
            calibration.lock().record(nanos);
            Ok(NativeMeasurement {
                memory_cost: costs.memory_cost,
                time_cost: costs.time_cost,
                parallelism: costs.parallelism,
                measured_ms: nanos as f64 / 1e6,
            })
        },
    )
}

/// What every thread can have at the same time, within what `verify` takes by default.
fn default_memory_cost() -> u32 {
    let bounds = pool::bounds();
    let budget = bounds.max_memory / 1024;
    let share = budget / bounds.threads as u64;
    let least = u64::from(MIN_MEMORY_COST).max(budget.min(19456));
    let most = u64::from(Limits::default().memory_cost());
    u32::try_from(share.clamp(least, most)).unwrap_or(MIN_MEMORY_COST)
}
