//! The option `prefix` of what is on a server.

use std::ops::RangeInclusive;

use super::args::{Arg, Result};

/// The bounds of its length, in bytes.
const PREFIX: RangeInclusive<usize> = 1..=200;

/// Names on the server have braces around it, between which a cluster looks for the node.
pub(super) fn read_prefix(prefix: &Arg<'_>) -> Result<String> {
    let text = prefix.string(PREFIX)?;
    if text.contains(['{', '}']) {
        return Err(prefix.invalid("must have no braces"));
    }
    Ok(text)
}
