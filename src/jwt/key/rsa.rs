//! RSASSA-PKCS1-v1_5 and RSASSA-PSS (RFC 7518 sections 3.3 and 3.5).

use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize, PublicKey as RsaPublicKey};
use aws_lc_rs::signature::{
    self, KeyPair as _, ParsedPublicKey, RsaEncoding, RsaParameters, RsaPublicKeyComponents,
};
use serde_json::{Map, Value};

use super::der::{Form, pkcs8, spki};
use super::error::{invalid, not_encoded, not_generated, not_signed, unusable};
use super::jwk::{PublicJwk, number};
use super::key_type::KeyType;
use super::roca::has_fingerprint;
use super::rsa_use::{PSS_SHA256, PSS_SHA384, PSS_SHA512, Pss, is_rsa};
use super::scheme::{PrivateKey, PublicKey, Scheme, SignatureVerifier, Signer};
use crate::error::Result;
use crate::secret::{ParsedKey, Secret};

/// The permitted lengths of moduli, in bits (RFC 7518 section 3.3 asks for at least 2048).
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// RSA with a hash and a padding.
pub(crate) struct Rsa {
    verifying: &'static RsaParameters,
    signing: &'static dyn RsaEncoding,
    /// `None` for RSASSA-PKCS1-v1_5.
    pss: Option<&'static Pss>,
}

/// `RS256`
pub(crate) static RS256: Rsa = Rsa {
    verifying: &signature::RSA_PKCS1_2048_8192_SHA256,
    signing: &signature::RSA_PKCS1_SHA256,
    pss: None,
};
/// `RS384`
pub(crate) static RS384: Rsa = Rsa {
    verifying: &signature::RSA_PKCS1_2048_8192_SHA384,
    signing: &signature::RSA_PKCS1_SHA384,
    pss: None,
};
/// `RS512`
pub(crate) static RS512: Rsa = Rsa {
    verifying: &signature::RSA_PKCS1_2048_8192_SHA512,
    signing: &signature::RSA_PKCS1_SHA512,
    pss: None,
};
/// `PS256`
pub(crate) static PS256: Rsa = Rsa {
    verifying: &signature::RSA_PSS_2048_8192_SHA256,
    signing: &signature::RSA_PSS_SHA256,
    pss: Some(&PSS_SHA256),
};
/// `PS384`
pub(crate) static PS384: Rsa = Rsa {
    verifying: &signature::RSA_PSS_2048_8192_SHA384,
    signing: &signature::RSA_PSS_SHA384,
    pss: Some(&PSS_SHA384),
};
/// `PS512`
pub(crate) static PS512: Rsa = Rsa {
    verifying: &signature::RSA_PSS_2048_8192_SHA512,
    signing: &signature::RSA_PSS_SHA512,
    pss: Some(&PSS_SHA512),
};

impl Rsa {
    fn private(&self, pair: KeyPair) -> Result<Option<PrivateKey>> {
        let Some(public) = self.public(&jwk_of(pair.public_key()))? else { return Ok(None) };
        // The library wipes this encoding when it is dropped.
        let der: Pkcs8V1Der<'static> = pair.as_der().map_err(|_| not_encoded())?;
        let original = Secret::copy_from(der.as_ref())?;
        let signer = Arc::new(RsaSigner { pair: ParsedKey::new(pair), padding: self.signing });
        let PublicKey { jwk, verifier } = public;
        Ok(Some(PrivateKey { signer, verifier, public: Some(jwk), original }))
    }

    fn public(&self, (n, e): &(Vec<u8>, Vec<u8>)) -> Result<Option<PublicKey>> {
        check_numbers(n, e)?;
        let components = RsaPublicKeyComponents { n, e };
        let Ok(parsed) = components.to_parsed_public_key(self.verifying) else { return Ok(None) };
        let jwk = PublicJwk::new(&[("e", e), ("n", n)], KeyType::Rsa);
        Ok(Some(PublicKey { jwk, verifier: Arc::new(RsaVerifier(parsed)) }))
    }
}

