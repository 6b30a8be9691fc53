//! The JWS algorithms (RFC 7518 section 3.1, RFC 8037, RFC 9864), as one table with a row for each.

use super::key::ecdsa::{ES256, ES384, ES512};
use super::key::ed25519::ED25519;
use super::key::hmac::{HS256, HS384, HS512};
use super::key::key_type::KeyType;
use super::key::rsa::{PS256, PS384, PS512, RS256, RS384, RS512};
use super::key::scheme::Scheme;

/// Makes [`Algorithm`] and the table from rows: the variant, and the columns of [`Row`].
macro_rules! algorithms {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $elsewhere:expr, $scheme:expr;)+) => {
        /// A JWS algorithm.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Algorithm {
            $($(#[$doc])* $variant,)+
        }

        impl Algorithm {
            /// Every algorithm there is; `none` is not one.
            pub const ALL: [Self; TABLE.len()] = [$(Self::$variant),+];
        }

        static TABLE: [Row; [$($name),+].len()] = [$(Row { name: $name, elsewhere: $elsewhere, scheme: $scheme }),+];
    };
}

/// The data of an algorithm.
struct Row {
    /// The `alg` value.
    name: &'static str,
    /// The name of the algorithm in the `jsonwebtoken` crate, the second implementation; `None` if
    /// the crate does not know it. Algorithms with the same name here make the same signatures.
    elsewhere: Option<&'static str>,
    /// The scheme that signs and verifies.
    scheme: &'static dyn Scheme,
}

algorithms! {
    /// HMAC with SHA-256.
    Hs256 = "HS256", Some("HS256"), &HS256;
    /// HMAC with SHA-384.
    Hs384 = "HS384", Some("HS384"), &HS384;
    /// HMAC with SHA-512.
    Hs512 = "HS512", Some("HS512"), &HS512;
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256 = "RS256", Some("RS256"), &RS256;
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384 = "RS384", Some("RS384"), &RS384;
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512 = "RS512", Some("RS512"), &RS512;
    /// RSASSA-PSS with SHA-256.
    Ps256 = "PS256", Some("PS256"), &PS256;
    /// RSASSA-PSS with SHA-384.
    Ps384 = "PS384", Some("PS384"), &PS384;
    /// RSASSA-PSS with SHA-512.
    Ps512 = "PS512", Some("PS512"), &PS512;
    /// ECDSA on P-256 with SHA-256.
    Es256 = "ES256", Some("ES256"), &ES256;
    /// ECDSA on P-384 with SHA-384.
    Es384 = "ES384", Some("ES384"), &ES384;
    /// ECDSA on P-521 with SHA-512.
    Es512 = "ES512", None, &ES512;
    /// `EdDSA` on Ed25519 (RFC 8037): the name that most libraries know.
    EdDsa = "EdDSA", Some("EdDSA"), &ED25519;
    /// The same algorithm, under the name that says which curve (RFC 9864 section 2.2).
    Ed25519 = "Ed25519", Some("EdDSA"), &ED25519;
}

impl Algorithm {
    /// The `alg` value.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The algorithm with this `alg` value.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// The algorithms of a key type and, if the type has curves, of a curve (RFC 7518 section 6),
    /// the most usual one first.
    pub fn of_key_type(kty: &str, crv: Option<&str>) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |algorithm| {
            let key_type = algorithm.scheme().key_type();
            key_type.kty() == kty && key_type.crv().is_none_or(|own| Some(own) == crv)
        })
    }

    /// Whether signer and verifier share the key.
    pub fn is_symmetric(self) -> bool {
        self.scheme().key_type() == KeyType::Oct
    }

    /// Whether its keys are RSA keys. One takes up to a second to make, and a millisecond for a
    /// signature.
    pub fn is_rsa(self) -> bool {
        self.scheme().key_type() == KeyType::Rsa
    }

    /// The name of the algorithm in the `jsonwebtoken` crate.
    pub(super) fn elsewhere(self) -> Option<&'static str> {
        self.row().elsewhere
    }

    /// Whether the two make the same signatures: an Ed25519 key verifies under both names.
    pub(crate) fn signs_as(self, other: Self) -> bool {
        self == other || (self.elsewhere().is_some() && self.elsewhere() == other.elsewhere())
    }

    /// The scheme that signs and verifies.
    pub(super) fn scheme(self) -> &'static dyn Scheme {
        self.row().scheme
    }

    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}
