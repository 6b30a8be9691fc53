//! The reasons why a text is no well-formed token, in words for a log.

use super::json::JsonFault;
use super::rejection::Rejection;

/// A segment of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment {
    /// The first.
    Header,
    /// The second.
    Payload,
    /// The third.
    Signature,
}

/// Why a text is no well-formed token. A verifier refuses each with [`Rejection::Malformed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformation {
    /// The token is longer than this many bytes.
    TooLong(usize),
    /// The token has characters that are not ASCII.
    NotAscii,
    /// The token has fewer or more than three segments.
    Segments,
    /// The header is longer than this many bytes.
    LongHeader(usize),
    /// A segment is not canonical base64url.
    Encoding(Segment),
    /// The bytes of a segment are not UTF-8.
    NotUtf8(Segment),
    /// The text of a segment is not an object of the JSON that is read.
    Json(Segment, JsonFault),
    /// The header has no `alg`, or a parameter of the wrong type, one that belongs to other kinds
    /// of payloads, or one whose name is spelled with an escape.
    Parameter(&'static str),
}

impl From<Malformation> for Rejection {
    fn from(_: Malformation) -> Self {
        Self::Malformed
    }
}

impl Malformation {
    /// A sentence that quotes nothing of the token.
    pub fn message(self) -> String {
        let reason = match self {
            Self::TooLong(max) => format!("it is longer than {max} bytes"),
            Self::NotAscii => "it has characters that are not ASCII".into(),
            Self::Segments => "it is not three segments with dots between them".into(),
            Self::LongHeader(max) => format!("its header is longer than {max} bytes"),
            Self::Encoding(segment) => {
                format!("its {} is not base64url as RFC 7515 has it", segment.name())
            }
            Self::NotUtf8(segment) => format!("its {} is not UTF-8", segment.name()),
            Self::Json(segment, fault) => format!("its {} {}", segment.name(), fault.message()),
            Self::Parameter(name) => format!("its header has no acceptable \"{name}\""),
        };
        format!("this is not a well-formed token: {reason}")
    }
}

impl Segment {
    const fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        }
    }
}
