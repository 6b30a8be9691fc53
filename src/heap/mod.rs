//! The secure heap: protected memory from `os`, lent in slots.
//!
//! An [`Arena`] lends slots of its `store`, which keeps small slots in `slabs` on `regions` of
//! memory, and large ones as `runs` with a mapping each. A `canary` on either side of every slot
//! reveals writes beyond its ends. [`Arena::status`] reports the protections that the kernel
//! confirms. The creator of an arena decides how the process ends after a defect
//! ([`Config::on_defect`]).

mod arena;
mod arena_state;
mod canary;
mod config;
mod exhausted;
mod policy;
mod regions;
mod runs;
mod slabs;
mod slot;
mod slot_value;
mod status;
mod store;
mod wipe;

pub use arena::Arena;
pub use canary::OVERHEAD;
pub use config::{Config, Defect, backend_of_environment};
pub use policy::{ArenaSettings, OnDegraded, ProtectionPolicy, Requirement, take_warning};
pub use slabs::BLOCK;
pub use slot::Slot;
pub use slot_value::SlotValue;
pub use status::Status;
pub use wipe::wipe;

#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod tests;
