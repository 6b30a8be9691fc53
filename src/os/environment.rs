//! Environment variables of the process.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use self::unix::{wipe, with_value};
#[cfg(windows)]
pub use self::windows::{wipe, with_value};
