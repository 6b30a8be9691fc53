//! The reasons why a text is no well-formed token, in words for developers.

use super::json::JsonFault;

/// The header parameters that have one meaning, one type and one spelling.
pub(crate) const STRICT: [&str; 7] = ["alg", "kid", "typ", "crit", "b64", "enc", "zip"];

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

/// Why a text is no well-formed token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformation {
    /// The token is longer than the option `maxBytes` allows.
    TooLong,
    /// There is no token: the value is `undefined`, `null` or an empty string.
    NoToken,
    /// The value is not a string.
    NotText,
    /// The token has characters that are not ASCII.
    NotAscii,
    /// The token has fewer or more than three segments.
    Segments,
    /// The token has the five segments of a JWE (RFC 7516 section 7.1).
    Encrypted,
    /// The token begins with the scheme of an Authorization header (RFC 6750 section 2.1).
    Scheme,
    /// The header is too long.
    LongHeader,
    /// A segment is padded, which is not allowed.
    Padded,
    /// The header has a parameter that tokens of this kind must not have.
    OtherParameter,
    /// A segment is not canonical base64url.
    Encoding(Segment),
    /// The bytes of a segment are not UTF-8.
    NotUtf8(Segment),
    /// The text of a segment is not an object of the JSON that is read.
    Json(Segment, JsonFault),
    /// The header has no `alg`, or a parameter of the wrong type, one that belongs to other kinds
    /// of payloads, or one whose name is spelled with an escape. The parameter is given by its
    /// index in [`STRICT`].
    Parameter(u8),
}

impl Malformation {
    /// A sentence that quotes nothing of the token.
    pub fn message(self) -> String {
        let reason = match self {
            Self::NoToken => return "no token was given".into(),
            Self::NotText => return "the token is not a string".into(),
            Self::TooLong => "it is longer than maxBytes, by default 16 KiB".into(),
            Self::NotAscii => "it has characters that are not ASCII".into(),
            Self::Segments => "it is not three segments with dots between them".into(),
            Self::Encrypted => {
                "it has five segments, as encrypted tokens (JWE) have, which are not supported"
                    .into()
            }
            Self::Scheme => "it begins with \"Bearer \"; pass the text after it".into(),
            Self::LongHeader => {
                "its header is longer than 8 KiB; a maxBytes above 16 KiB allows more".into()
            }
            Self::Padded => "it is padded with \"=\", which padding: 'allow' accepts".into(),
            Self::OtherParameter => {
                "its header has a parameter other than \"alg\", \"kid\" and \"typ\"".into()
            }
            Self::Encoding(segment) => {
                format!("its {} is not base64url as RFC 7515 has it", segment.name())
            }
            Self::NotUtf8(segment) => format!("its {} is not UTF-8", segment.name()),
            Self::Json(segment, fault) => format!("its {} {}", segment.name(), fault.message()),
            Self::Parameter(index) => {
                let name = STRICT.get(usize::from(index)).copied().unwrap_or_default();
                format!("its header has no acceptable \"{name}\"")
            }
        };
        format!("this is not a well-formed token: {reason}")
    }

    /// A number below 256 that no other malformation has.
    pub(super) const fn number(self) -> u32 {
        match self {
            Self::TooLong => 0,
            Self::NoToken => 1,
            Self::NotText => 2,
            Self::NotAscii => 3,
            Self::Segments => 4,
            Self::Encrypted => 5,
            Self::Scheme => 6,
            Self::LongHeader => 7,
            Self::Padded => 8,
            Self::OtherParameter => 9,
            Self::Encoding(segment) => 16 + segment as u32,
            Self::NotUtf8(segment) => 32 + segment as u32,
            Self::Json(segment, fault) => 64 + 16 * (segment as u32) + fault as u32,
            Self::Parameter(index) => 128 + index as u32,
        }
    }

    /// Every malformation.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let plain = [
            Self::TooLong,
            Self::NoToken,
            Self::NotText,
            Self::NotAscii,
            Self::Segments,
            Self::Encrypted,
            Self::Scheme,
            Self::LongHeader,
            Self::Padded,
            Self::OtherParameter,
        ];
        let encodings = Segment::ALL.into_iter().flat_map(|segment| {
            let faults = JsonFault::ALL.into_iter().map(move |fault| Self::Json(segment, fault));
            faults.chain([Self::Encoding(segment), Self::NotUtf8(segment)])
        });
        let parameters = (0..).take(STRICT.len()).map(Self::Parameter);
        plain.into_iter().chain(encodings).chain(parameters)
    }
}

impl Segment {
    const ALL: [Self; 3] = [Self::Header, Self::Payload, Self::Signature];

    const fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        }
    }
}
