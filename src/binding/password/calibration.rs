//! `calibrate`: the façade asks for one measurement after the other. Each is a job of the pool.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::{Object, Unknown};
use napi_derive::napi;

use super::job::{self, PoolJob};
use super::options::number;
use crate::binding::args::handle::Handle;
use crate::binding::args::{Arg, Outcome, Result, options};
use crate::binding::{CLOCK, guard};
use crate::password::calibrate::{Costs, MIN_MEMORY_COST, Search, measure};
use crate::password::pool::{self, Delivery};
use crate::password::{Cancel, DigestLimits};

/// The longest time of a hash to search for, in milliseconds: a minute.
const MAX_TARGET_MS: u64 = 60_000;

/// The number of lanes in both recommendations of RFC 9106 section 4.
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

/// The result of one measurement.
#[napi(object, object_from_js = false)]
pub(crate) struct NativeMeasurement {
    /// KiB.
    pub memory_cost: u32,
    /// Passes.
    pub time_cost: u32,
    /// Lanes.
    pub parallelism: u32,
    /// How long a hash takes, in milliseconds.
    pub measured_ms: f64,
}

/// Attaches a new search to the façade object `target`.
#[napi(catch_unwind)]
pub(crate) fn calibration_begin(
    env: &Env,
    target: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let options: CalibrateOptions = Arg::new(env, &options, "options").read()?;
        let time = Duration::from_millis(options.target_ms);
        let memory_cost = options.memory_cost.unwrap_or_else(default_memory_cost);
        let search = Search::new(time, memory_cost, options.parallelism)?;
        Arg::new(env, &target, "this").attach(Arc::new(Calibration(Mutex::new(search))))
    })
}

/// Whether the search has ended.
#[napi(catch_unwind)]
pub(crate) fn calibration_is_done(
    env: &Env,
    calibration: Unknown<'_>,
) -> napi::Result<Outcome<bool>> {
    guard(env, || Ok(Arg::new(env, &calibration, "this").handle::<Calibration>()?.lock().is_done()))
}

/// Measures the costs that the search asks for and records the result, which takes the search a
/// step further. When the search is done, measures the costs that it found.
#[napi(catch_unwind)]
pub(crate) fn calibration_measure<'env>(
    env: &'env Env,
    calibration: Unknown<'_>,
    job: Unknown<'_>,
) -> napi::Result<Outcome<Object<'env>>> {
    guard(env, || {
        let calibration = Arg::new(env, &calibration, "this").handle::<Calibration>()?;
        let costs = calibration.lock().costs();
        job::submit(env, &job, Measuring { calibration, costs })
    })
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

/// The memory that every thread can use at the same time, in KiB: at least 19 MiB or the whole
/// budget of the pool, whichever is less, but never below 7 MiB; and at most the default limit of
/// `verify`.
fn default_memory_cost() -> u32 {
    let bounds = pool::bounds();
    let budget = bounds.max_memory / 1024;
    let share = budget / bounds.threads as u64;
    let least = u64::from(MIN_MEMORY_COST).max(budget.min(19456));
    let most = u64::from(DigestLimits::default().memory_cost());
    u32::try_from(share.clamp(least, most)).unwrap_or(MIN_MEMORY_COST)
}
