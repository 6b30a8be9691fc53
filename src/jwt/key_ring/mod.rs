//! Key rings: which key signs, which keys verify, and which are published.

mod book;
pub(super) mod jwks;
mod lookup;
pub(super) mod options;
pub(super) mod pending;
pub(super) mod ring;
mod rotation;
pub(super) mod sealed;
pub(super) mod state;
#[cfg(test)]
mod tests;
