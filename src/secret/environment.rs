//! Secrets in environment variables: copied into a slot, and overwritten where they came from.
//!
//! The environment is not safe to change while another thread of the process reads it, whichever
//! language that is written in: a lookup in C that runs at the same time may see the variable half
//! wiped. Nothing here can prevent that, so it belongs at the start of a program.

use super::secret::Secret;
use crate::error::Result;
use crate::os::{Native, Platform};

/// A variable's name: not empty, without `=` and NUL.
#[derive(Clone, Debug)]
pub struct VariableName(String);

impl VariableName {
    /// `None` if no variable can be called that.
    pub fn new(name: String) -> Option<Self> {
        (!name.is_empty() && !name.contains(['=', '\0'])).then_some(Self(name))
    }

    /// The value as it is now; `None` if there is none. Errors as [`Secret::copy_from`].
    pub fn read(&self) -> Result<Option<Secret>> {
        Native::with_variable(&self.0, Secret::copy_from).transpose()
    }

    /// Overwrites the value with zeros in place, as far as the system lets its place be known, and
    /// removes the variable.
    pub fn wipe(&self) {
        Native::wipe_variable(&self.0);
    }
}

#[cfg(test)]
#[allow(unsafe_code, reason = "changes the environment")]
mod tests;
