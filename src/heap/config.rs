//! The configuration of an arena.

use std::env;
use std::ffi::OsStr;

use crate::error::{Code, Error, Result};
use crate::os::{Backend, Native, ProtectedMemory};

/// The configuration of an arena.
#[derive(Clone, Copy)]
pub struct Config {
    /// The system that provides the memory.
    pub memory: &'static dyn ProtectedMemory,
    /// The first backend of the ladder to try; `None` means the best one. On a machine that is set
    /// up to hibernate, the default starts below `memfd_secret`, which would prevent hibernation.
    pub backend: Option<Backend>,
    /// The operator's choice, which overrides `backend`.
    pub operator: Option<Backend>,
    /// Bytes of the first region.
    pub first_bytes: usize,
    /// Bytes of all memory together.
    pub max_bytes: usize,
    /// Ends the process after a defect was found. By then the arena has wiped its memory and still
    /// holds its lock.
    pub on_defect: fn(Defect) -> !,
}

impl Config {
    /// The default: a first region of 48 KiB, which fits within the 64 KiB of locked memory that
    /// many containers allow, and at most 16 MiB.
    pub fn new(on_defect: fn(Defect) -> !) -> Self {
        Self {
            memory: &Native,
            backend: None,
            operator: None,
            first_bytes: 48 * 1024,
            max_bytes: 16 * 1024 * 1024,
            on_defect,
        }
    }

    /// The first backend to try. Adds the reason to `reasons` if it is not the best one.
    pub fn first_backend(&self, reasons: &mut Vec<String>) -> Backend {
        let (chosen, reason) = match (self.operator, self.backend) {
            (Some(backend), _) => (backend, "NODESEC_SECMEM"),
            (_, Some(backend)) => (backend, "configured"),
            _ if self.memory.hibernation_configured() => {
                (Backend::Mlock, "memfd_secret: hibernation configured")
            }
            _ => (Backend::MemfdSecret, ""),
        };
        if chosen == Backend::MemfdSecret {
            return chosen;
        }
        reasons.push(if reason.contains(':') {
            reason.to_owned()
        } else {
            format!("{reason}: start at {}", chosen.as_str())
        });
        chosen
    }
}

/// A failed test reports the defect instead of ending the process.
#[cfg(test)]
impl Default for Config {
    fn default() -> Self {
        Self::new(|defect| panic!("{defect:?}"))
    }
}

/// A sign that this process wrote to or used memory of the arena where it must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// A canary has changed.
    Overwritten,
    /// A free slot is not zero.
    WrittenWhenFree,
    /// A handle was used after its slot was given back.
    Stale,
}

/// The operator's choice: the environment variable `NODESEC_SECMEM`, `None` if it is not set or
/// empty. Fails with `ERR_INVALID_ARG_VALUE` if it names no backend: a misspelt name must not give
/// other memory than the operator means.
pub fn backend_of_environment() -> Result<Option<Backend>> {
    env::var_os("NODESEC_SECMEM").map_or(Ok(None), |text| named(&text))
}

fn named(text: &OsStr) -> Result<Option<Backend>> {
    if text.is_empty() {
        return Ok(None);
    }
    let backend = Backend::LADDER.into_iter().find(|backend| text == backend.as_str());
    backend.map(Some).ok_or_else(|| {
        let names = Backend::LADDER.map(Backend::as_str).join(", ");
        let message = format!("the environment variable NODESEC_SECMEM must be one of {names}");
        Error::new(Code::InvalidArgValue, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_no_backend_is_refused() {
        assert_eq!(named(OsStr::new("")), Ok(None));
        assert_eq!(named(OsStr::new("mlock")), Ok(Some(Backend::Mlock)));
        for unknown in ["auto", "MLOCK", "mlock ", "none"] {
            let error = named(OsStr::new(unknown)).unwrap_err();
            assert_eq!(error.code, Code::InvalidArgValue);
            assert!(error.message.contains("memfd_secret, mlock, dontdump, plain"), "{error}");
        }
    }
}