impl Scheme for Rsa {
    fn key_type(&self) -> KeyType {
        KeyType::Rsa
    }

    fn generate(&self, modulus_bits: Option<u32>) -> Result<PrivateKey> {
        let size = match modulus_bits.unwrap_or(2048) {
            2048 => KeySize::Rsa2048,
            3072 => KeySize::Rsa3072,
            4096 => KeySize::Rsa4096,
            _ => return Err(invalid("modulusLength must be 2048, 3072 or 4096")),
        };
        let pair = KeyPair::generate(size).map_err(|_| not_generated())?;
        self.private(pair)?.ok_or_else(not_generated)
    }

    fn private_key(&self, form: Form, der: &[u8]) -> Result<Option<PrivateKey>> {
        let pair = match form {
            // The library knows no keys for RSASSA-PSS, so it gets the PKCS#1 that is inside.
            Form::Pkcs8 => match pkcs8(der) {
                Some((identifier, key))
                    if Form::of(key) == Some(Form::RsaPrivate)
                        && is_rsa(&identifier, self.pss)? =>
                {
                    KeyPair::from_der(key)
                }
                _ => return Ok(None),
            },
            Form::RsaPrivate => KeyPair::from_der(der),
            _ => return Ok(None),
        };
        pair.map_or(Ok(None), |pair| self.private(pair))
    }

    fn public_key(&self, form: Form, der: &[u8]) -> Result<Option<PublicKey>> {
        let info = spki(der);
        let key = match (form, &info) {
            (Form::RsaPublic, _) => Some(der),
            (Form::Spki, Some(info)) if is_rsa(&info.algorithm, self.pss)? => {
                info.subject_public_key.as_bytes()
            }
            _ => None,
        };
        let key = key.filter(|key| Form::of(key) == Some(Form::RsaPublic));
        match key.map(RsaPublicKey::from_der) {
            Some(Ok(key)) => self.public(&jwk_of(&key)),
            _ => Ok(None),
        }
    }

    fn public_jwk(&self, members: &Map<String, Value>, name: &str) -> Result<PublicKey> {
        self.key_type().check(members, name)?;
        let numbers = (number(members, "n")?, number(members, "e")?);
        self.public(&numbers)?.ok_or_else(|| unusable(name))
    }
}

fn jwk_of(key: &RsaPublicKey) -> (Vec<u8>, Vec<u8>) {
    (
        key.modulus().big_endian_without_leading_zero().to_vec(),
        key.exponent().big_endian_without_leading_zero().to_vec(),
    )
}

fn check_numbers(n: &[u8], e: &[u8]) -> Result<()> {
    let bits = n.len() * 8 - n.first().map_or(0, |byte| byte.leading_zeros() as usize);
    let odd_exponent = e.last().is_some_and(|last| last % 2 == 1) && e[..] != [1]
        // With an exponent of more than 33 bits the library never verifies a signature.
        && (e.len() < 5 || (e.len() == 5 && e[0] == 1));
    let odd_modulus = n.last().is_some_and(|last| last % 2 == 1);
    if !MODULUS_BITS.contains(&bits) || !odd_exponent || !odd_modulus {
        return Err(invalid(
            "an RSA key must have an odd modulus of 2048 to 8192 bits and an odd exponent of 3 or \
             more",
        ));
    }
    if has_fingerprint(n) {
        return Err(invalid(
            "the RSA key has the fingerprint of ROCA (CVE-2017-15361): it can be factored; make a \
             key with other software, and revoke this one",
        ));
    }
    Ok(())
}

struct RsaSigner {
    pair: ParsedKey<KeyPair>,
    padding: &'static dyn RsaEncoding,
}

impl Signer for RsaSigner {
    /// Appends as many bytes as the modulus has.
    fn sign_into(&self, message: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let start = out.len();
        out.resize(start + self.pair.public_modulus_len(), 0);
        self.pair
            .sign(self.padding, &SystemRandom::new(), message, &mut out[start..])
            .map_err(|_| not_signed())
    }
}

struct RsaVerifier(ParsedPublicKey);

impl SignatureVerifier for RsaVerifier {
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}
