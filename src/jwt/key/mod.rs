//! Keys: bound to one algorithm when they are made, parsed once, never guessed at.
//!
//! A file a scheme (`hmac`, `rsa`, `ecdsa`, `ed25519`) parses, generates, signs, verifies and
//! publishes the scheme's keys, behind the traits of `scheme`. `key` is a key of any scheme; `open`
//! and `pem` read files.

mod der;
pub mod ecdsa;
pub mod ed25519;
mod encrypted;
pub mod error;
pub mod hmac;
pub mod jwk;
#[expect(clippy::module_inception, reason = "the type that the folder is named after")]
pub mod key;
mod key_file;
pub mod key_type;
mod open;
mod pair_check;
pub mod pem;
pub mod purpose;
pub mod rsa;
pub mod scheme;
