//! Systems that only copy values out: the copy is wiped, the system's own is removed.

use std::env;

use zeroize::Zeroizing;

/// Lends a copy of a variable's value.
pub fn with_value<T>(name: &str, body: impl FnOnce(&[u8]) -> T) -> Option<T> {
    let value = env::var_os(name)?;
    Some(body(&Zeroizing::new(value.into_encoded_bytes())))
}

/// Removes a variable.
pub fn wipe(name: &str) {
    // SAFETY: on Windows, the environment is behind a lock of the system's.
    unsafe { env::remove_var(name) };
}
