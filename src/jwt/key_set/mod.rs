//! JWK Sets (RFC 7517 section 5) that another service publishes.

pub mod import;
pub mod set;
