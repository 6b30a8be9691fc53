//! Claims and meta data of a session, as callers give them.

use crate::error::{Code, Error, Result};
use crate::jwt::json::{JsonFault, read_object};

/// The longest meta data, in bytes of JSON.
pub const MAX_META: usize = 4096;

/// New claims and new meta data of a session, as JSON.
#[derive(Clone, Copy, Debug, Default)]
pub struct Change<'a> {
    /// Replaces the claims.
    pub claims: Option<&'a str>,
    /// Replaces the meta data.
    pub meta: Option<&'a str>,
}

impl Change<'_> {
    /// Refuses claims that are not a plain object or that contain a name that a session sets
    /// itself, and meta data that are not a plain object or too long.
    pub(super) fn check(self) -> Result<()> {
        if let Some(claims) = self.claims {
            let mut taken = false;
            read_object(claims, |name, _| taken |= name.is("sub") || name.is("sid"))
                .map_err(|fault| refused(Code::JwtClaim, "claims", fault))?;
            if taken {
                return Err(Error::new(
                    Code::JwtClaim,
                    "a session sets \"sub\" and \"sid\" itself; leave them out of the claims",
                ));
            }
        }
        let Some(meta) = self.meta else { return Ok(()) };
        if meta.len() > MAX_META {
            return Err(Error::new(
                Code::OutOfRange,
                format!("meta must have at most {MAX_META} bytes as JSON; keep the rest elsewhere"),
            ));
        }
        read_object(meta, |_, _| ()).map_err(|fault| refused(Code::InvalidArgValue, "meta", fault))
    }
}

fn refused(code: Code, name: &str, fault: JsonFault) -> Error {
    let fault = fault.message();
    Error::new(code, format!("the JSON text of {name} {fault}; give a plain object of JSON values"))
}
