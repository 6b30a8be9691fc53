//! Reads what a store keeps from any bytes: see [`crate::fuzz`].

use std::sync::LazyLock;

use super::head::Head;
use super::keys::Keys;
use super::row::{Entry, Position};
use crate::error::Code;
use crate::secret::Secret;

/// Returns whether the bytes are an entry, a head, or a record called `fuzz` under the key of
/// seven.
pub(crate) fn row(bytes: &[u8]) -> bool {
    static KEYS: LazyLock<Keys> =
        LazyLock::new(|| Keys::derive(&Secret::copy_from(&[7; 32]).expect("a key")).expect("keys"));
    let entry = Entry::of_bytes(bytes);
    assert!(entry.is_none_or(|entry| entry.to_bytes() == bytes));
    let head = Head::parse(bytes);
    if let Some(head) = &head {
        assert!(head.to_bytes(&KEYS).starts_with(bytes));
    }
    let record = KEYS.open(b"fuzz", Position::START, bytes);
    match &record {
        Ok(value) => {
            let sealed = KEYS.seal(b"fuzz", Position::START, value).expect("randomness");
            assert_eq!(*KEYS.open(b"fuzz", Position::START, &sealed).expect("its own"), **value);
        }
        Err(error) => assert_eq!(error.code, Code::StoreCorrupt, "{error}"),
    }
    entry.is_some() || head.is_some() || record.is_ok()
}
