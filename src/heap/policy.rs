//! What the process asks of its secure heap, and whether the machine gives it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::status::Status;
use crate::error::{Code, Error, Result};
use crate::os::{Backend, REMEDY};

/// A protection that may be demanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// Never written to swap.
    Locked,
    /// Left out of core dumps.
    DumpExcluded,
    /// Not reachable for the kernel either.
    KernelUnmapped,
}

/// What happens when the heap is degraded: when it is not both locked and left out of dumps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDegraded {
    /// One warning for the process.
    #[default]
    Warn,
    /// `ERR_SECRET_DEGRADED`.
    Error,
    /// Nothing.
    Ignore,
}

/// What happens to a secret that the heap has no room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFull {
    /// `ERR_SECRET_EXHAUSTED`.
    #[default]
    Error,
    /// It is kept outside, encrypted. 16 KiB of the heap are set aside for using such secrets.
    Seal,
}

/// Changes to the heap; `None` leaves things as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Bytes of all memory together.
    pub max_bytes: Option<usize>,
    /// The first rung of the ladder to try; `Some(None)` is the best that suits the machine.
    pub backend: Option<Option<Backend>>,
    /// What must be true of the memory.
    pub require: Option<Vec<Requirement>>,
    /// What to do when it is degraded.
    pub on_degraded: Option<OnDegraded>,
    /// What to do when it is full.
    pub on_full: Option<OnFull>,
}

/// The demands in force.
#[derive(Default)]
pub struct Policy {
    /// What must be true of the memory.
    pub require: Vec<Requirement>,
    /// What to do when it is degraded.
    pub on_degraded: OnDegraded,
    /// What to do when it is full.
    pub on_full: OnFull,
}

impl Policy {
    /// Whether facts that the kernel knows matter for memory that is added to a heap in use.
    pub fn is_strict(&self) -> bool {
        !self.require.is_empty() || self.on_degraded == OnDegraded::Error
    }

    /// `ERR_SECRET_DEGRADED` when a demand is not met. A warning, when that is what is wanted, is
    /// left for [`take_warning`].
    pub fn check(&self, status: &Status) -> Result<()> {
        let demanded = self.require.iter().copied().filter_map(|requirement| {
            let (met, name) = match requirement {
                Requirement::Locked => (status.locked, "locked"),
                Requirement::DumpExcluded => (status.dump_excluded, "left out of core dumps"),
                Requirement::KernelUnmapped => (status.kernel_unmapped, "kernel-unmapped"),
            };
            (!met).then_some(name)
        });
        let mut unmet: Vec<_> = demanded.collect();
        if unmet.is_empty() && status.degraded {
            unmet.extend((!status.locked).then_some("locked"));
            unmet.extend((!status.dump_excluded).then_some("left out of core dumps"));
            match self.on_degraded {
                OnDegraded::Error => {}
                OnDegraded::Warn => {
                    leave_warning(describe(status, &unmet));
                    return Ok(());
                }
                OnDegraded::Ignore => return Ok(()),
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
        "the secure heap is not {} (backend {}; {}); {REMEDY}, or say with secureHeap.configure() \
         that less will do",
        unmet.join(" and not "),
        status.backend.as_str(),
        status.reasons.join(", ")
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

/// The warning that the process is to be given, once. Cheap enough to be asked after every call.
pub fn take_warning() -> Option<String> {
    if !IS_WAITING.load(Ordering::Acquire) {
        return None;
    }
    IS_WAITING.store(false, Ordering::Relaxed);
    WARNING.lock().unwrap_or_else(PoisonError::into_inner).take()
}
