//! Counts the private keys that a library has parsed into its own memory.

use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// A private key that a library has parsed. It lies on the ordinary heap, neither locked nor left
/// out of core dumps, so it is counted. The library must wipe it when it is dropped.
pub struct ParsedKey<T>(T);

impl<T> ParsedKey<T> {
    /// Counts the key until it is dropped.
    pub fn new(value: T) -> Self {
        COUNT.fetch_add(1, Ordering::Relaxed);
        Self(value)
    }
}

impl<T> Deref for ParsedKey<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Drop for ParsedKey<T> {
    fn drop(&mut self) {
        COUNT.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<T> fmt::Debug for ParsedKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ParsedKey(...)")
    }
}

/// The number of parsed keys in the process.
pub fn parsed_key_count() -> usize {
    COUNT.load(Ordering::Relaxed)
}
