//! The sections of a PEM file, in the lax grammar of RFC 7468 section 3.
//!
//! `pem-rfc7468` reads the strict grammar: lines of one length and nothing after the file. Other
//! tools write every line length, blank lines and text around the sections, so the boundaries are
//! found here. `base64ct` decodes what is between them, in constant time.

use base64ct::{Base64, Encoding as _};
use memchr::memmem;

use super::error::invalid;
use crate::error::{Error, Result};

const BEGIN: &[u8] = b"-----BEGIN ";
const DASHES: &[u8] = b"-----";
/// The base64 of [`BEGIN`], as far as it depends on that alone.
const BEGIN_IN_BASE64: &[u8] = b"LS0tLS1CRUdJTi";

const BARE_BASE64: &str = "this is base64 without BEGIN and END lines; pass the bytes that it encodes \
                           as DER, to fromDer or fromCertificate: Buffer.from(text, 'base64')";

/// A section: the text between two boundaries with the same label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Section<'a> {
    /// The label.
    pub label: &'a str,
    /// The base64, with white space anywhere.
    body: &'a [u8],
}

impl<'a> Section<'a> {
    /// The sections of `pem`. A boundary begins a line, after white space; other lines around the
    /// sections are text and are ignored. `ERR_JWT_KEY` if a section has no end.
    pub(super) fn all(pem: &'a [u8]) -> Result<Vec<Self>> {
        let mut sections = Vec::new();
        let mut rest = 0;
        while let Some(found) = memmem::find(&pem[rest..], BEGIN) {
            let begin = rest + found;
            rest = begin + BEGIN.len();
            let Some(label) = begins_line(&pem[..begin]).then(|| label(&pem[rest..])).flatten()
            else {
                continue;
            };
            let after = &pem[rest + label.len() + DASHES.len()..];
            let end = format!("-----END {label}-----");
            let body = memmem::find(after, end.as_bytes()).map(|length| &after[..length]);
            if is_text(after, body) {
                continue;
            }
            let body = body.ok_or_else(|| malformed(pem))?;
            sections.push(Section { label, body });
            rest = pem.len() - after.len() + body.len() + end.len();
        }
        Ok(sections)
    }

    /// The room that [`Self::decode`] needs, in bytes.
    pub(super) fn room(&self) -> usize {
        self.body.len()
    }

    /// Decodes the section to the start of `room`, and returns the length of the bytes; `None` if
    /// the section is malformed.
    pub(super) fn decode(&self, room: &mut [u8]) -> Option<usize> {
        let mut length = 0;
        for byte in self.body.iter().filter(|byte| !is_white(**byte)) {
            *room.get_mut(length)? = *byte;
            length += 1;
        }
        Base64::decode_in_place(&mut room[..length]).ok().map(<[u8]>::len)
    }
}

/// The error for a PEM file that cannot be read.
pub(super) fn malformed(pem: &[u8]) -> Error {
    invalid(if memmem::find(pem, br"\n").is_some() {
        "the line ends of the PEM are the two characters \\n, as environment files hold them; \
         replace them: pem.replaceAll('\\\\n', '\\n')"
    } else {
        "the PEM is malformed: it must have padded base64 between a BEGIN and an END line with \
         the same label, and no headers"
    })
}

/// The error for a PEM file without a section.
pub(super) fn no_section(pem: &[u8]) -> Error {
    if memmem::find(pem, BEGIN).is_none() {
        return invalid(match pem.trim_ascii_start() {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "the PEM is in UTF-16; save it as UTF-8",
            text if text.starts_with(BEGIN_IN_BASE64) => {
                "the PEM is encoded in base64; decode it first: Buffer.from(text, 'base64')"
            }
            text if is_base64_of_der(text) => BARE_BASE64,
            _ => "the PEM has no section; pass DER to fromDer",
        });
    }
    if memmem::find(pem, br"\n").is_some() {
        return malformed(pem);
    }
    invalid("the PEM must have its BEGIN at the start of a line; remove the text before it")
}

/// The error for text in the place of DER; `None` if this is no text of a key.
pub(super) fn text_of_der(bytes: &[u8]) -> Option<Error> {
    if memmem::find(bytes, BEGIN).is_some() {
        return Some(invalid("this is PEM, not DER; pass it to fromPem"));
    }
    is_base64_of_der(bytes.trim_ascii_start()).then(|| invalid(BARE_BASE64))
}

/// Whether this is the base64 or base64url of a DER sequence and nothing else.
fn is_base64_of_der(text: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(byte);
    // The first six bits of a sequence's tag. The shortest key, of Ed25519, has 60 characters.
    text.starts_with(b"M")
        && text.len() >= 60
        && text.iter().all(|byte| is_digit(byte) || is_white(*byte))
}

/// The label that `text` begins with, if five dashes follow it.
fn label(text: &[u8]) -> Option<&str> {
    let (label, after) = text.split_at(memchr::memchr(b'-', text)?);
    let is_label = label.iter().all(|byte| (b' '..=b'~').contains(byte));
    std::str::from_utf8(label).ok().filter(|_| is_label && after.starts_with(DASHES))
}

/// Whether a text that follows `before` is the first one in its line.
fn begins_line(before: &[u8]) -> bool {
    let line = before.iter().rposition(|byte| is_line_end(*byte)).map_or(0, |end| end + 1);
    before[line..].iter().all(|byte| is_white(*byte))
}

/// Whether a BEGIN boundary is a part of the text before the sections: other words follow it in its
/// line, and another section begins before its END.
fn is_text(after: &[u8], body: Option<&[u8]>) -> bool {
    let line = after.iter().position(|byte| is_line_end(*byte)).unwrap_or(after.len());
    let has_words = !after[..line].iter().all(|byte| is_white(*byte));
    has_words && memmem::find(body.unwrap_or(after), BEGIN).is_some()
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

/// `W` of RFC 7468 section 3.
fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c)
}
