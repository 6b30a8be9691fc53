//! Secrets: bytes that lie in the secure heap and nowhere else.
//!
//! This module promises that the bytes of a [`Secret`] or [`Locked`] lie in memory that the machine
//! keeps from swap, core dumps and forked children as well as it can, and that they are wiped when
//! the last owner drops them. It does not promise that code of this process, or root on a machine
//! without `memfd_secret`, cannot read them. It promises nothing about copies that were made
//! before.

mod bytes;
mod encoding;
mod environment;
mod file;
#[cfg(any(test, feature = "fuzz"))]
#[allow(clippy::expect_used, reason = "a failed expectation is a finding")]
pub(crate) mod fuzz;
mod handover;
mod input;
mod locked;
mod open_key;
mod overflow;
mod parsed_key;
mod process_heap;
mod scratch_lock;
mod seal;
#[allow(clippy::module_inception, reason = "the type that the room is named after")]
mod secret;
mod secure_heap;
mod stored_secret;
mod trace_guard;

pub use bytes::{ct_eq, wipe};
pub use encoding::Encoding;
pub use environment::VariableName;
pub use file::{FileRules, read_file, without_line_ending};
pub use handover::{HANDOVER_ID_LEN, Handovers, handovers, unknown_handover};
pub use input::{SecretInput, WipedBytes};
pub use locked::Locked;
pub use open_key::OpenKey;
pub use overflow::MAX_OVERFLOW_LEN;
pub use parsed_key::{ParsedKey, parsed_key_count};
pub use process_heap::{check_process, configure, count_leaked, leaked, status, verify};
pub use scratch_lock::storing;
pub use seal::{Kind as SealKind, MAX_CONTEXT_LEN, MAX_SEALED_LEN, MIN_SEAL_KEY_LEN};
pub use secret::{MAX_SECRET_LEN, Secret};
pub use secure_heap::{OnFull, Settings, Status};
pub use stored_secret::StoredSecret;
#[cfg(any(test, feature = "count-guards"))]
pub use trace_guard::ended_guards;
pub use trace_guard::{Depth, TraceGuard};

#[cfg(test)]
#[allow(unsafe_code, reason = "defects, made on purpose")]
mod process_end_tests;
