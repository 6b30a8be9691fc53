//! Files of words that every process of the machine maps.
//!
//! A file begins with fixed words ([`Fixed`]) that say what it is and when the machine started. It
//! is made complete under another name and then put in its place, so that a process finds it whole
//! or not at all. A file from before the machine started is stale: pages that never reached the
//! disk are lost.

mod fault;
mod file;

pub use self::fault::Subject;
pub use self::file::{
    Fixed, Found, Opened, boot, check_clock, check_filesystem, create, find, map, resolve,
};
