//! Tells the structure of a key's DER from its outermost elements. A key is never parsed as one
//! format and then, after a failure, as another.

use x509_cert::der::{Decode as _, Length, Reader as _, SliceReader};
use x509_cert::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

/// The tags of elements (X.690 section 8).
pub(super) const INTEGER: u8 = 0x02;
/// See [`INTEGER`].
pub(super) const BIT_STRING: u8 = 0x03;
/// See [`INTEGER`].
pub(super) const OCTET_STRING: u8 = 0x04;
/// See [`INTEGER`].
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
/// See [`INTEGER`].
pub(super) const SEQUENCE: u8 = 0x30;

/// The structure of a key's DER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// PKCS#8 `OneAsymmetricKey` (RFC 5958).
    Pkcs8,
    /// PKCS#8 `EncryptedPrivateKeyInfo` (RFC 5958 section 3).
    Encrypted,
    /// `SubjectPublicKeyInfo` (RFC 5280 section 4.1).
    Spki,
    /// PKCS#1 `RSAPrivateKey` (RFC 8017 appendix A.1.2).
    RsaPrivate,
    /// PKCS#1 `RSAPublicKey` (RFC 8017 appendix A.1.1).
    RsaPublic,
    /// SEC 1 `ECPrivateKey` (RFC 5915).
    Ec,
}

/// A private RSA key of two primes has nine numbers.
const MOST_ELEMENTS: usize = 9;

impl Form {
    /// The structure under a PEM label (RFC 7468 sections 10 to 13, and OpenSSL's).
    pub(crate) fn of_label(label: &str) -> Option<Self> {
        Some(match label {
            "PRIVATE KEY" => Self::Pkcs8,
            "ENCRYPTED PRIVATE KEY" => Self::Encrypted,
            "PUBLIC KEY" => Self::Spki,
            "RSA PRIVATE KEY" => Self::RsaPrivate,
            "RSA PUBLIC KEY" => Self::RsaPublic,
            "EC PRIVATE KEY" => Self::Ec,
            _ => return None,
        })
    }

    /// The structure of `der`; `None` if it is none of these, or if bytes follow it: the parsers of
    /// the crypto library ignore trailing bytes.
    pub(crate) fn of(der: &[u8]) -> Option<Self> {
        let Some((SEQUENCE, content, [])) = element(der) else { return None };
        let tags: Vec<u8> = elements(content)?.iter().map(|(tag, _)| *tag).collect();
        Some(match tags[..] {
            [INTEGER, SEQUENCE, OCTET_STRING, ..] => Self::Pkcs8,
            [SEQUENCE, OCTET_STRING] => Self::Encrypted,
            [SEQUENCE, BIT_STRING] => Self::Spki,
            [INTEGER, INTEGER] => Self::RsaPublic,
            [INTEGER, OCTET_STRING, ..] => Self::Ec,
            ref numbers if *numbers == [INTEGER; MOST_ELEMENTS] => Self::RsaPrivate,
            _ => return None,
        })
    }

    /// Whether the structure holds no secret.
    pub(crate) const fn is_public(self) -> bool {
        matches!(self, Self::Spki | Self::RsaPublic)
    }
}

/// Whether this is a certificate (RFC 5280 section 4.1). A certificate request has the same
/// outermost elements, but fewer inside.
pub(super) fn has_form_of_certificate(der: &[u8]) -> bool {
    let Some((SEQUENCE, content, _)) = element(der) else { return false };
    match elements(content).as_deref() {
        Some([(SEQUENCE, signed), (SEQUENCE, _), (BIT_STRING, _)]) => {
            elements(signed).is_none_or(|parts| parts.len() >= 6)
        }
        _ => false,
    }
}

/// Splits `content` into its elements: the tag and the content of each. `None` if one is malformed,
/// or if there are more than nine: no key has more.
pub(super) fn elements(mut content: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut found = Vec::with_capacity(MOST_ELEMENTS);
    while !content.is_empty() {
        let (tag, own, rest) = element(content).filter(|_| found.len() < MOST_ELEMENTS)?;
        found.push((tag, own));
        content = rest;
    }
    Some(found)
}

/// Splits off the first element of `der`: its tag, its content, and the rest of `der`. Accepts any
/// tag, also one that the `der` crate does not know.
pub(super) fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, behind) = der.split_first()?;
    let mut reader = SliceReader::new(behind).ok()?;
    let length = Length::decode(&mut reader).ok()?;
    let content = reader.read_slice(length).ok()?;
    let rest = reader.read_slice(reader.remaining_len()).ok()?;
    Some((tag, content, rest))
}

/// Parses a `SubjectPublicKeyInfo`; `None` if it is malformed or bytes follow it.
pub(super) fn spki(der: &[u8]) -> Option<SubjectPublicKeyInfoRef<'_>> {
    SubjectPublicKeyInfoRef::from_der(der).ok()
}

/// The algorithm and the key of a PKCS#8 structure; `None` if it is malformed.
pub(super) fn pkcs8(der: &[u8]) -> Option<(AlgorithmIdentifierRef<'_>, &[u8])> {
    let (_, content, _) = element(der)?;
    let (_, _, rest) = element(content)?;
    let (_, _, after) = element(rest)?;
    let identifier = AlgorithmIdentifierRef::from_der(rest.strip_suffix(after)?).ok()?;
    let (_, key, _) = element(after)?;
    Some((identifier, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_have_one_length() {
        assert_eq!(element(&[2, 1, 5, 9]), Some((INTEGER, &[5][..], &[9][..])));
        let long = [&[4, 0x81, 0x80][..], &[0; 0x80]].concat();
        assert_eq!(element(&long).map(|(_, content, _)| content.len()), Some(0x80));
        for wrong in [
            &[][..],
            &[2],
            &[2, 2, 1],
            &[2, 0x80, 0, 0],
            &[2, 0x81, 1, 5],
            &[2, 0x82, 0, 1, 5],
            &[2, 0x83, 0, 0, 1, 5],
        ] {
            assert_eq!(element(wrong), None, "{wrong:02x?}");
        }
    }

    #[test]
    fn what_follows_is_noticed() {
        assert_eq!(Form::of(&[0x30, 6, 2, 1, 7, 2, 1, 3]), Some(Form::RsaPublic));
        assert_eq!(Form::of(&[0x30, 6, 2, 1, 7, 2, 1, 3, 0]), None);
        assert_eq!(Form::of(&[0x30, 7, 2, 1, 7, 2, 1, 3, 0]), None);
        assert_eq!(Form::of(&[]), None);
    }
}
