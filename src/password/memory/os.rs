//! Where regions come from: anonymous mappings on Linux, the allocator elsewhere and under Miri.

#[cfg(not(all(target_os = "linux", not(miri))))]
mod allocated;
#[cfg(all(target_os = "linux", not(miri)))]
mod mapped;

#[cfg(not(all(target_os = "linux", not(miri))))]
pub(super) use self::allocated::{map, unmap};
#[cfg(all(target_os = "linux", not(miri)))]
pub(super) use self::mapped::{map, unmap};
