//! Reads keys from PEM files.

use super::der::Form;
use super::error::{invalid, is_certificate, unusable};
use super::key::Key;
use super::sections::{Section, malformed, no_section};
use crate::error::{Error, Result};
use crate::jwt::algorithm::Algorithm;
use crate::secret::{Depth, Secret, TraceGuard};

/// The longest PEM or DER that can be read, in bytes.
pub const MAX_KEY_LEN: usize = 64 * 1024;

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

impl Key {
    /// Reads a key from a PEM file (RFC 7468) with exactly one key, encrypted if there is a
    /// passphrase: see [`Self::open_der`]. Ignores sections that are no keys, such as certificates
    /// and the parameters of a curve, and text around the sections.
    pub fn open_pem(
        pem: &[u8],
        passphrase: Option<&[u8]>,
        algorithm: Algorithm,
        kid: Option<&str>,
    ) -> Result<Self> {
        let section = only_section(pem, |label| label.ends_with("KEY"), foreign)?
            .ok_or_else(|| invalid("the PEM must have one key; pass the section of one alone"))?;
        let form = Form::of_label(section.label).ok_or_else(|| foreign(section.label))?;
        if memchr::memmem::find(pem, b"Proc-Type: 4,ENCRYPTED").is_some() {
            return Err(invalid(
                "the key has OpenSSL's legacy encryption; convert it to PKCS#8: openssl pkcs8 \
                 -topk8",
            ));
        }
        let decode = |room: &mut [u8]| section.decode(room).ok_or_else(|| malformed(pem));
        let read = |der: &[u8]| {
            if Form::of(der) != Some(form) {
                return Err(unusable(algorithm.name()));
            }
            Self::open_form(form, der, passphrase, algorithm, kid)
        };
        if form.is_public() {
            let mut der = vec![0; section.room()];
            let length = decode(&mut der)?;
            return read(&der[..length]);
        }
        let der = Secret::filled_up_to(section.room(), decode)?;
        TraceGuard::run(Depth::Registers, |trace| read(der.expose(trace)))
    }

    /// As [`Self::open_pem`], for a key that is not encrypted.
    #[cfg(test)]
    pub fn from_pem(pem: &[u8], algorithm: Algorithm, kid: Option<&str>) -> Result<Self> {
        Self::open_pem(pem, None, algorithm, kid)
    }
}

/// The section whose label is `wanted`, or `None` if several are. If none is, the error is `absent`
/// for the label of the first section.
pub(super) fn only_section(
    pem: &[u8],
    wanted: impl Fn(&str) -> bool,
    absent: impl Fn(&str) -> Error,
) -> Result<Option<Section<'_>>> {
    if pem.len() > MAX_KEY_LEN {
        return Err(invalid("the PEM is longer than 64 KiB; give the key alone"));
    }
    let sections = Section::all(pem.strip_prefix(BYTE_ORDER_MARK).unwrap_or(pem))?;
    let other = sections.first().ok_or_else(|| no_section(pem))?;
    let mut found = sections.iter().filter(|section| wanted(section.label));
    let section = *found.next().ok_or_else(|| absent(other.label))?;
    Ok(found.next().is_none().then_some(section))
}

/// The error for a section that is not a key.
fn foreign(label: &str) -> Error {
    invalid(match label {
        label if label.ends_with("CERTIFICATE") => return is_certificate(),
        "CERTIFICATE REQUEST" => {
            "a certificate request is not a key; pass its public key: openssl req -pubkey -noout"
        }
        "OPENSSH PRIVATE KEY" => {
            "an OpenSSH private key cannot be read; convert it to PEM: ssh-keygen -p -m PKCS8"
        }
        _ => "the PEM's section must be a key in PKCS#8, SPKI, PKCS#1 or SEC 1",
    })
}
