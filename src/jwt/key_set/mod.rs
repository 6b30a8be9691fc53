//! JWK Sets (RFC 7517 section 5) that another service publishes.

mod certificates;
pub(super) mod import;
pub(super) mod imported;
pub(super) mod set;
