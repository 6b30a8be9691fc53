//! Kinds of tokens of which a standard says more than RFC 7519 does.
//!
//! What a kind demands is put into the verifier's options once, where they can say it. The rest is
//! asked of the header, once for all tokens that share it, and of the claims, in their one scan.

use super::claims::Claims;
use super::header::{Header, resolve};
use super::json::{Raw, Value, scan_object};
use super::{Algorithm, Claim, Expected, Reason, Rejection, VerifierOptions};
use crate::error::{Code, Error, Result};
use crate::spiffe::{SpiffeId, TrustDomain};

/// The claims of an access token (RFC 9068 section 2.2).
const ACCESS_TOKEN_CLAIMS: [&str; 7] = ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"];

/// The algorithms of a JWT-SVID (section 2.1 of the standard): neither HMAC nor EdDSA.
pub const SVID_ALGORITHMS: [Algorithm; 9] = [
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::Es512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
];

/// What kind of tokens a verifier is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// RFC 7519, under the rules of RFC 8725.
    #[default]
    Jwt,
    /// OAuth 2.0 access tokens (RFC 9068 section 4).
    AccessToken,
    /// JWT-SVIDs of the workloads of one trust domain.
    JwtSvid(TrustDomain),
}

impl Profile {
    /// Puts what the kind demands into a verifier's options. An audience that is waived, and an
    /// issuer of access tokens, is [`Code::InvalidArgValue`].
    pub(super) fn complete(options: &mut VerifierOptions) -> Result<()> {
        let required: &[&str] = match &options.profile {
            Self::Jwt => return Ok(()),
            Self::AccessToken => {
                check_named("issuer", &options.issuer)?;
                options.typ = Some("at+jwt".into());
                &ACCESS_TOKEN_CLAIMS
            }
            Self::JwtSvid(_) => {
                options.algorithms = Some(SVID_ALGORITHMS.into());
                &[]
            }
        };
        check_named("audience", &options.audience)?;
        options.require_expiry = true;
        let given = std::mem::take(&mut options.required_claims);
        let more = given.into_iter().filter(|claim| !required.contains(&claim.as_str()));
        options.required_claims = required.iter().map(ToString::to_string).chain(more).collect();
        Ok(())
    }

    /// Whether the kind's keys are a set that may be empty: then all are revoked, and every token
    /// is refused.
    pub(super) fn allows_no_keys(&self) -> bool {
        matches!(self, Self::JwtSvid(_))
    }

    /// The header of a genuine token, which is `json`.
    pub(super) fn check_header(
        &self,
        header: &Header<'_>,
        json: &[u8],
    ) -> std::result::Result<(), Rejection> {
        if !matches!(self, Self::JwtSvid(_)) {
            return Ok(());
        }
        let text = std::str::from_utf8(json).map_err(|_| Rejection::Malformed)?;
        let mut more = false;
        scan_object(text, |name, _| more |= !["alg", "kid", "typ"].iter().any(|own| name.is(own)))
            .ok_or(Rejection::Malformed)?;
        if more {
            return Err(Rejection::HeaderParameter);
        }
        match header.typ.as_deref() {
            None | Some("JWT" | "JOSE") => Ok(()),
            Some(_) => Err(Rejection::Claim(Claim::Type, Reason::Mismatch)),
        }
    }

    /// A claim whose type the kind alone prescribes.
    pub(super) fn check_member(
        &self,
        name: Raw<'_>,
        value: Value<'_>,
    ) -> std::result::Result<(), Rejection> {
        match (self, value) {
            (Self::Jwt | Self::JwtSvid(_), _) | (_, Value::String(_)) => Ok(()),
            _ if name.is("client_id") => Err(Rejection::Claim(Claim::Client, Reason::Type)),
            _ => Ok(()),
        }
    }

    /// The claims of a genuine token.
    pub(super) fn check_claims(&self, claims: &Claims<'_>) -> std::result::Result<(), Rejection> {
        let Self::JwtSvid(trust_domain) = self else { return Ok(()) };
        let subject = claims.subject.ok_or(Rejection::Claim(Claim::Subject, Reason::Missing))?;
        match SpiffeId::parse(&resolve(subject)) {
            // The id of the trust domain itself is nobody's.
            Ok(id) if trust_domain.contains(&id) && !id.path().is_empty() => Ok(()),
            _ => Err(Rejection::Claim(Claim::Subject, Reason::Mismatch)),
        }
    }
}

fn check_named(option: &str, expected: &Expected) -> Result<()> {
    match expected {
        Expected::OneOf(_) => Ok(()),
        Expected::Anything => Err(Error::new(
            Code::InvalidArgValue,
            format!("{option} must be named: tokens of this kind are never for anyone"),
        )),
    }
}
