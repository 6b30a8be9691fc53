//! Issuing tokens.

mod header;
pub(super) mod issuer;
pub(super) mod jws;
pub(super) mod payload;
