//! Reads the SPIFFE ID from a peer's certificate (X509-SVID standard, sections 2 to 5.2).
//!
//! The checks here are the rules for a leaf that TLS does not check. TLS checks the chain, its
//! signatures and its dates, and has accepted the certificate before anyone asks for the id.

use std::collections::HashSet;

use x509_cert::certificate::{TbsCertificate, Version};
use x509_cert::der::oid::db::rfc5280::{ID_KP_CLIENT_AUTH, ID_KP_SERVER_AUTH};
use x509_cert::der::oid::{AssociatedOid, ObjectIdentifier};
use x509_cert::der::{self, Decode};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAltName};
use x509_cert::{Certificate, ext::Extension};

use super::SpiffeId;
use crate::error::{Code, Error, Result};

/// The longest certificate that is read, in bytes of DER.
const MAX_LEN: usize = 64 * 1024;

/// The encoding of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// The bytes of one certificate.
    Der,
    /// One PEM block (RFC 7468) with the label `CERTIFICATE`. Text may come before it, and white
    /// space after it.
    Pem,
}

/// Reads the SPIFFE ID of a leaf certificate. The error, [`Code::SpiffeCertificate`], names the
/// rule that the certificate breaks, also if its URI is not a SPIFFE ID.
pub fn id_of(bytes: &[u8], encoding: Encoding) -> Result<String> {
    // Base64 and line ends make a PEM less than half as long again as its DER.
    if bytes.len() > MAX_LEN * 3 / 2 {
        return Err(broken("a certificate must be at most 64 KiB long"));
    }
    match encoding {
        Encoding::Der => id_of_der(bytes),
        Encoding::Pem => match pem_rfc7468::decode_vec(bytes.trim_ascii_end()) {
            Ok(("CERTIFICATE", der)) => id_of_der(&der),
            Ok(_) => Err(broken("the PEM must have the label CERTIFICATE")),
            Err(_) => Err(broken("the PEM must hold one certificate, the leaf, and nothing else")),
        },
    }
}

fn id_of_der(der: &[u8]) -> Result<String> {
    if der.len() > MAX_LEN {
        return Err(broken("a certificate must be at most 64 KiB long"));
    }
    if der.starts_with(b"-----BEGIN") {
        return Err(broken("bytes must be DER; pass a PEM as a string"));
    }
    // `from_der` refuses bytes after the certificate.
    let certificate = Certificate::from_der(der)
        .map_err(|_| broken("the certificate must be one X.509 certificate in DER"))?;
    let certificate = certificate.tbs_certificate();
    if certificate.version() != Version::V3 {
        return Err(broken("the certificate must have version 3"));
    }
    let extensions = certificate.extensions().map_or(&[][..], Vec::as_slice);
    let mut seen = HashSet::new();
    if !extensions.iter().all(|extension| seen.insert(extension.extn_id)) {
        return Err(broken("the certificate must not have an extension twice"));
    }
    check_is_leaf(extensions)?;
    check_purposes(extensions)?;
    uri_of(certificate, extensions)
}

/// Checks that the key may not sign certificates, and that it may make digital signatures.
fn check_is_leaf(extensions: &[Extension]) -> Result<()> {
    // Without the extension, a certificate is not of an authority (RFC 5280 section 4.2.1.9).
    if let Some((_, constraints)) = find::<BasicConstraints>(extensions)? {
        if constraints.ca {
            return Err(broken("the certificate must not be an authority's: cA must be false"));
        }
        if constraints.path_len_constraint.is_some() {
            return Err(broken(
                "the certificate must not have a pathLenConstraint, which is for authorities only",
            ));
        }
    }
    let (critical, usage) = find::<KeyUsage>(extensions)?
        .ok_or_else(|| broken("the certificate must have a keyUsage"))?;
    if !critical {
        return Err(broken("the keyUsage must be critical"));
    }
    if !usage.digital_signature() {
        return Err(broken("the keyUsage must have digitalSignature"));
    }
    if usage.key_cert_sign() || usage.crl_sign() {
        return Err(broken("the keyUsage must not have keyCertSign or cRLSign"));
    }
    Ok(())
}

fn check_purposes(extensions: &[Extension]) -> Result<()> {
    let Some((_, ExtendedKeyUsage(purposes))) = find(extensions)? else { return Ok(()) };
    let has = |purpose: ObjectIdentifier| purposes.contains(&purpose);
    if has(ID_KP_SERVER_AUTH) && has(ID_KP_CLIENT_AUTH) {
        Ok(())
    } else {
        Err(broken("the extended keyUsage must have serverAuth and clientAuth"))
    }
}

/// The only URI among the subject's alternative names, which must be an id with a path.
fn uri_of(certificate: &TbsCertificate, extensions: &[Extension]) -> Result<String> {
    let (critical, SubjectAltName(names)) = find(extensions)?
        .ok_or_else(|| broken("the certificate must have a subjectAltName with a URI"))?;
    if !critical && certificate.subject().is_empty() {
        return Err(broken("the subjectAltName must be critical if the subject is empty"));
    }
    let mut uris = names.iter().filter_map(|name| match name {
        GeneralName::UniformResourceIdentifier(uri) => Some(uri.as_str()),
        _ => None,
    });
    let (Some(uri), None) = (uris.next(), uris.next()) else {
        return Err(broken("the subjectAltName must have exactly one URI"));
    };
    let id =
        SpiffeId::parse(uri).map_err(|error| Error { code: Code::SpiffeCertificate, ..error })?;
    match id.path() {
        "" => {
            Err(broken("the SPIFFE ID of a leaf must have a path: this one names a trust domain"))
        }
        _ => Ok(uri.into()),
    }
}

/// Finds an extension, and whether it is critical; `None` if the certificate does not have it.
fn find<'a, T>(extensions: &'a [Extension]) -> Result<Option<(bool, T)>>
where
    T: Decode<'a, Error = der::Error> + AssociatedOid,
{
    let Some(found) = extensions.iter().find(|extension| extension.extn_id == T::OID) else {
        return Ok(None);
    };
    T::from_der(found.extn_value.as_bytes())
        .map(|value| Some((found.critical, value)))
        .map_err(|_| broken("an extension of the certificate is malformed"))
}

fn broken(rule: &'static str) -> Error {
    Error::new(Code::SpiffeCertificate, rule)
}

#[cfg(test)]
mod tests;
