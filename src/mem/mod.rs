//! Secret memory.
//!
//! What the room promises: bytes put into a [`Secret`] or [`Locked`] lie in memory that is kept
//! from swap, core dumps and forked children as well as the machine allows; they are wiped when
//! the last owner lets go; and [`status()`] says what the machine allowed, read back from the
//! kernel. What it does not promise: that code of this process, or root on a machine without
//! `memfd_secret`, cannot read them; nor anything about copies made before they came here.
//!
//! From the outside in: `secret` and `locked` own a `slot` of the `arena`, whose `store` keeps small
//! ones in `slabs` on `regions` of memory and large ones as `runs` of their own, all obtained through
//! `os`; a `canary` on either side of every slot tells of overruns. What is to last is `kept`, in its
//! slot, or by `overflow` sealed when the arena is full, and then opened by whoever has the `turn`.

mod account;
mod alarm;
mod arena;
mod canary;
mod capacity;
mod encoding;
mod environ;
mod exit;
mod file;
mod foreign;
mod harden;
mod inner;
mod input;
mod kept;
mod locked;
mod os;
mod overflow;
/// Working memory for Argon2: large, reused, wiped after each loan.
pub mod pages;
mod policy;
mod regions;
mod registers;
mod resident;
mod runs;
mod seal;
mod secret;
mod slabs;
mod slot;
mod stack;
mod status;
mod store;
mod tickets;
mod turn;

use aws_lc_rs::constant_time;
use zeroize::Zeroize;

pub use capacity::capacity;
pub use encoding::Encoding;
pub use environ::VariableName;
pub use file::{FileRules, read_file, without_line_ending};
pub use foreign::{Foreign, foreign_secrets};
pub use harden::{Hardened, Hardening, harden};
pub use input::{SecretInput, WipedBytes};
pub use kept::Kept;
pub use locked::Locked;
pub use os::Backend;
pub use overflow::MAX_OVERFLOW_LEN;
pub use policy::{OnDegraded, OnFull, Requirement, Settings, take_warning};
pub use registers::clear_vector_registers;
pub use resident::stay_loaded;
pub use seal::{Kind as SealKind, MAX_CONTEXT_LEN, MAX_SEALED_LEN, MIN_SEAL_KEY_LEN};
pub use secret::{MAX_SECRET_LEN, Secret};
pub use stack::{HMAC_DEPTH, leaving_no_trace};
pub use status::{Status, configure, count_leaked, status, verify};
pub use tickets::{TICKET_LEN, no_such_ticket, tickets};
pub use turn::storing;

/// Overwrites bytes with zeros in a way the compiler does not leave out.
pub fn wipe(bytes: &mut [u8]) {
    bytes.zeroize();
}

/// Whether two byte strings are the same. The time taken depends on the lengths only; different
/// lengths are unequal at once.
pub fn ct_eq(one: &[u8], other: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(one, other).is_ok()
}

#[cfg(test)]
pub mod allocations;
#[cfg(test)]
mod deaths;
#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
