//! Secret memory.
//!
//! What the room promises: bytes put into a [`Secret`] or [`Locked`] lie in memory that is kept
//! from swap, core dumps and forked children as well as the machine allows; they are wiped when
//! the last owner lets go; and [`status()`] says what the machine allowed, read back from the
//! kernel. What it does not promise: that code of this process, or root on a machine without
//! `memfd_secret`, cannot read them; nor anything about copies made before they came here.
//!
//! From the outside in: `secret` and `locked` own a `slot` of the `arena`, which keeps its book in
//! `slabs` and its memory in `regions`, obtained through `os`; a `canary` on either side of every
//! slot tells of overruns.

mod arena;
mod canary;
mod capacity;
mod encoding;
mod environ;
mod exit;
mod file;
mod locked;
mod os;
/// Working memory for Argon2: large, reused, wiped after each loan.
pub mod pages;
mod policy;
mod regions;
mod seal;
mod secret;
mod slabs;
mod slot;
mod status;
mod tickets;

use aws_lc_rs::constant_time;
use zeroize::Zeroize;

pub use capacity::capacity;
pub use encoding::Encoding;
pub use environ::VariableName;
pub use file::{FileRules, read_file, without_line_ending};
pub use locked::Locked;
pub use os::Backend;
pub use policy::{OnDegraded, Requirement, Settings, take_warning};
pub use seal::{Kind as SealKind, MAX_CONTEXT_LEN, MAX_SEALED_LEN, MIN_SEAL_KEY_LEN};
pub use secret::{MAX_SECRET_LEN, Secret};
pub use status::{Status, configure, count_leaked, status, verify};
pub use tickets::{TICKET_LEN, TICKET_MILLIS, no_such_ticket, tickets};

/// Bytes on the ordinary heap that are wiped, whole capacity, when dropped, and print as nothing:
/// for inputs of one job, of which there may be more than the secure heap holds.
pub type WipedBytes = secrecy::SecretBox<Vec<u8>>;

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
mod tests;
