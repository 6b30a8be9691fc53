//! The types of keys.

use serde_json::{Map, Value};

use super::error::malformed_jwk;
use crate::error::Result;

/// The type of a key (RFC 7518 section 6.1, RFC 8037 section 2), with its curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::jwt) enum KeyType {
    /// An elliptic curve of NIST.
    Ec(&'static str),
    /// A shared secret.
    Oct,
    /// A curve of RFC 8037.
    Okp(&'static str),
    /// RSA.
    Rsa,
}

impl KeyType {
    /// The `kty` value.
    pub(crate) const fn kty(self) -> &'static str {
        match self {
            Self::Ec(_) => "EC",
            Self::Oct => "oct",
            Self::Okp(_) => "OKP",
            Self::Rsa => "RSA",
        }
    }

    /// The `crv` value.
    pub(crate) const fn crv(self) -> Option<&'static str> {
        match self {
            Self::Ec(crv) | Self::Okp(crv) => Some(crv),
            Self::Oct | Self::Rsa => None,
        }
    }

    /// Checks that a JWK's members name this type and curve, those of the algorithm `alg`.
    pub(crate) fn check(self, members: &Map<String, Value>, alg: &str) -> Result<()> {
        let text = |name| members.get(name).and_then(Value::as_str);
        if text("kty") == Some(self.kty()) && (self.crv().is_none() || text("crv") == self.crv()) {
            return Ok(());
        }
        let crv = self.crv().map_or_else(String::new, |crv| format!(" and \"crv\" \"{crv}\""));
        Err(malformed_jwk(alg, &format!("it must have \"kty\" \"{}\"{crv}", self.kty())))
    }
}
