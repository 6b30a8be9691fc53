//! The protections that an arena demands, and the check that the machine provides them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::status::Status;
use crate::error::{Code, Error, Result};
use crate::notice::{NOTICES, Notice};
use crate::os::{Backend, Native, Platform};

/// A protection that a caller can demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// Never written to swap.
    Locked,
    /// Left out of core dumps.
    DumpExcluded,
    /// Not accessible to the kernel either.
    KernelUnmapped,
}

/// The reaction to a degraded heap, which is not both locked and left out of core dumps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDegraded {
    /// Issues one warning per process.
    #[default]
    Warn,
    /// Fails with `ERR_SECRET_DEGRADED`.
    Error,
    /// Does nothing.
    Ignore,
}

/// Changes to an arena; `None` keeps a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArenaSettings {
    /// Bytes of the first region.
    pub first_bytes: Option<usize>,
    /// Bytes of all memory together.
    pub max_bytes: Option<usize>,
    /// The first backend of the ladder to try; `Some(None)` means the best that suits the machine.
    pub backend: Option<Option<Backend>>,
    /// Protections that the memory must have.
    pub require: Option<Vec<Requirement>>,
    /// The reaction to degraded memory.
    pub on_degraded: Option<OnDegraded>,
}

/// The protections that an arena demands of its memory.
#[derive(Clone, Default)]
pub struct ProtectionPolicy {
    /// Protections that the memory must have.
    pub require: Vec<Requirement>,
    /// The reaction to degraded memory.
    pub on_degraded: OnDegraded,
}

impl ProtectionPolicy {
    /// Whether memory added to an arena in use must be checked with the kernel.
    pub fn is_strict(&self) -> bool {
        !self.require.is_empty() || self.on_degraded == OnDegraded::Error
    }

    /// Fails with `ERR_SECRET_DEGRADED` if a demand is not met. With [`OnDegraded::Warn`], degraded
    /// memory instead leaves a warning for [`take_warning`].
    pub fn check(&self, status: &Status) -> Result<()> {
        let demanded = self.require.iter().copied().filter_map(|requirement| {
            let (met, name) = match requirement {
                Requirement::Locked => (status.locked, "locked"),
                Requirement::DumpExcluded => (status.dump_excluded, "excluded from core dumps"),
                Requirement::KernelUnmapped => (status.kernel_unmapped, "kernel-unmapped"),
            };
            (!met).then_some(name)
        });
        let mut unmet: Vec<_> = demanded.collect();
        if unmet.is_empty() && status.degraded {
            unmet.extend((!status.locked).then_some("locked"));
            unmet.extend((!status.dump_excluded).then_some("excluded from core dumps"));
            if self.on_degraded != OnDegraded::Error {
                NOTICES.leave(Notice::Degraded);
                if self.on_degraded == OnDegraded::Warn {
                    leave_warning(describe(status, &unmet));
                }
                return Ok(());
            }
        }
        if unmet.is_empty() {
            return Ok(());
        }
        Err(Error::new(Code::SecretDegraded, describe(status, &unmet)))
    }
}

fn describe(status: &Status, unmet: &[&str]) -> String {
    format!(
        "the secure heap is not {} (backend {}; {}); {}, or accept less protection with \
         secureHeap.configure()",
        unmet.join(" and not "),
        status.backend.as_str(),
        status.reasons.join(", "),
        Native::REMEDY
    )
}

static WARNED: AtomicBool = AtomicBool::new(false);
static IS_WAITING: AtomicBool = AtomicBool::new(false);
static WARNING: Mutex<Option<String>> = Mutex::new(None);

fn leave_warning(text: String) {
    if !WARNED.swap(true, Ordering::Relaxed) {
        *WARNING.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
        IS_WAITING.store(true, Ordering::Release);
    }
}

/// The warning that the caller must emit, returned once per process. Cheap enough to call after
/// every export.
pub fn take_warning() -> Option<String> {
    if !IS_WAITING.load(Ordering::Acquire) {
        return None;
    }
    IS_WAITING.store(false, Ordering::Relaxed);
    WARNING.lock().unwrap_or_else(PoisonError::into_inner).take()
}
