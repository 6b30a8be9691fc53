//! All calls to the operating system. No code outside this module depends on the system that the
//! crate is built for.
//!
//! Each system has one file, which implements [`Platform`] and [`ProtectedMemory`], and a file
//! `storage`, which implements [`Storage`]; [`Native`] is the system of this build. `unix` holds
//! the calls that unix systems share. `allocator` serves systems without better calls for memory.
//! `registers` holds the processor instructions that clear vector registers, `prefetch` those that
//! fetch memory ahead.

mod allocator;
mod hardening;
mod platform;
mod prefetch;
mod protected_memory;
mod registers;
mod shared_words;
mod storage;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(any(test, not(any(target_os = "linux", target_os = "macos", windows))))]
mod portable;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub use linux::Linux as Native;
#[cfg(target_os = "macos")]
pub use macos::MacOs as Native;
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
pub use portable::Portable as Native;
#[cfg(windows)]
pub use windows::Windows as Native;

pub use hardening::{Hardened, Hardening, harden};
pub use platform::{FileExposure, HUGE_PAGE_LEN, Platform, WORKING_MEMORY_ALIGN};
#[cfg(test)]
pub use portable::Portable;
pub use prefetch::prefetch;
pub use protected_memory::{Backend, Mapping, Memlock, ProtectedMemory, Protection};
pub use registers::clear_vector_registers;
pub use shared_words::SharedWords;
pub use storage::{DirectoryFault, FileId, LockCall, Storage, is_full, lock_within};
