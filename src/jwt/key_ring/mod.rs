//! Key rings: which key signs, which keys verify, and which are published.

mod book;
pub mod events;
pub mod jwks;
mod lookup;
pub mod options;
pub mod ring;
mod rotation;
pub mod sealed;
pub mod state;
#[cfg(test)]
mod tests;
