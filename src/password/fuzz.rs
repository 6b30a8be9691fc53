//! Reads digests of every scheme from any bytes: see [`crate::fuzz`].

use super::legacy::{LegacyScheme, parse};
use super::phc::Digest;
use crate::error::{Code, Result};

/// Returns whether the bytes are a digest of some scheme.
pub(crate) fn digest(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let argon2 = checked(Digest::parse(text));
    if let Some(digest) = &argon2 {
        let written = digest.to_string();
        let again = checked(Digest::parse(&written)).expect("a digest that was written");
        assert!(again.matches(digest.hash()) && again.salt() == digest.salt());
        assert_eq!((again.keyid(), again.data()), (digest.keyid(), digest.data()));
        assert_eq!((again.params(), again.to_string()), (digest.params(), written));
    }
    let schemes = LegacyScheme::ALL.map(|(_, scheme)| scheme);
    checked(parse(text, &schemes)).is_some() || argon2.is_some()
}

/// The digest that was read, if any; the only error is that it is malformed.
fn checked<T>(read: Result<Option<T>>) -> Option<T> {
    if let Err(error) = &read {
        assert_eq!(error.code, Code::PasswordDigest, "{error}");
    }
    read.ok().flatten()
}
