//! Splits a token in the compact serialization (RFC 7515 section 3.1) into its segments.

use memchr::memchr;

use super::base64url;
use super::malformation::{Malformation, Segment};

/// The longest token that is read unless a caller allows more, in bytes. RFC 7519 sets no limit; in
/// Node header lines end at 16 KiB.
pub const MAX_TOKEN_LEN: usize = 16 * 1024;

/// The longest token that a caller can allow, in bytes.
pub const MAX_LONG_TOKEN_LEN: usize = 1024 * 1024;

/// The longest `kid` of a key, in bytes.
pub const MAX_KID_LEN: usize = 256;

/// The longest encoded header of a token of at most [`MAX_TOKEN_LEN`], in bytes: enough for every
/// `kid` and `typ` that an issuer may have, with escapes. Longer headers are never cached.
pub(crate) const MAX_HEADER_LEN: usize = 8192;

/// The length and the spelling of the tokens that are read.
#[derive(Clone, Copy, Debug)]
pub struct TokenForm {
    /// The longest token, in bytes, at most [`MAX_LONG_TOKEN_LEN`].
    pub max_len: usize,
    /// Whether the base64url of a segment may be padded. The signature is over the padded text.
    pub may_be_padded: bool,
}

/// The segments of a token.
pub(crate) struct Segments<'t> {
    /// The encoded header.
    pub header: &'t [u8],
    /// The encoded payload.
    pub payload: &'t [u8],
    /// The signing input: header and payload, and the dot between them.
    pub signed: &'t [u8],
}

impl Default for TokenForm {
    fn default() -> Self {
        Self { max_len: MAX_TOKEN_LEN, may_be_padded: false }
    }
}

impl TokenForm {
    /// Splits a token and decodes its signature.
    pub(crate) fn split<'t>(
        self,
        token: &'t [u8],
        signature: &mut Vec<u8>,
    ) -> Result<Segments<'t>, Malformation> {
        if token.len() > self.max_len {
            return Err(Malformation::TooLong);
        }
        let first = memchr(b'.', token).ok_or_else(|| not_three(token))?;
        let second = memchr(b'.', &token[first + 1..]).ok_or_else(|| not_three(token))? + first + 1;
        let third = &token[second + 1..];
        self.decode_into(third, Segment::Signature, signature).map_err(|fault| {
            // The alphabet has no dot, so a fourth segment fails.
            if memchr(b'.', third).is_some() { not_three(token) } else { fault }
        })?;
        Ok(Segments {
            header: &token[..first],
            payload: &token[first + 1..second],
            signed: &token[..second],
        })
    }

    /// Decodes a header to its JSON.
    pub(crate) fn decode_header(self, segment: &[u8]) -> Result<Vec<u8>, Malformation> {
        if segment.len() > self.max_header_len() {
            return Err(Malformation::LongHeader);
        }
        let mut json = Vec::new();
        match self.decode_into(segment, Segment::Header, &mut json) {
            Err(_) if has_scheme(segment) => Err(Malformation::Scheme),
            decoded => decoded.map(|()| json),
        }
    }

    /// Replaces the contents of `out` with the bytes of the encoded payload.
    pub(crate) fn decode_payload(
        self,
        payload: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Malformation> {
        self.decode_into(payload, Segment::Payload, out)
    }

    fn decode_into(
        self,
        text: &[u8],
        segment: Segment,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformation> {
        let bare = if self.may_be_padded { without_padding(text) } else { text };
        base64url::decode_into(bare, out).ok_or_else(|| {
            let is_padded = !self.may_be_padded && text.last() == Some(&b'=');
            if is_padded { Malformation::Padded } else { Malformation::Encoding(segment) }
        })
    }

    /// Tokens longer than usual are those that carry certificates in their header, so that header
    /// may take the whole token.
    fn max_header_len(self) -> usize {
        if self.max_len > MAX_TOKEN_LEN { self.max_len } else { MAX_HEADER_LEN }
    }
}

/// The fault of a token that does not have three segments.
fn not_three(token: &[u8]) -> Malformation {
    match token {
        [] => Malformation::NoToken,
        _ if has_scheme(token) => Malformation::Scheme,
        _ if memchr::memchr_iter(b'.', token).count() == 4 => Malformation::Encrypted,
        _ => Malformation::Segments,
    }
}

/// Whether a text begins with the scheme of an Authorization header.
fn has_scheme(text: &[u8]) -> bool {
    text.split_at_checked("bearer ".len())
        .is_some_and(|(start, _)| start.eq_ignore_ascii_case(b"bearer "))
}

/// A segment without its padding (RFC 4648 section 3.2). Wrong padding stays, and is then refused
/// as base64url.
fn without_padding(segment: &[u8]) -> &[u8] {
    if !segment.len().is_multiple_of(4) {
        return segment;
    }
    segment.strip_suffix(b"==").or_else(|| segment.strip_suffix(b"=")).unwrap_or(segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_taken_off_only_if_it_is_whole() {
        let form = TokenForm { may_be_padded: true, ..TokenForm::default() };
        let mut out = Vec::new();
        for (text, bytes) in [
            ("", &b""[..]),
            ("QQ==", b"A"),
            ("QQ", b"A"),
            ("QUI=", b"AB"),
            ("QUI", b"AB"),
            ("QUJD", b"ABC"),
            ("QUJDRA==", b"ABCD"),
        ] {
            assert_eq!(form.decode_payload(text.as_bytes(), &mut out), Ok(()), "{text}");
            assert_eq!(out, bytes);
            let strict = TokenForm::default().decode_payload(text.as_bytes(), &mut out);
            assert_eq!(strict.is_ok(), !text.contains('='), "{text}");
        }
        for text in [
            "=", "==", "===", "====", "Q=", "Q==", "Q===", "QQ=", "QQ===", "QR==", "QUI==", "QUJ=",
            "QUJD=", "QUJD==", "QUJD====", "=QQ=", "QQ= =", "QQ==QQ==", "QQ%3D%3D",
        ] {
            let refused = form.decode_payload(text.as_bytes(), &mut out);
            assert_eq!(refused, Err(Malformation::Encoding(Segment::Payload)), "{text}");
        }
    }
}
