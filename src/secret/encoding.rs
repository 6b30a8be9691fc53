//! Secrets given as text, decoded into a slot in constant time.

use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};

use super::secret::Secret;
use super::trace_guard::{Depth, TraceGuard};
use crate::error::Result;

/// A text encoding of the bytes of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// The bytes themselves.
    Raw,
    /// The bytes themselves, which must be UTF-8.
    Utf8,
    /// Two digits per byte, upper or lower case.
    Hex,
    /// RFC 4648 section 4, padded.
    Base64,
    /// RFC 4648 section 5, without padding.
    Base64Url,
}

impl Secret {
    /// The bytes that `text` encodes; `None` if it is malformed. Errors as for
    /// [`Secret::copy_from`].
    pub fn decoded(text: &[u8], encoding: Encoding) -> Result<Option<Self>> {
        let mut is_malformed = false;
        let secret = Self::filled_up_to(encoding.decoded_len(text), |slot| {
            let written = encoding.decode(text, slot);
            is_malformed = written.is_none();
            Ok(written.unwrap_or(0))
        })?;
        Ok((!is_malformed).then_some(secret))
    }

    /// As [`Secret::decoded`], for a text that is itself a secret. It stays in its memory if it
    /// needs no decoding.
    pub fn into_decoded(self, encoding: Encoding) -> Result<Option<Self>> {
        match encoding {
            Encoding::Raw => Ok(Some(self)),
            Encoding::Utf8 => {
                let check = |trace: &TraceGuard| std::str::from_utf8(self.expose(trace)).is_ok();
                Ok(TraceGuard::run(Depth::Registers, check).then_some(self))
            }
            _ => TraceGuard::run(Depth::Registers, |trace| {
                Self::decoded(self.expose(trace), encoding)
            }),
        }
    }
}

impl Encoding {
    /// The number of bytes that a well-formed text encodes.
    fn decoded_len(self, text: &[u8]) -> usize {
        let padding = text.iter().rev().take(2).take_while(|byte| **byte == b'=').count();
        match self {
            Self::Raw | Self::Utf8 => text.len(),
            Self::Hex => text.len() / 2,
            Self::Base64 => (text.len() - padding) * 3 / 4,
            Self::Base64Url => text.len() * 3 / 4,
        }
    }

    fn decode(self, text: &[u8], slot: &mut [u8]) -> Option<usize> {
        let decoded = match self {
            Self::Utf8 if std::str::from_utf8(text).is_err() => return None,
            Self::Raw | Self::Utf8 => {
                slot.copy_from_slice(text);
                return Some(text.len());
            }
            Self::Hex => base16ct::mixed::decode(text, slot).ok(),
            Self::Base64 => Base64::decode(text, slot).ok(),
            Self::Base64Url => Base64UrlUnpadded::decode(text, slot).ok(),
        };
        decoded.map(<[u8]>::len)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn what_texts_stand_for() {
        for (text, encoding, expected) in [
            (&b"\xff\0a"[..], Encoding::Raw, Some(&b"\xff\0a"[..])),
            (b"p\xc3\xa4ss", Encoding::Utf8, Some(b"p\xc3\xa4ss")),
            (b"\xff", Encoding::Utf8, None),
            (b"00ffC0fe", Encoding::Hex, Some(b"\x00\xff\xc0\xfe")),
            (b"0", Encoding::Hex, None),
            (b"0g", Encoding::Hex, None),
            (b"+/8=", Encoding::Base64, Some(b"\xfb\xff")),
            (b"+/8", Encoding::Base64, None),
            (b"=", Encoding::Base64, None),
            (b"====", Encoding::Base64, None),
            (b"-_8", Encoding::Base64Url, Some(b"\xfb\xff")),
            (b"-_8=", Encoding::Base64Url, None),
            (b"-_9", Encoding::Base64Url, None),
            (b"a", Encoding::Base64Url, None),
            (b"", Encoding::Hex, Some(b"")),
            (b"", Encoding::Base64, Some(b"")),
        ] {
            let decoded = Secret::decoded(text, encoding).unwrap();
            let decoded = decoded.as_ref().map(ExposeSecret::expose_secret);
            assert_eq!(decoded, expected, "{encoding:?} {text:?}");
            let again = Secret::copy_from(text).unwrap().into_decoded(encoding).unwrap();
            assert_eq!(again.as_ref().map(ExposeSecret::expose_secret), expected, "{encoding:?}");
        }
    }

    #[test]
    fn no_more_memory_than_the_bytes_take() {
        assert_eq!(Encoding::Base64.decoded_len(&[b'A'; 43]), 32);
        assert_eq!(Encoding::Base64.decoded_len(b"AAA="), 2);
        assert_eq!(Encoding::Base64Url.decoded_len(&[b'A'; 43]), 32);
        assert_eq!(Encoding::Hex.decoded_len(&[b'0'; 64]), 32);
    }
}
