//! Checks of arguments.

use std::num::NonZeroU32;

use super::limit::{Limit, Limits};
use super::quota::MAX_WINDOW_MS;
use crate::error::{Code, Error, Result};

/// A cost of at least 1, otherwise `ERR_OUT_OF_RANGE`.
#[inline]
pub(super) fn nonzero(cost: u32) -> Result<NonZeroU32> {
    NonZeroU32::new(cost).ok_or_else(|| Error::new(Code::OutOfRange, "cost must be at least 1"))
}

/// Checks that a cost is at most the burst of every limit, otherwise `ERR_LIMIT_COST`.
#[inline]
pub(super) fn check_cost(limits: &[Limit], cost: NonZeroU32) -> Result<()> {
    limits.iter().try_for_each(|limit| limit.quota().check_cost(cost))
}

/// Checks the milliseconds of a block: 1 to 366 days, otherwise `ERR_OUT_OF_RANGE`.
pub(super) fn check_block_ms(ms: u64) -> Result<()> {
    if (1..=MAX_WINDOW_MS).contains(&ms) {
        return Ok(());
    }
    let message = format!("ms must be from 1 to {MAX_WINDOW_MS} (366 days)");
    Err(Error::new(Code::OutOfRange, message))
}

/// Checks that limits can take the place of others: the same names, in the same order, and the same
/// algorithm, otherwise `ERR_INVALID_ARG_VALUE`.
pub(super) fn check_same_names(limits: &Limits, present: &Limits) -> Result<()> {
    let names = |limits: &Limits| -> Vec<_> {
        limits.iter().map(|each| (each.name().to_owned(), each.quota().algorithm())).collect()
    };
    if names(limits) == names(present) {
        return Ok(());
    }
    Err(Error::new(
        Code::InvalidArgValue,
        "setLimits changes the numbers of limits: pass the same names in the same order, and the \
         same algorithm",
    ))
}
