//! The option `claims`: exact values of claims.

use std::ops::RangeInclusive;

use crate::binding::args::{Arg, Result};
use crate::binding::issuer::NAME_LEN;
use crate::jwt::{ClaimValue, ExactClaim, ExactClaims, MAX_EXACT};

/// The bounds of a claim's name, in bytes.
pub(super) const CLAIM_LEN: RangeInclusive<usize> = 1..=256;
/// The most values of one claim.
const MAX_VALUES: u32 = 100;

/// An object of claims, each with a value or an array of values.
pub(super) fn exact_claims(claims: Arg<'_>) -> Result<ExactClaims> {
    let claim = |(name, given): (String, Arg<'_>)| {
        if !CLAIM_LEN.contains(&name.len()) {
            return Err(claims.out_of_range("an object with names of 1 to 256 bytes"));
        }
        Ok(ExactClaim { name, values: values(given)? })
    };
    let claims = claims.entries(MAX_EXACT.into())?.into_iter().map(claim);
    Ok(ExactClaims::new(claims.collect::<Result<_>>()?)?)
}

fn values(given: Arg<'_>) -> Result<Vec<ClaimValue>> {
    if !given.is_array()? {
        return Ok(vec![value(given)?]);
    }
    let elements = given.array(MAX_VALUES)?;
    if elements.is_empty() {
        return Err(given.out_of_range("an array of at least one value"));
    }
    elements.into_iter().map(|element| value(element.in_record())).collect()
}

fn value(given: Arg<'_>) -> Result<ClaimValue> {
    if given.is_string()? {
        Ok(ClaimValue::String(given.string(NAME_LEN)?))
    } else if given.is_number()? {
        Ok(ClaimValue::Number(given.exact_number()?))
    } else if given.is_boolean()? {
        Ok(ClaimValue::Boolean(given.boolean()?))
    } else {
        Err(given.wrong_type("a string, a number, a boolean or an array of them"))
    }
}
