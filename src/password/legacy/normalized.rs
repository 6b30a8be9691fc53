//! Passwords that a scheme normalizes before it hashes them.

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// The password in normalization form KC. Bytes that are no UTF-8 stay as they are.
pub(super) fn normalized(password: &[u8]) -> Zeroizing<Vec<u8>> {
    let Ok(text) = str::from_utf8(password) else { return Zeroizing::new(password.to_vec()) };
    // Allocated once, because a buffer that grows leaves copies behind.
    let len = text.nfkc().map(char::len_utf8).sum();
    let mut normalized = Zeroizing::new(Vec::with_capacity(len));
    for char in text.nfkc() {
        normalized.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
    }
    normalized
}
