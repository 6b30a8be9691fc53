//! Opens sealed secrets of any bytes: see [`crate::fuzz`].

use super::seal::Kind;
use super::secret::Secret;
use super::trace_guard::{Depth, TraceGuard};
use crate::error::Code;

/// Returns whether the bytes are a secret that was sealed under the key of seven, for `fuzz`. They
/// are also sealed, and opened again.
pub(crate) fn sealed(bytes: &[u8]) -> bool {
    let key = Secret::copy_from(&[7; 32]).expect("a key");
    if let Ok(secret) = Secret::copy_from(bytes) {
        let sealed = secret.seal(&key, Kind::Secret, b"fuzz").expect("room");
        let opened = Secret::unseal(&sealed, &key, Kind::Secret, b"fuzz").expect("its own seal");
        TraceGuard::run(Depth::Registers, |trace| assert!(opened.expose(trace) == bytes));
    }
    let opened = Secret::unseal(bytes, &key, Kind::Secret, b"fuzz");
    if let Err(error) = &opened {
        assert_eq!(error.code, Code::SecretSeal, "{error}");
    }
    opened.is_ok()
}
