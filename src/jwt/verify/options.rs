//! The options of a verifier, merged with the demands of a token kind.

use std::sync::Arc;

use super::exact_claims::ExactClaims;
use crate::error::{Code, Error, Result};
use crate::jwt::algorithm::Algorithm;
use crate::jwt::key::key::Key;
use crate::jwt::key_lookup::check_distinct;
use crate::jwt::key_source::KeySource;
use crate::jwt::token::compact::TokenForm;
use crate::jwt::token::kind::TokenKind;
use crate::jwt::token::rejection::{Claim, MAX_REQUIRED};
use crate::revocation::{MAX_CLOCK_TOLERANCE, RevocationList};

/// The accepted values of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Exactly one of these. For `aud`, one of these must be among the recipients.
    OneOf(Vec<String>),
    /// Any value, or none: the check is explicitly waived.
    Anything,
}

/// The differences between clocks that a verifier allows for, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tolerance {
    /// How far `iat` and `nbf` may be in the future.
    pub early: u64,
    /// How far `exp` and the end of `max_age` may be in the past.
    pub late: u64,
}

impl Tolerance {
    /// The same tolerance for every time.
    pub const fn of(seconds: u64) -> Self {
        Self { early: seconds, late: seconds }
    }
}

impl Default for Tolerance {
    /// An issuer whose clock is a little ahead is common. A longer life for every token is a
    /// decision that the default does not make.
    fn default() -> Self {
        Self { early: 5, late: 0 }
    }
}

/// The tokens that a verifier accepts.
pub struct VerifierOptions {
    /// The kind of tokens. Its demands take precedence over the other options.
    pub kind: TokenKind,
    /// The keys.
    pub keys: KeySource,
    /// The accepted algorithms; with `None` those of the keys.
    pub algorithms: Option<Vec<Algorithm>>,
    /// `iss`
    pub issuer: Expected,
    /// `aud`
    pub audience: Expected,
    /// The allowed differences between clocks, at most [`MAX_CLOCK_TOLERANCE`].
    pub clock_tolerance: Tolerance,
    /// The greatest age since `iat`, in seconds.
    pub max_age: Option<u64>,
    /// The `typ` header parameter.
    pub typ: Option<String>,
    /// Members that the payload must have, at most [`MAX_REQUIRED`]; `null` counts as missing.
    pub required_claims: Vec<String>,
    /// Claims that must have one of some exact values.
    pub exact_claims: ExactClaims,
    /// Whether a token must have `exp`; with `revocations` it always must.
    pub require_expiry: bool,
    /// The tokens that have been revoked.
    pub revocations: Option<Arc<RevocationList>>,
    /// The number of verified tokens to cache; none if 0.
    pub cache_entries: usize,
    /// The length and the spelling of tokens.
    pub form: TokenForm,
}

impl VerifierOptions {
    /// Merges the demands of the token kind and checks all options. Errors: `ERR_OUT_OF_RANGE`,
    /// `ERR_INVALID_ARG_VALUE`, `ERR_JWT_KEY`, `ERR_KEYRING_DUPLICATE`.
    pub(super) fn complete(mut self) -> Result<Self> {
        let Tolerance { early, late } = self.clock_tolerance;
        if early.max(late) > MAX_CLOCK_TOLERANCE {
            return Err(Error::new(
                Code::OutOfRange,
                format!("clockTolerance must be at most {MAX_CLOCK_TOLERANCE} s"),
            ));
        }
        self.apply_kind()?;
        if self.required_claims.len() > usize::from(MAX_REQUIRED) {
            return Err(Error::new(
                Code::OutOfRange,
                format!("requiredClaims must name at most {MAX_REQUIRED} claims"),
            ));
        }
        if let KeySource::Keys(keys) = &mut self.keys {
            // A verifier keeps no private key alive.
            *keys = std::mem::take(keys).into_iter().map(Key::without_private).collect();
            if keys.is_empty() && !self.kind.rules.allows_no_keys {
                return Err(Error::new(Code::JwtKey, "a verifier needs at least one key"));
            }
            check_distinct(keys)?;
        }
        Ok(self)
    }

    fn apply_kind(&mut self) -> Result<()> {
        let rules = self.kind.rules;
        for (claim, option, expected) in
            [(Claim::Issuer, "issuer", &self.issuer), (Claim::Audience, "audience", &self.audience)]
        {
            if rules.named_claims.contains(&claim) {
                check_named(option, expected)?;
            }
        }
        if let Some(typ) = rules.typ {
            self.typ = Some(typ.to_owned());
        }
        if let Some(algorithms) = rules.algorithms {
            self.algorithms = Some(algorithms.to_vec());
        }
        self.require_expiry |= rules.requires_expiry;
        let given = std::mem::take(&mut self.required_claims);
        let required = rules.required_claims;
        let more = given.into_iter().filter(|claim| !required.contains(&claim.as_str()));
        self.required_claims = required.iter().map(ToString::to_string).chain(more).collect();
        Ok(())
    }
}

fn check_named(option: &str, expected: &Expected) -> Result<()> {
    match expected {
        Expected::OneOf(_) => Ok(()),
        Expected::Anything => Err(Error::new(
            Code::InvalidArgValue,
            format!(
                "{option} must name the accepted values: for tokens of this kind, the check cannot \
                 be turned off"
            ),
        )),
    }
}
