//! Claims that must have one of some exact values, by any name.

use crate::error::{Code, Error, Result};
use crate::jwt::token::json::{Raw, Value};
use crate::jwt::token::rejection::{Claim, MAX_EXACT, Reason, Rejection};

/// A claim, and the values that it may have.
#[derive(Clone, Debug, PartialEq)]
pub struct ExactClaim {
    /// The member name.
    pub name: String,
    /// The accepted values.
    pub values: Vec<ClaimValue>,
}

/// An accepted value of a claim.
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimValue {
    /// A string, character for character.
    String(String),
    /// A number, however a token spells it.
    Number(f64),
    /// `true` or `false`
    Boolean(bool),
}

impl ClaimValue {
    /// Whether `JSON.parse` reads this value.
    fn is(&self, value: Value<'_>) -> bool {
        match (self, value) {
            (Self::String(own), Value::String(raw)) => raw.is(own),
            (Self::Number(own), Value::Number(text)) => text.parse() == Ok(*own),
            (Self::Boolean(own), Value::Boolean(read)) => *own == read,
            _ => false,
        }
    }
}

/// The claims of a verifier that must have exact values.
#[derive(Default)]
pub struct ExactClaims {
    claims: Vec<ExactClaim>,
    /// A bit for the first byte of each name. Most members of a payload have another.
    first_bytes: u64,
}

impl ExactClaims {
    /// Refuses claims that have an option of their own, and more than [`MAX_EXACT`] claims.
    pub fn new(claims: Vec<ExactClaim>) -> Result<Self> {
        check(&claims)?;
        let first_bytes = claims.iter().fold(0, |bits, claim| bits | first_byte(&claim.name));
        Ok(Self { claims, first_bytes })
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.claims.is_empty()
    }

    /// The name of a claim.
    pub(super) fn name(&self, index: u8) -> Option<&str> {
        self.claims.get(usize::from(index)).map(|claim| claim.name.as_str())
    }

    /// Looks at a member of a payload.
    #[expect(clippy::inline_always, reason = "else the value of every member goes through memory")]
    #[inline(always)]
    pub(super) fn see(&self, name: Raw<'_>, value: Value<'_>, found: &mut Found) {
        if name.plain().is_some_and(|name| self.first_bytes & first_byte(name) == 0)
            || value == Value::Null
        {
            return;
        }
        for (index, claim) in self.claims.iter().enumerate() {
            if name.is(&claim.name) {
                found.present |= 1 << index;
                let is_accepted = claim.values.iter().any(|accepted| accepted.is(value));
                found.accepted |= u128::from(is_accepted) << index;
            }
        }
    }

    /// Refuses the first claim that is missing or has another value.
    pub(super) fn check(&self, found: &Found) -> std::result::Result<(), Rejection> {
        let mut indices = (0..MAX_EXACT).zip(&self.claims).map(|(index, _)| index);
        match indices.find(|index| found.accepted & 1 << index == 0) {
            Some(index) if found.present & 1 << index == 0 => {
                Err(Rejection::Exact(index, Reason::Missing))
            }
            Some(index) => Err(Rejection::Exact(index, Reason::Inexact)),
            None => Ok(()),
        }
    }
}

/// The exact claims that a payload has, as bits by their index.
#[derive(Default)]
pub(super) struct Found {
    present: u128,
    accepted: u128,
}

fn first_byte(name: &str) -> u64 {
    1 << (name.as_bytes().first().copied().unwrap_or(0) % 64)
}

fn check(claims: &[ExactClaim]) -> Result<()> {
    if claims.len() > usize::from(MAX_EXACT) {
        let message = format!("claims must name at most {MAX_EXACT} claims");
        return Err(Error::new(Code::OutOfRange, message));
    }
    for ExactClaim { name, .. } in claims {
        let option = match Claim::named(name) {
            Some(Claim::Audience) => "audience",
            Some(Claim::Expiry) => "requireExp",
            Some(Claim::IssuedAt) => "maxAge",
            Some(Claim::Issuer) => "issuer",
            Some(Claim::NotBefore) => "clockTolerance",
            _ => continue,
        };
        let message = format!("claims must not name \"{name}\"; use the option {option}");
        return Err(Error::new(Code::InvalidArgValue, message));
    }
    Ok(())
}
