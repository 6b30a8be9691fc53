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

/// Refuses claims that have an option of their own, and more than [`MAX_EXACT`] claims.
pub(super) fn check_exact(claims: &[ExactClaim]) -> Result<()> {
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

/// The exact claims that a payload has, as bits by their index.
#[derive(Default)]
pub(super) struct Found {
    present: u128,
    accepted: u128,
}

impl Found {
    /// Looks at a member of the payload.
    pub(super) fn see(&mut self, claims: &[ExactClaim], name: Raw<'_>, value: Value<'_>) {
        for (index, claim) in claims.iter().enumerate().filter(|(_, claim)| name.is(&claim.name)) {
            self.present |= 1 << index;
            if claim.values.iter().any(|accepted| accepted.is(value)) {
                self.accepted |= 1 << index;
            }
        }
    }

    /// Refuses the first claim that is missing or has another value.
    pub(super) fn check(&self, claims: &[ExactClaim]) -> std::result::Result<(), Rejection> {
        let mut indices = (0..MAX_EXACT).zip(claims).map(|(index, _)| index);
        match indices.find(|index| self.accepted & 1 << index == 0) {
            Some(index) if self.present & 1 << index == 0 => {
                Err(Rejection::Exact(index, Reason::Missing))
            }
            Some(index) => Err(Rejection::Exact(index, Reason::Mismatch)),
            None => Ok(()),
        }
    }
}
