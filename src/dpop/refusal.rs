//! The reasons why a proof is refused.

use crate::error::Code;

/// Makes the refusals from rows: the variant, its kind in the audit trail, its code, and a sentence
/// for developers, which quotes nothing of the request.
macro_rules! refusals {
    ($($(#[$doc:meta])* $variant:ident = $kind:literal, $code:ident, $message:literal;)+) => {
        /// A reason why a proof is refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Refusal { $($(#[$doc])* $variant,)+ }

        impl Refusal {
            /// Every refusal.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name in the audit trail.
            pub const fn kind(self) -> &'static str {
                match self { $(Self::$variant => $kind,)+ }
            }

            /// The code of the error.
            pub const fn code(self) -> Code {
                match self { $(Self::$variant => Code::$code,)+ }
            }

            /// A sentence that quotes nothing of the request.
            pub const fn message(self) -> &'static str {
                match self { $(Self::$variant => $message,)+ }
            }
        }
    };
}

refusals! {
    /// The text is no compact JWS, or its header or payload has not the members of a proof.
    Malformed = "dpop-malformed", DpopProof,
        "the DPoP proof is not a compact JWS with typ, alg, jwk, jti, htm, htu, iat and ath";
    /// `typ` is not `dpop+jwt`.
    Type = "dpop-type", DpopProof, "the typ of the DPoP proof is not dpop+jwt";
    /// `alg` is symmetric or unknown.
    Algorithm = "dpop-algorithm", DpopProof,
        "the alg of the DPoP proof is no signature algorithm of a key pair that is known here";
    /// `jwk` is no public key of the algorithm, or has private members.
    Key = "dpop-key", DpopProof,
        "the jwk of the DPoP proof is no public key for its alg, or has private members";
    /// The key is not that of the token.
    Binding = "dpop-binding", DpopProof, "the key of the DPoP proof is not that of the token";
    /// The signature does not verify.
    Signature = "dpop-signature", DpopProof, "the signature of the DPoP proof does not verify";
    /// `htm` is another method.
    Method = "dpop-method", DpopProof, "the htm of the DPoP proof is not the method of the request";
    /// `htu` is another address.
    Url = "dpop-url", DpopProof,
        "the htu of the DPoP proof is not the address of the request: behind a proxy that changes \
         it, set `trust proxy` or the option url";
    /// `ath` is not the hash of the token.
    Token = "dpop-token", DpopProof, "the ath of the DPoP proof is not the hash of the token";
    /// `iat` is too long ago or too far ahead, or `nbf` or `exp` does not allow the proof.
    Time = "dpop-time", DpopProof,
        "the DPoP proof is older than maxAge or was made in the future: check the client's clock, \
         or use nonces";
    /// A proof of that time may have been forgotten.
    Forgotten = "dpop-forgotten", DpopProof,
        "the DPoP proof is from before the replay cache began, or from before its clock went back, \
         so it may have been used";
    /// `nonce` is missing, too old or not ours.
    Nonce = "dpop-nonce", DpopNonce,
        "the DPoP proof has no nonce of this service, or one that has expired: repeat the request \
         with the nonce of the answer";
    /// The proof has been used.
    Replayed = "dpop-replayed", DpopReplayed, "the DPoP proof has been used before";
    /// There is no room to remember the proof.
    Full = "dpop-full", DpopFull,
        "the replay cache has no room for another proof: raise maxEntries, or lower maxAge";
}

impl Refusal {
    /// A number above [`super::Accepted`]'s that no other refusal has.
    pub const fn to_status(self) -> u32 {
        self as u32 + 2
    }

    /// The refusal with this number.
    pub fn from_status(status: u32) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.to_status() == status)
    }
}
