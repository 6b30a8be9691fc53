//! What structure a key's DER has: told from its outermost elements, never from an attempt to
//! parse it as one and then another.

/// The structure of a key's DER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
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

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// A private RSA key of two primes has nine numbers.
const MOST_ELEMENTS: usize = 9;

impl Form {
    /// The structure under a PEM label (RFC 7468 sections 10 to 13, and OpenSSL's).
    pub fn of_label(label: &str) -> Option<Self> {
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

    /// The structure of `der`, when it is one of these and nothing follows it: the parsers of the
    /// crypto library ignore what does.
    pub fn of(der: &[u8]) -> Option<Self> {
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

    /// Whether it holds no secret.
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Spki | Self::RsaPublic)
    }
}

/// The elements in a row that `content` is: of each its tag and its content. Of nine at most, more
/// than which no key has.
pub fn elements(mut content: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut found = Vec::with_capacity(MOST_ELEMENTS);
    while !content.is_empty() {
        let (tag, own, rest) = element(content).filter(|_| found.len() < MOST_ELEMENTS)?;
        found.push((tag, own));
        content = rest;
    }
    Some(found)
}

/// The first element of `der`: its tag, its content, and what follows. Of at most 64 KiB, in the
/// one length that DER has for it.
pub fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (length, rest) = match *rest {
        [0x82, high, low, ref rest @ ..] if high != 0 => {
            (usize::from(u16::from_be_bytes([high, low])), rest)
        }
        [0x81, length @ 0x80..=0xff, ref rest @ ..] | [length @ 0..=0x7f, ref rest @ ..] => {
            (usize::from(length), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_have_one_length() {
        assert_eq!(element(&[2, 1, 5, 9]), Some((2, &[5][..], &[9][..])));
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
