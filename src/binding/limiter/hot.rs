//! The calls of a limiter that happen on every request.

use std::mem::MaybeUninit;
use std::sync::Arc;

use napi::sys;

use super::handle::{MAX_KEY_LEN, RateLimiter};
use crate::binding::args::Result;
use crate::binding::args::handle::Handle;
use crate::binding::fast::{Hot, RawCall};
use crate::limiter::{MAX_LIMITS, MAX_UNITS, Report};

/// Numbers of a report: the index of the tightest limit, the violated limits as bits, and the
/// generation of the limits; then remaining, retryAfterMs, resetMs, limit, windowMs and burst of
/// each limit.
const MAX_NUMBERS: usize = 3 + 6 * MAX_LIMITS;

/// `(key, cost?) => boolean`
pub(super) struct Check(pub Arc<RateLimiter>);

impl Handle for Check {
    const TAG: u128 = 0x7c2f_3c0e_0f5c_4d0c_9a39_2ab0_56d6_8f01;
    const CLASS: &'static str = RateLimiter::CLASS;
}

impl Hot for Check {
    const NAME: &'static str = "check";
    const ARGUMENTS: usize = 2;

    fn call(&self, call: &RawCall) -> Result<sys::napi_value> {
        let cost = cost(call, 1)?;
        let allowed = with_key(call, 0, |key| Ok(self.0.limiter.check(key, cost)?))?;
        call.boolean(allowed)
    }
}

/// `(key, cost, out: Float64Array) => boolean`
pub(super) struct Consume(pub Arc<RateLimiter>);

impl Handle for Consume {
    const TAG: u128 = 0x3ba1_4e83_96a8_4b5b_8b1f_7c5c_8ff2_4c02;
    const CLASS: &'static str = RateLimiter::CLASS;
}

impl Hot for Consume {
    const NAME: &'static str = "consume";
    const ARGUMENTS: usize = 3;

    fn call(&self, call: &RawCall) -> Result<sys::napi_value> {
        let cost = cost(call, 1)?;
        let report = with_key(call, 0, |key| Ok(self.0.limiter.consume(key, cost)?))?;
        answer(call, 2, &report)
    }
}

/// `(key, cost, out: Float64Array) => boolean`
pub(super) struct Peek(pub Arc<RateLimiter>);

impl Handle for Peek {
    const TAG: u128 = 0x90d8_5b52_4d3c_4a86_a1be_6c53_4e0f_7703;
    const CLASS: &'static str = RateLimiter::CLASS;
}

impl Hot for Peek {
    const NAME: &'static str = "peek";
    const ARGUMENTS: usize = 3;

    fn call(&self, call: &RawCall) -> Result<sys::napi_value> {
        let cost = cost(call, 1)?;
        let report = with_key(call, 0, |key| Ok(self.0.limiter.peek(key, cost)?))?;
        answer(call, 2, &report)
    }
}

/// Lends a limiter's key: a string or a `Uint8Array`. A string of up to 251 bytes is read on the
/// stack, without an allocation.
fn with_key<T>(call: &RawCall, index: usize, body: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
    let key = call.argument(index, "key");
    let mut buffer = [MaybeUninit::uninit(); 256];
    match key.utf8_in(&mut buffer) {
        Ok(Some(bytes)) if !bytes.is_empty() => {
            key.check_well_formed(bytes)?;
            body(bytes)
        }
        Ok(_) => body(key.string(1..=MAX_KEY_LEN)?.as_bytes()),
        Err(_) => key.with_bytes_or("a string or a Uint8Array", 1..=MAX_KEY_LEN, body),
    }
}

fn cost(call: &RawCall, index: usize) -> Result<u32> {
    if call.count <= index {
        return Ok(1);
    }
    match call.argument(index, "cost").present()? {
        Some(cost) => cost.integer32(1..=MAX_UNITS),
        None => Ok(1),
    }
}

fn answer(call: &RawCall, out: usize, report: &Report) -> Result<sys::napi_value> {
    let mut numbers = [0.0; MAX_NUMBERS];
    numbers[0] = report.tightest as f64;
    numbers[1] = report.violated.into();
    numbers[2] = report.generation.into();
    let decisions = report.decisions();
    let limits = decisions.iter().zip(report.terms());
    for ((decision, terms), numbers) in limits.zip(numbers[3..].as_chunks_mut().0) {
        *numbers = [
            f64::from(decision.remaining),
            decision.retry_after_ns as f64 / 1e6,
            decision.reset_ns as f64 / 1e6,
            f64::from(terms.limit),
            terms.window_ms as f64,
            f64::from(terms.burst),
        ];
    }
    call.argument(out, "out").fill(&numbers[..3 + 6 * decisions.len()])?;
    call.boolean(report.allowed)
}
