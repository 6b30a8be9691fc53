//! Helpers that the tests of several modules share.

#[allow(unsafe_code, reason = "an allocator")]
pub(crate) mod allocations;
pub(crate) mod folder;
pub(crate) mod mutation;
pub(crate) mod random;
pub(crate) mod steps;
pub(crate) mod vectors;
