//! `calibrate`: the façade asks for one measurement after the other, each a job of the pool.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::{Object, Unknown};
use napi_derive::napi;

use super::job::{self, PoolJob};
use super::options::number;
use crate::binding::args::handle::Handle;
use crate::binding::args::{Arg, Result, options};
use crate::binding::{CLOCK, guard};
use crate::password::calibrate::{Costs, MIN_MEMORY_COST, Search, measure};
use crate::password::pool::{self, Delivery};
use crate::password::{Cancel, DigestLimits};

/// The longest hash to look for: a minute.
const MAX_TARGET_MS: u64 = 60_000;

/// As both recommendations of RFC 9106 section 4 have it.
const DEFAULT_PARALLELISM: u32 = 4;

options! {
    /// The options of `calibrate`.
    pub(crate) struct CalibrateOptions for "calibrate" {
        /// How long a hash may take, in milliseconds.
        target_ms("targetMs"): u64 = required(|target| target.integer(1..=MAX_TARGET_MS)),
        /// The most memory of a hash, in KiB.
        memory_cost("memoryCost"): Option<u32> = optional(number),
        /// Lanes.
        parallelism("parallelism"): u32 = default(DEFAULT_PARALLELISM, number),
        facade("onProgress"),
        facade("signal"),
    }
}

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
pub(crate) struct NativeMeasurement {
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
pub(crate) fn calibration_begin(
    env: &Env,
    target: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<()> {
    guard(env, || {
        let options: CalibrateOptions = Arg::new(env, &options, "options").read()?;
        let time = Duration::from_millis(options.target_ms);
        let memory_cost = options.memory_cost.unwrap_or_else(default_memory_cost);
        let search = Search::new(time, memory_cost, options.parallelism)?;
        Arg::new(env, &target, "this").attach(Arc::new(Calibration(Mutex::new(search))))
    })
}

/// Whether the search has found what it looked for.
#[napi(catch_unwind)]
pub(crate) fn calibration_is_done(env: &Env, calibration: Unknown<'_>) -> napi::Result<bool> {
    guard(env, || Ok(Arg::new(env, &calibration, "this").handle::<Calibration>()?.lock().is_done()))
}

/// Measures the costs that the search wants to know about, and goes on with it; or, when it is
/// done, those that it found.
#[napi(catch_unwind)]
pub(crate) fn calibration_measure<'env>(
    env: &'env Env,
    calibration: Unknown<'_>,
    job: Unknown<'_>,
) -> napi::Result<Object<'env>> {
    let calibration = guard(env, || Arg::new(env, &calibration, "this").handle::<Calibration>())?;
    let costs = calibration.lock().costs();
    job::submit(env, job, Measuring { calibration, costs })
}

/// A job that measures costs for a search.
struct Measuring {
    calibration: Arc<Calibration>,
    costs: Costs,
}

impl PoolJob for Measuring {
    type Output = (Self, u64);
    type Js = NativeMeasurement;

    fn memory_len(&self) -> u64 {
        u64::from(self.costs.memory_cost) * 1024
    }

    fn run(self, delivery: &mut Delivery<(Self, u64)>, cancel: &Cancel) {
        let measured = measure(self.costs, &**CLOCK, cancel);
        delivery.send(measured.map(|nanos| (self, nanos)));
    }

    fn convert(_env: &Env, (job, nanos): (Self, u64)) -> Result<NativeMeasurement> {
        job.calibration.lock().record(nanos);
        Ok(NativeMeasurement {
            memory_cost: job.costs.memory_cost,
            time_cost: job.costs.time_cost,
            parallelism: job.costs.parallelism,
            measured_ms: nanos as f64 / 1e6,
        })
    }
}

/// What every thread can have at the same time, within what `verify` takes by default.
fn default_memory_cost() -> u32 {
    let bounds = pool::bounds();
    let budget = bounds.max_memory / 1024;
    let share = budget / bounds.threads as u64;
    let least = u64::from(MIN_MEMORY_COST).max(budget.min(19456));
    let most = u64::from(DigestLimits::default().memory_cost());
    u32::try_from(share.clamp(least, most)).unwrap_or(MIN_MEMORY_COST)
}
