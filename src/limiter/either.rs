//! A limiter of this process or of the machine.

use std::sync::Arc;

use super::limit::Limits;
use super::machine::MachineLimiter;
use super::process::Limiter;
use super::report::{Report, Stats};
use crate::error::{Code, Error, Result};

/// A limiter of either kind, with the calls of both.
pub enum AnyLimiter {
    /// One of this process.
    Process(Limiter),
    /// One of the machine.
    Machine(Arc<MachineLimiter>),
}

/// Passes a call on.
macro_rules! either {
    ($self:ident, $limiter:ident => $call:expr) => {
        match $self {
            Self::Process($limiter) => $call,
            Self::Machine($limiter) => $call,
        }
    };
}

#[expect(missing_docs, reason = "each call is documented at `Limiter`")]
impl AnyLimiter {
    #[inline]
    pub fn check(&self, key: &[u8], cost: u32) -> Result<bool> {
        either!(self, limiter => limiter.check(key, cost))
    }

    pub fn consume(&self, key: &[u8], cost: u32) -> Result<Report> {
        either!(self, limiter => limiter.consume(key, cost))
    }

    pub fn peek(&self, key: &[u8], cost: u32) -> Result<Report> {
        either!(self, limiter => limiter.peek(key, cost))
    }

    pub fn reset(&self, key: &[u8]) -> bool {
        either!(self, limiter => limiter.reset(key))
    }

    pub fn refund(&self, key: &[u8], cost: u32) -> Result<()> {
        either!(self, limiter => limiter.refund(key, cost))
    }

    pub fn penalize(&self, key: &[u8], cost: u32) -> Result<()> {
        either!(self, limiter => limiter.penalize(key, cost))
    }

    pub fn block(&self, key: &[u8], ms: u64) -> Result<()> {
        either!(self, limiter => limiter.block(key, ms))
    }

    pub fn unblock(&self, key: &[u8]) {
        either!(self, limiter => limiter.unblock(key));
    }

    pub fn clear(&self) {
        either!(self, limiter => limiter.clear());
    }

    pub fn set_limits(&self, limits: &Limits) -> Result<()> {
        either!(self, limiter => limiter.set_limits(limits))
    }

    pub fn limits(&self) -> (Limits, u32) {
        either!(self, limiter => limiter.limits())
    }

    pub fn stats(&self) -> Stats {
        either!(self, limiter => limiter.stats())
    }

    /// Fails with `ERR_LIMIT_SNAPSHOT` for a limiter of the machine.
    pub fn snapshot(&self) -> Result<Vec<u8>> {
        match self {
            Self::Process(limiter) => limiter.snapshot(),
            Self::Machine(_) => Err(Error::new(
                Code::LimitSnapshot,
                "a limiter of the machine has no snapshot: its file keeps the keys when processes \
                 end, until the machine starts again",
            )),
        }
    }
}
