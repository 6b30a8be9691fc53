//! What the tests of several rooms share.

#[allow(unsafe_code, reason = "an allocator")]
pub mod allocations;
pub mod vectors;
