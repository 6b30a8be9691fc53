//! Takes the public key of an X.509 certificate (RFC 5280).

use x509_cert::certificate::{CertificateInner, Profile};
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::serial_number::SerialNumber;
use x509_cert::{der, time::Time};

use super::der::{Form, SEQUENCE, element};
use super::error::{invalid, unusable};
use super::key::Key;
use super::pem::{MAX_KEY_LEN, only_section};
use super::sections::malformed;
use crate::error::{Error, Result};
use crate::jwt::algorithm::Algorithm;

/// Reads certificates whatever their serial number and dates are: only the key is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct AnyIssuer;

impl Profile for AnyIssuer {
    fn check_serial_number(_: &SerialNumber<Self>) -> der::Result<()> {
        Ok(())
    }

    fn time_encoding(time: Time) -> der::Result<Time> {
        Ok(time)
    }
}

impl Key {
    /// Takes the public key of one certificate in PEM or DER. Nothing else of the certificate is
    /// checked: neither its signature, nor its chain, its dates and its purpose.
    pub fn from_certificate(
        certificate: &[u8],
        algorithm: Algorithm,
        kid: Option<&str>,
    ) -> Result<Self> {
        // A length of 128 bytes or more follows the tag; in UTF-8 no such byte follows a digit.
        if matches!(certificate, [SEQUENCE, 0x80..=0xff, ..]) {
            return Self::from_certificate_der(certificate, algorithm, kid);
        }
        let is_certificate = |label: &str| label.ends_with("CERTIFICATE");
        let absent = |_: &str| invalid("the PEM has no certificate; JwtKey.fromPem reads keys");
        let section = only_section(certificate, is_certificate, absent)?.ok_or_else(|| {
            invalid("the PEM must have one certificate; pass the section of the leaf alone")
        })?;
        let mut der = vec![0; section.room()];
        let length = section.decode(&mut der).ok_or_else(|| malformed(certificate))?;
        let mut der = &der[..length];
        // OpenSSL's trust settings follow the certificate.
        if let ("TRUSTED CERTIFICATE", Some((_, _, rest))) = (section.label, element(der)) {
            der = &der[..length - rest.len()];
        }
        Self::from_certificate_der(der, algorithm, kid)
    }

    fn from_certificate_der(der: &[u8], algorithm: Algorithm, kid: Option<&str>) -> Result<Self> {
        if der.len() > MAX_KEY_LEN {
            return Err(invalid("the certificate must be at most 64 KiB long"));
        }
        // `from_der` refuses bytes after the certificate.
        let certificate =
            CertificateInner::<AnyIssuer>::from_der(der).map_err(|_| not_a_certificate(der))?;
        let info = certificate.tbs_certificate().subject_public_key_info();
        let info = info.to_der().map_err(|_| not_a_certificate(der))?;
        let key = algorithm.scheme().public_key(Form::Spki, &info)?;
        Self::from_public(key.ok_or_else(|| unusable(algorithm.name()))?, algorithm, kid)
    }
}

fn not_a_certificate(der: &[u8]) -> Error {
    invalid(match Form::of(der) {
        Some(_) => "this is a key, not a certificate; pass it to fromDer",
        None => "this is not an X.509 certificate in PEM or DER",
    })
}
