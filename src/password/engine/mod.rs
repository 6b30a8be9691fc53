//! Argon2: one interface, our own implementation, the implementation of the `argon2` crate, and the
//! choice between them.

mod block;
mod choice;
#[allow(unsafe_code, reason = "gives each task's lanes to one thread, on which the walk relies")]
mod crew;
#[allow(unsafe_code, reason = "reads and writes blocks that threads share by lanes")]
mod fill;
mod hash;
mod interface;
#[allow(unsafe_code, reason = "vector instructions")]
mod kernel;
mod layout;
#[allow(unsafe_code, reason = "memory that threads share by lanes")]
mod memory;
mod own;
mod rustcrypto;
mod selftest;

pub(super) use self::choice::current;
pub use self::choice::take_warning;
pub(super) use self::interface::{Engine, Inputs};

#[cfg(test)]
mod tests;
