//! Reads the content of a ring from any bytes: see [`crate::fuzz`].

use super::book::Book;
use super::plain::{self, Plain};
use crate::error::Code;
use crate::secret::{Depth, Secret, TraceGuard};

/// Returns whether the bytes are the content of a ring. It is then written and read again.
pub(in crate::jwt) fn content(bytes: &[u8]) -> bool {
    let Ok(secret) = Secret::copy_from(bytes) else { return false };
    let read = match plain::read(&secret, &[]) {
        Ok(read) => read,
        Err(error) => {
            let codes = [Code::SecretSeal, Code::JwtKey, Code::OutOfRange];
            assert!(codes.contains(&error.code), "{error}");
            return false;
        }
    };
    let Plain { options, version, times, entries } = read;
    let written = |options, entries| {
        plain::write(&Book::restored(options, entries), options.rotate_every, version, &times)
            .expect("a ring that was read")
    };
    let first = written(options, entries.clone());
    let again = plain::read(&first, &entries.list).expect("a ring that was written");
    assert_eq!(again.options, options);
    let second = written(again.options, again.entries);
    TraceGuard::run(Depth::Registers, |trace| {
        assert!(first.expose(trace) == second.expose(trace), "a ring is written in two ways");
    });
    true
}
