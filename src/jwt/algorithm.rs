//! The JWS algorithms and what each asks of its keys.

use aws_lc_rs::signature::{
    self, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm, RsaEncoding, RsaParameters,
};
use ring::hmac;

/// A JWS algorithm (RFC 7518 section 3.1, RFC 8037, RFC 9864).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
    /// `EdDSA` on Ed25519 (RFC 8037): the name that most libraries know.
    EdDsa,
    /// The same under the name that says which curve (RFC 9864 section 2.2).
    Ed25519,
}

/// How an algorithm signs, and so what its keys are.
#[derive(Clone, Copy)]
pub enum Scheme {
    /// A shared secret at least as long as the hash's output (RFC 7518 section 3.2).
    Hmac(hmac::Algorithm),
    /// RSA: for verifying and for signing.
    Rsa(&'static RsaParameters, &'static dyn RsaEncoding),
    /// A point on a curve: for verifying and for signing.
    Ecdsa(Curve, &'static EcdsaVerificationAlgorithm, &'static EcdsaSigningAlgorithm),
    /// An Ed25519 key.
    Ed25519,
}

/// A curve of NIST (FIPS 186).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// secp256r1
    P256,
    /// secp384r1
    P384,
    /// secp521r1
    P521,
}

impl Algorithm {
    /// Every algorithm there is; `none` is not one.
    pub const ALL: [Self; 14] = [
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::EdDsa,
        Self::Ed25519,
    ];

    /// The `alg` value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// The algorithm of an `alg` value.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// Whether signer and verifier share the key.
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }

    /// Whether its keys are of RSA, which takes up to a second to make one and a millisecond to sign.
    pub fn is_rsa(self) -> bool {
        matches!(self.scheme(), Scheme::Rsa(..))
    }

    /// Whether the two sign alike: an Ed25519 key verifies under both of its algorithm's names.
    pub const fn signs_as(self, other: Self) -> bool {
        self as u8 == other as u8
            || matches!((self, other), (Self::EdDsa, Self::Ed25519) | (Self::Ed25519, Self::EdDsa))
    }

    /// How it signs.
    pub fn scheme(self) -> Scheme {
        use Curve::{P256, P384, P521};
        use Scheme::{Ecdsa, Hmac, Rsa};
        match self {
            Self::Hs256 => Hmac(hmac::HMAC_SHA256),
            Self::Hs384 => Hmac(hmac::HMAC_SHA384),
            Self::Hs512 => Hmac(hmac::HMAC_SHA512),
            Self::Rs256 => {
                Rsa(&signature::RSA_PKCS1_2048_8192_SHA256, &signature::RSA_PKCS1_SHA256)
            }
            Self::Rs384 => {
                Rsa(&signature::RSA_PKCS1_2048_8192_SHA384, &signature::RSA_PKCS1_SHA384)
            }
            Self::Rs512 => {
                Rsa(&signature::RSA_PKCS1_2048_8192_SHA512, &signature::RSA_PKCS1_SHA512)
            }
            Self::Ps256 => Rsa(&signature::RSA_PSS_2048_8192_SHA256, &signature::RSA_PSS_SHA256),
            Self::Ps384 => Rsa(&signature::RSA_PSS_2048_8192_SHA384, &signature::RSA_PSS_SHA384),
            Self::Ps512 => Rsa(&signature::RSA_PSS_2048_8192_SHA512, &signature::RSA_PSS_SHA512),
            Self::Es256 => Ecdsa(
                P256,
                &signature::ECDSA_P256_SHA256_FIXED,
                &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
            ),
            Self::Es384 => Ecdsa(
                P384,
                &signature::ECDSA_P384_SHA384_FIXED,
                &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
            ),
            Self::Es512 => Ecdsa(
                P521,
                &signature::ECDSA_P521_SHA512_FIXED,
                &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
            ),
            Self::EdDsa | Self::Ed25519 => Scheme::Ed25519,
        }
    }
}

impl Curve {
    /// The `crv` value (RFC 7518 section 6.2.1.1).
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// The length of a coordinate, in bytes.
    pub const fn coordinate_len(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}
