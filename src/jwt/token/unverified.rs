//! Reads a token that nobody has verified, as a verifier with the right key reads it.

use super::compact::TokenForm;
use super::header::Header;
use super::json::read_object;
use super::malformation::{Malformation, Segment};

/// The JSON of a token's header and of its payload.
#[derive(Debug)]
pub struct Unverified {
    /// The header.
    pub header: String,
    /// The payload.
    pub payload: String,
}

impl Unverified {
    /// Reads a token. It is refused if a verifier with the right key would call it malformed. A
    /// token that a verifier refuses for its algorithm, its key, its signature or its claims is
    /// read.
    pub fn read(token: &[u8], form: TokenForm) -> Result<Self, Malformation> {
        let (mut signature, mut payload) = (Vec::new(), Vec::new());
        let segments = form.split(token, &mut signature)?;
        let header = form.decode_header(segments.header)?;
        let _not_only_malformed = Header::examine(&header)?;
        form.decode_payload(segments.payload, &mut payload)?;
        let payload = text(payload, Segment::Payload)?;
        read_object(&payload, |_, _| {})
            .map_err(|fault| Malformation::Json(Segment::Payload, fault))?;
        Ok(Self { header: text(header, Segment::Header)?, payload })
    }
}

fn text(bytes: Vec<u8>, segment: Segment) -> Result<String, Malformation> {
    String::from_utf8(bytes).map_err(|_| Malformation::NotUtf8(segment))
}
