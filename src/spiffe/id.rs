//! SPIFFE IDs (SPIFFE-ID standard, section 2): `spiffe://<trust domain>/<path>`.
//!
//! Ids are compared byte by byte, so each id has only one spelling: scheme and trust domain are in
//! lower case, and nothing is percent-encoded. If a general parser has to normalize a URI to get an
//! id, that URI is not an id.

use std::fmt;

use crate::error::{Code, Error, Result};

/// The longest id, in bytes (section 2.3).
pub const MAX_ID_LEN: usize = 2048;

/// The longest trust domain name, in bytes (section 2.3).
const MAX_TRUST_DOMAIN_LEN: usize = 255;
const SCHEME: &str = "spiffe://";

/// An id that keeps every rule of the standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpiffeId<'a> {
    uri: &'a str,
    trust_domain: &'a str,
    path: &'a str,
}

impl<'a> SpiffeId<'a> {
    /// Reads an id. The error, [`Code::SpiffeId`], names the rule that is broken and repeats
    /// nothing of the text.
    pub fn parse(uri: &'a str) -> Result<Self> {
        if uri.len() > MAX_ID_LEN {
            return Err(broken("a SPIFFE ID must be at most 2048 bytes long"));
        }
        let rest = uri
            .strip_prefix(SCHEME)
            .ok_or_else(|| broken("a SPIFFE ID must start with \"spiffe://\", in lower case"))?;
        let (trust_domain, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        check_trust_domain(trust_domain)?;
        check_path(path)?;
        Ok(Self { uri, trust_domain, path })
    }

    /// The whole id.
    pub fn uri(&self) -> &'a str {
        self.uri
    }

    /// The name of the trust domain.
    pub fn trust_domain(&self) -> &'a str {
        self.trust_domain
    }

    /// The path with its leading slash; empty for the id of a trust domain itself.
    pub fn path(&self) -> &'a str {
        self.path
    }
}

/// The name of a trust domain.
#[derive(Clone, PartialEq, Eq)]
pub struct TrustDomain(String);

impl TrustDomain {
    /// Reads a trust domain from its name or from its own id: `example.org` or
    /// `spiffe://example.org`. Errors as for [`SpiffeId::parse`].
    pub fn parse(text: &str) -> Result<Self> {
        if !text.contains(':') {
            check_trust_domain(text)?;
            return Ok(Self(text.into()));
        }
        match SpiffeId::parse(text)? {
            SpiffeId { trust_domain, path: "", .. } => Ok(Self(trust_domain.into())),
            _ => Err(broken("the SPIFFE ID of a trust domain must not have a path")),
        }
    }

    /// Whether an id belongs to this trust domain.
    pub fn contains(&self, id: &SpiffeId<'_>) -> bool {
        id.trust_domain == self.0
    }
}

impl fmt::Debug for TrustDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check_trust_domain(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(broken("a SPIFFE ID must have a trust domain"));
    }
    if name.len() > MAX_TRUST_DOMAIN_LEN {
        return Err(broken("a trust domain must be at most 255 bytes long"));
    }
    let is_allowed = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_');
    name.bytes().find(|byte| !is_allowed(byte)).map_or(Ok(()), |byte| {
        Err(broken(match byte {
            b'@' => "a SPIFFE ID must not have user info",
            b':' => "a SPIFFE ID must not have a port",
            b'A'..=b'Z' => "a trust domain must be in lower case",
            other => foreign(other).unwrap_or(
                "a trust domain must have only letters, digits, dots, dashes and underscores",
            ),
        }))
    })
}

fn check_path(path: &str) -> Result<()> {
    let Some(segments) = path.strip_prefix('/') else { return Ok(()) };
    if path.ends_with('/') {
        return Err(broken("the path of a SPIFFE ID must not end with a slash"));
    }
    segments.split('/').try_for_each(|segment| match segment {
        "" => Err(broken("the path of a SPIFFE ID must not have an empty segment")),
        "." | ".." => {
            Err(broken("the path of a SPIFFE ID must not have a segment \".\" or \"..\""))
        }
        _ => check_segment(segment),
    })
}

fn check_segment(segment: &str) -> Result<()> {
    let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    segment.bytes().find(|byte| !is_allowed(byte)).map_or(Ok(()), |byte| {
        Err(broken(foreign(byte).unwrap_or(
            "the path of a SPIFFE ID must have only letters, digits, dots, dashes and underscores",
        )))
    })
}

/// The rule against percent-encoding, or against a character that begins another part of a URI.
/// `None` for any other character.
fn foreign(byte: u8) -> Option<&'static str> {
    match byte {
        b'%' => Some("a SPIFFE ID must not be percent-encoded"),
        b'?' => Some("a SPIFFE ID must not have a query"),
        b'#' => Some("a SPIFFE ID must not have a fragment"),
        _ => None,
    }
}

fn broken(rule: &'static str) -> Error {
    Error::new(Code::SpiffeId, rule)
}

#[cfg(test)]
mod tests;
