//! Kinds of tokens, for which a standard demands more than RFC 7519 does. A kind is data: a
//! verifier merges some demands into its options once, and checks the others on each header and
//! payload.

use crate::jwt::algorithm::Algorithm;
use crate::jwt::token::rejection::Claim;
use crate::spiffe::TrustDomain;

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

/// The kind of tokens that a verifier accepts.
#[derive(Clone, Debug)]
pub struct TokenKind {
    /// The demands of the standard for this kind.
    pub(in crate::jwt) rules: &'static KindRules,
    /// The trust domain whose workloads may be subjects, if the subject is a SPIFFE ID.
    pub trust_domain: Option<TrustDomain>,
}

/// The demands of a standard.
#[derive(Debug)]
pub(in crate::jwt) struct KindRules {
    /// The algorithms, which replace those of the options.
    pub algorithms: Option<&'static [Algorithm]>,
    /// The required `typ`, which replaces the one of the options.
    pub typ: Option<&'static str>,
    /// The values that `typ` may have if it is present.
    pub allowed_types: Option<&'static [&'static str]>,
    /// The only members that a header may have.
    pub header_members: Option<&'static [&'static str]>,
    /// The claims that must be present.
    pub required_claims: &'static [&'static str],
    /// The claims that must be strings, beyond the registered ones.
    pub string_claims: &'static [Claim],
    /// Whether `exp` must be present.
    pub requires_expiry: bool,
    /// The claims, out of `iss` and `aud`, whose values the options must name.
    pub named_claims: &'static [Claim],
    /// Whether the set of keys may be empty. Then all keys are revoked, and every token is refused.
    pub allows_no_keys: bool,
}

/// RFC 7519, under the rules of RFC 8725.
static JWT: KindRules = KindRules {
    algorithms: None,
    typ: None,
    allowed_types: None,
    header_members: None,
    required_claims: &[],
    string_claims: &[],
    requires_expiry: false,
    named_claims: &[],
    allows_no_keys: false,
};

/// OAuth 2.0 access tokens (RFC 9068 sections 2.2 and 4).
static ACCESS_TOKEN: KindRules = KindRules {
    typ: Some("at+jwt"),
    required_claims: &["iss", "exp", "aud", "sub", "client_id", "iat", "jti"],
    string_claims: &[Claim::Client],
    requires_expiry: true,
    named_claims: &[Claim::Issuer, Claim::Audience],
    ..JWT
};

/// JWT-SVIDs. Their header has no other member, and their subject is a workload.
static JWT_SVID: KindRules = KindRules {
    algorithms: Some(&SVID_ALGORITHMS),
    allowed_types: Some(&["JWT", "JOSE"]),
    header_members: Some(&["alg", "kid", "typ"]),
    requires_expiry: true,
    named_claims: &[Claim::Audience],
    allows_no_keys: true,
    ..JWT
};

impl TokenKind {
    /// Any JWT.
    pub fn jwt() -> Self {
        Self { rules: &JWT, trust_domain: None }
    }

    /// OAuth 2.0 access tokens.
    pub fn access_token() -> Self {
        Self { rules: &ACCESS_TOKEN, trust_domain: None }
    }

    /// JWT-SVIDs of the workloads of a trust domain.
    pub fn jwt_svid(trust_domain: TrustDomain) -> Self {
        Self { rules: &JWT_SVID, trust_domain: Some(trust_domain) }
    }
}
