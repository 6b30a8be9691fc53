//! Base64url without padding (RFC 4648 section 5, RFC 7515 appendix C). Decoding is strict: no
//! padding, no white space, and the unused bits of the last character must be zero, so that each
//! byte string has exactly one text.
//!
//! It uses `base64-simd`, because base64url is a large part of a token's cost. It is not
//! constant-time, so it only ever gets public data.

use base64_simd::{AsOut, URL_SAFE_NO_PAD};

/// The number of characters that encode `bytes` bytes.
pub const fn encoded_len(bytes: usize) -> usize {
    URL_SAFE_NO_PAD.encoded_length(bytes)
}

/// Appends the text of `bytes`.
pub fn encode_into(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + encoded_len(bytes.len()), 0);
    let _ = URL_SAFE_NO_PAD.encode(bytes, out[start..].as_out());
}

/// The text of `bytes`.
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// Replaces the contents of `out` with the bytes of `text`; `None` if the text is not canonical.
pub fn decode_into(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.clear();
    out.resize(URL_SAFE_NO_PAD.decoded_length(text).ok()?, 0);
    URL_SAFE_NO_PAD.decode(text, out.as_out()).ok().map(drop)
}

/// The bytes of `text`; `None` if it is not canonical.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode_to_vec(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_and_agrees_with_the_library() {
        use ::base64::Engine as _;
        use ::base64::engine::general_purpose::URL_SAFE_NO_PAD;

        let mut bytes = Vec::new();
        for step in 0..300_u32 {
            let text = encode(&bytes);
            assert_eq!(text, URL_SAFE_NO_PAD.encode(&bytes));
            assert_eq!(text.len(), encoded_len(bytes.len()));
            assert_eq!(decode(text.as_bytes()).as_deref(), Some(&bytes[..]));
            bytes.push((step.wrapping_mul(2_654_435_761) >> 24) as u8);
        }
    }

    #[test]
    fn every_character_in_every_place() {
        use ::base64::Engine as _;
        use ::base64::engine::general_purpose::URL_SAFE_NO_PAD;

        // Beyond 16 and 32 characters the library decodes many at a time.
        for length in (1..=8).chain([17, 31, 34, 63, 66, 99, 134]) {
            for place in 0..length {
                for character in 0..=255 {
                    let mut text = vec![b'A'; length];
                    text[place] = character;
                    assert_eq!(
                        decode(&text),
                        URL_SAFE_NO_PAD.decode(&text).ok(),
                        "{length} {place} {character}"
                    );
                }
            }
        }
    }
}
