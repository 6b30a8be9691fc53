//! What the tests of several rooms share.

#[allow(unsafe_code, reason = "an allocator")]
pub(crate) mod allocations;
pub(crate) mod vectors;
