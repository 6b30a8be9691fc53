//! Issuing tokens.

pub mod issuer;
pub mod payload;
