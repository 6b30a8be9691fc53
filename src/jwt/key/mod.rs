//! Keys: bound to one algorithm when they are made, parsed once, never guessed at.
//!
//! A file a scheme (`hmac`, `rsa`, `ecdsa`, `ed25519`) parses, generates, signs, verifies and
//! publishes the scheme's keys, behind the traits of `scheme`. `key` is a key of any scheme; `open`
//! and `pem` read files.

mod der;
pub(super) mod ecdsa;
pub(super) mod ed25519;
mod encrypted;
pub(super) mod error;
pub(super) mod hmac;
pub(super) mod jwk;
#[expect(clippy::module_inception, reason = "the type that the folder is named after")]
pub(super) mod key;
mod key_file;
pub(super) mod key_type;
mod open;
mod pair_check;
pub(super) mod pem;
pub(super) mod purpose;
pub(super) mod rsa;
pub(super) mod scheme;
