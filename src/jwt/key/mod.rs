//! Keys. Each is bound to one algorithm when it is made, and is parsed once; its format is never
//! guessed.
//!
//! Each scheme has one file (`hmac`, `rsa`, `ecdsa`, `ed25519`), which parses, generates, signs,
//! verifies and publishes with the scheme's keys, behind the traits of `scheme`. `key` holds a key
//! of any scheme; `open`, `pem` and `certificate` read key files.

mod certificate;
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
pub(super) mod key_issuer;
mod key_text;
pub(super) mod key_type;
mod open;
mod pair_check;
pub(super) mod pem;
pub(super) mod purpose;
mod roca;
pub(super) mod rsa;
mod rsa_use;
pub(super) mod scheme;
mod sections;
