//! Issuing tokens.

pub(super) mod issuer;
pub(super) mod payload;
