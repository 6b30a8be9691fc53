//! The options about the length and the spelling of tokens.

use std::ops::RangeInclusive;

use super::args::{Arg, Result, options};
use crate::jwt::{MAX_LONG_TOKEN_LEN, MAX_TOKEN_LEN, Malformation, TokenForm};

/// The bounds of `maxBytes`.
const TOKEN_LEN: RangeInclusive<usize> = 1024..=MAX_LONG_TOKEN_LEN;

options! {
    /// The length and the spelling of the tokens that are read.
    pub(super) struct FormOptions {
        /// The longest token, in bytes.
        max_bytes("maxBytes"): usize = default(MAX_TOKEN_LEN, |bytes| bytes.length(TOKEN_LEN)),
        /// Whether base64url may be padded.
        padding("padding"): bool = default(false, padding),
    }
}

impl FormOptions {
    /// The form of the tokens.
    pub(super) fn form(&self) -> TokenForm {
        TokenForm { max_len: self.max_bytes, may_be_padded: self.padding }
    }
}

/// Why a value could not be read as an ASCII string of at most `max_len` characters.
pub(super) fn unreadable(token: &Arg<'_>, max_len: usize) -> Malformation {
    match token.utf16_len() {
        Ok(length) if length > max_len => Malformation::TooLong,
        Ok(_) => Malformation::NotAscii,
        Err(_) if token.is_nullish().unwrap_or(false) => Malformation::NoToken,
        Err(_) => Malformation::NotText,
    }
}

/// `'allow'`
fn padding(word: Arg<'_>) -> Result<bool> {
    word.one_of(&[("allow", true)])
}
