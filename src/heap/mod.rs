//! The secure heap: protected memory from `os`, lent in slots.
//!
//! An `arena` lends slots of its `store`, which keeps small ones in `slabs` on `regions` of memory
//! and large ones as `runs` with a mapping each. A `canary` on either side of every slot shows
//! writes beyond its ends. [`status()`] reports what the kernel says about the memory.

mod account;
pub(crate) mod arena;
mod arena_state;
pub(crate) mod canary;
pub(crate) mod policy;
mod regions;
mod runs;
pub(crate) mod slabs;
pub(crate) mod slot;
mod status;
mod store;

pub use policy::{OnDegraded, OnFull, Requirement, Settings, take_warning};
pub use status::{Status, configure, count_leaked, status, verify};

#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod tests;
