//! Secrets in environment variables: copied into a slot, and overwritten at their origin.
//!
//! It is not safe to change the environment while another thread of the process reads it, in any
//! language: a lookup in C at the same time may see the variable half wiped. This code cannot
//! prevent that, so it should run at the start of a program.

use super::secret::Secret;
use crate::error::Result;
use crate::os::{Native, Platform};

/// The name of a variable: not empty, without `=` and NUL.
#[derive(Clone, Debug)]
pub struct VariableName(String);

impl VariableName {
    /// Returns `None` if no variable can have this name.
    pub fn new(name: String) -> Option<Self> {
        (!name.is_empty() && !name.contains(['=', '\0'])).then_some(Self(name))
    }

    /// The current value; `None` if the variable is not set. Errors as for [`Secret::copy_from`].
    pub fn read(&self) -> Result<Option<Secret>> {
        Native::with_variable(&self.0, Secret::copy_from).transpose()
    }

    /// Overwrites the value with zeros in place, if the system reveals its address, and removes the
    /// variable.
    pub fn wipe(&self) {
        Native::wipe_variable(&self.0);
    }
}

#[cfg(test)]
#[allow(unsafe_code, reason = "changes the environment")]
mod tests;
