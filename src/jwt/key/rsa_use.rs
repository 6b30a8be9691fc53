//! The use that the algorithm identifier of an RSA key permits (RFC 4055 section 1.2).

use pkcs1::RsaPssParamsOwned;
use x509_cert::der::asn1::{AnyRef, ObjectIdentifier};
use x509_cert::spki::AlgorithmIdentifierRef;

use super::error::invalid;
use crate::error::Result;

/// `rsaEncryption`: keys for any padding (RFC 3279 section 2.3.1).
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// `id-RSASSA-PSS`: keys for this padding only (RFC 4055 section 3.1).
const RSASSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
/// `id-mgf1` (RFC 4055 section 2.2).
const MGF1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.8");

/// RSASSA-PSS as in RFC 7518 section 3.5: MGF1 with the same hash, and a salt as long as its
/// output.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pss {
    name: &'static str,
    hash: ObjectIdentifier,
    salt_len: u8,
}

pub(super) static PSS_SHA256: Pss = pss("PS256", "2.16.840.1.101.3.4.2.1", 32);
pub(super) static PSS_SHA384: Pss = pss("PS384", "2.16.840.1.101.3.4.2.2", 48);
pub(super) static PSS_SHA512: Pss = pss("PS512", "2.16.840.1.101.3.4.2.3", 64);

const fn pss(name: &'static str, hash: &'static str, salt_len: u8) -> Pss {
    Pss { name, hash: ObjectIdentifier::new_unwrap(hash), salt_len }
}

impl Pss {
    /// Whether the parameters of a key allow this: the key names the hashes, and the length of the
    /// shortest salt (RFC 4055 section 3.3).
    fn is_allowed_by(&self, key: &RsaPssParamsOwned) -> bool {
        let mask = key.mask_gen.parameters.as_ref().filter(|_| key.mask_gen.oid == MGF1);
        key.hash.oid == self.hash
            && mask.is_some_and(|mask| mask.oid == self.hash)
            && key.salt_len <= self.salt_len
    }
}

/// Whether this identifies an RSA key. `ERR_JWT_KEY` if the key is not for `wanted`, which is
/// `None` for RSASSA-PKCS1-v1_5.
pub(super) fn is_rsa(
    identifier: &AlgorithmIdentifierRef<'_>,
    wanted: Option<&Pss>,
) -> Result<bool> {
    match (identifier.oid, identifier.parameters) {
        (RSA_ENCRYPTION, parameters) => Ok(parameters.is_some_and(AnyRef::is_null)),
        (RSASSA_PSS, None) if wanted.is_some() => Ok(true),
        (RSASSA_PSS, None) => {
            Err(invalid("the key is for RSASSA-PSS only; make it for PS256, PS384 or PS512"))
        }
        (RSASSA_PSS, Some(parameters)) => {
            let Ok(key) = parameters.decode_as::<RsaPssParamsOwned>() else { return Ok(false) };
            let known = [&PSS_SHA256, &PSS_SHA384, &PSS_SHA512];
            match known.into_iter().find(|pss| pss.is_allowed_by(&key)) {
                None => Err(invalid(
                    "the RSASSA-PSS parameters of the key allow no algorithm of JWS; make a key \
                     without parameters: openssl genpkey -algorithm RSA-PSS",
                )),
                Some(allowed) if Some(allowed) == wanted => Ok(true),
                Some(allowed) => Err(invalid(format!(
                    "the RSASSA-PSS parameters of the key allow {} only; make it for that",
                    allowed.name
                ))),
            }
        }
        _ => Ok(false),
    }
}
