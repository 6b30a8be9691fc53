//! `secureHeap.hardenProcess`.

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use crate::binding::args::{Arg, Outcome, Result, options};
use crate::binding::guard;
use crate::os::{self, Hardening};

/// The highest limit that can be asked for, in bytes: JavaScript's greatest safe integer.
const MAX_CORE: u64 = (1 << 53) - 1;

options! {
    /// The options of `secureHeap.hardenProcess`.
    pub(crate) struct HardenOptions for "secureHeap.hardenProcess" {
        /// Only `false` is allowed: other processes of the same user may no longer dump and trace
        /// this one.
        dumpable("dumpable"): Option<Undumpable> = optional(undumpable),
        /// The limit on core dumps, in bytes.
        core("core"): Option<u64> = optional(|core| core.integer(0..=MAX_CORE)),
    }
}

/// `dumpable: false`.
pub(crate) struct Undumpable;

/// The state of the process.
#[napi(object, object_from_js = false)]
pub(crate) struct ProcessHardening {
    /// Whether processes of the same user may dump and trace it; absent on systems where that
    /// cannot be set.
    pub dumpable: Option<bool>,
    /// The soft limit on core dumps in bytes, infinite for none; absent on systems without this
    /// limit.
    pub core: Option<f64>,
    /// The protections that failed, and those that do not help.
    pub reasons: Vec<String>,
}

/// Keeps the memory of the whole process out of dumps.
#[napi(catch_unwind)]
pub(crate) fn harden_process(
    env: &Env,
    options: Unknown<'_>,
) -> napi::Result<Outcome<ProcessHardening>> {
    guard(env, || {
        let options: HardenOptions = Arg::new(env, &options, "options").read()?;
        let hardened =
            os::harden(Hardening { undumpable: options.dumpable.is_some(), core: options.core });
        Ok(ProcessHardening {
            dumpable: hardened.dumpable,
            core: hardened
                .core
                .map(|bytes| if bytes == u64::MAX { f64::INFINITY } else { bytes as f64 }),
            reasons: hardened.reasons,
        })
    })
}

fn undumpable(dumpable: Arg<'_>) -> Result<Undumpable> {
    if dumpable.boolean()? {
        return Err(dumpable.invalid("must be false, or be left out"));
    }
    Ok(Undumpable)
}
