//! Private keys under a passphrase: PKCS#8 with PBES2 (RFC 8018 section 6.2), AES or triple DES,
//! and PBKDF2 or scrypt. Triple DES and SHA-1 are only read: they are what older tools write.

use pkcs5::EncryptionScheme;
use pkcs5::pbes2::{DES_EDE3_CBC_OID, Kdf};
use x509_cert::der::asn1::OctetStringRef;
use x509_cert::der::{self, Decode as _};
use x509_cert::spki::AlgorithmIdentifierRef;

use super::der::{Form, element};
use super::error::invalid;
use crate::error::{Error, Result};
use crate::secret::{Depth, Secret, TraceGuard};

/// The largest number of PBKDF2 iterations, which takes about a second. OpenSSL's default is 2048;
/// OWASP asks for 600,000.
const MAX_ITERATIONS: u32 = 2_000_000;
/// The most work for scrypt, as N·r·p in blocks of 128 bytes: 64 MiB, four times OpenSSL's default.
const MAX_SCRYPT: u64 = 1 << 19;

/// Decrypts an `EncryptedPrivateKeyInfo` to PKCS#8. The caller has checked the [`Form`] of `der`.
/// `ERR_JWT_KEY` for an unsupported scheme, too much work, or a wrong passphrase.
pub(super) fn decrypt(der: &[u8], passphrase: &[u8]) -> Result<Secret> {
    let (scheme, ciphertext) = read(der).ok_or_else(unknown)?;
    let parameters = scheme.pbes2().ok_or_else(unknown)?;
    let affordable = match &parameters.kdf {
        Kdf::Pbkdf2(kdf) => kdf.iteration_count <= MAX_ITERATIONS,
        // The library takes the logarithm of N without checking that N is not 0.
        Kdf::Scrypt(kdf) if kdf.cost_parameter == 0 => return Err(unknown()),
        Kdf::Scrypt(kdf) => {
            let blocks = kdf.cost_parameter.checked_mul(u64::from(kdf.block_size));
            let blocks = blocks.and_then(|n| n.checked_mul(u64::from(kdf.parallelization)));
            blocks.is_some_and(|blocks| blocks <= MAX_SCRYPT)
        }
        _ => return Err(unknown()),
    };
    if !affordable {
        return Err(invalid(format!(
            "the key's encryption needs too much work; encrypt it again with at most \
             {MAX_ITERATIONS} iterations of PBKDF2, or 64 MiB of scrypt"
        )));
    }
    TraceGuard::run(Depth::Derivation, |trace| {
        let key = Secret::filled_up_to(ciphertext.len(), |room| {
            room.copy_from_slice(ciphertext);
            parameters.decrypt_in_place(passphrase, room).map(<[u8]>::len).map_err(failed)
        })?;
        // A wrong passphrase yields valid padding about once in 256 times.
        if Form::of(key.expose(trace)) == Some(Form::Pkcs8) { Ok(key) } else { Err(wrong()) }
    })
}

fn read(der: &[u8]) -> Option<(EncryptionScheme, &[u8])> {
    let (_, content, _) = element(der)?;
    let (_, _, rest) = element(content)?;
    let (_, ciphertext, _) = element(rest)?;
    let scheme = content.strip_suffix(rest)?;
    if !has_whole_vector(scheme) {
        return None;
    }
    Some((EncryptionScheme::try_from(scheme).ok()?, ciphertext))
}

/// Whether the initialization vector of triple DES has the 8 bytes of a block. The library panics
/// at a shorter one. It checks the vectors of other ciphers itself.
fn has_whole_vector(scheme: &[u8]) -> bool {
    let read = || -> der::Result<bool> {
        let Some(parameters) = AlgorithmIdentifierRef::from_der(scheme)?.parameters else {
            return Ok(false);
        };
        parameters.sequence(|parameters| {
            AlgorithmIdentifierRef::decode(parameters)?;
            let cipher = AlgorithmIdentifierRef::decode(parameters)?;
            let Some(vector) = cipher.parameters else { return Ok(false) };
            let vector = vector.decode_as::<&OctetStringRef>()?;
            Ok(cipher.oid != DES_EDE3_CBC_OID || vector.as_bytes().len() == 8)
        })
    };
    read().unwrap_or(false)
}

fn failed(error: pkcs5::Error) -> Error {
    match error {
        pkcs5::Error::DecryptFailed => wrong(),
        _ => unknown(),
    }
}

fn wrong() -> Error {
    invalid("the passphrase does not decrypt the key")
}

fn unknown() -> Error {
    invalid(
        "the key must be encrypted with PBES2, AES or triple DES, and PBKDF2 or scrypt; encrypt it \
         again: openssl pkcs8 -topk8 -v2 aes-256-cbc",
    )
}
