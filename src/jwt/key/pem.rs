//! Reads keys from PEM files.

use super::der::Form;
use super::error::{invalid, unusable};
use super::key::Key;
use crate::error::{Error, Result};
use crate::jwt::algorithm::Algorithm;
use crate::secret::{Depth, Secret, TraceGuard};

/// The longest PEM or DER that can be read, in bytes.
pub const MAX_KEY_LEN: usize = 64 * 1024;

const BEGIN: &[u8] = b"-----BEGIN ";
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

impl Key {
    /// Reads a key from a PEM file (RFC 7468) with exactly one section, encrypted if there is a
    /// passphrase: see [`Self::open_der`]. Text before the section is ignored.
    pub fn open_pem(
        pem: &[u8],
        passphrase: Option<&[u8]>,
        algorithm: Algorithm,
        kid: Option<&str>,
    ) -> Result<Self> {
        if pem.len() > MAX_KEY_LEN {
            return Err(invalid("the PEM is longer than 64 KiB; give the key alone"));
        }
        let pem = pem.strip_prefix(BYTE_ORDER_MARK).unwrap_or(pem);
        match memchr::memmem::find_iter(pem, BEGIN).count() {
            0 => return Err(invalid("the PEM has no section; pass DER to fromDer")),
            1 => {}
            _ => {
                return Err(invalid(
                    "the PEM must have one section; pass the section of the key alone",
                ));
            }
        }
        let label = pem_rfc7468::decode_label(pem).map_err(|_| malformed())?;
        let form = Form::of_label(label).ok_or_else(|| foreign(label))?;
        if memchr::memmem::find(pem, b"Proc-Type: 4,ENCRYPTED").is_some() {
            return Err(invalid(
                "the key has OpenSSL's legacy encryption; convert it to PKCS#8: openssl pkcs8 \
                 -topk8",
            ));
        }
        let decode = |room: &mut [u8]| match pem_rfc7468::decode(pem, room) {
            Ok((_, der)) => Ok(der.len()),
            Err(_) => Err(malformed()),
        };
        let key_text = &pem[memchr::memmem::find(pem, BEGIN).unwrap_or_default()..];
        // Four characters decode to at most three bytes.
        let room = key_text.len().div_ceil(4) * 3;
        let read = |der: &[u8]| {
            if Form::of(der) != Some(form) {
                return Err(unusable(algorithm.name()));
            }
            Self::open_form(form, der, passphrase, algorithm, kid)
        };
        if form.is_public() {
            let mut der = vec![0; room];
            let length = decode(&mut der)?;
            return read(&der[..length]);
        }
        let der = Secret::filled_up_to(room, decode)?;
        TraceGuard::run(Depth::Registers, |trace| read(der.expose(trace)))
    }

    /// As [`Self::open_pem`], for a key that is not encrypted.
    #[cfg(test)]
    pub fn from_pem(pem: &[u8], algorithm: Algorithm, kid: Option<&str>) -> Result<Self> {
        Self::open_pem(pem, None, algorithm, kid)
    }
}

fn malformed() -> Error {
    invalid(
        "the PEM is malformed: it must have base64 between its two boundary lines, and nothing \
         after them",
    )
}

/// The error for a section that is not a key.
fn foreign(label: &str) -> Error {
    invalid(match label {
        "CERTIFICATE" => {
            "a certificate is not a key; pass its public key: openssl x509 -pubkey -noout"
        }
        "CERTIFICATE REQUEST" => {
            "a certificate request is not a key; pass its public key: openssl req -pubkey -noout"
        }
        "OPENSSH PRIVATE KEY" => {
            "an OpenSSH private key cannot be read; convert it to PEM: ssh-keygen -p -m PKCS8"
        }
        _ => "the PEM's section must be a key in PKCS#8, SPKI, PKCS#1 or SEC 1",
    })
}
