//! Working memory for memory-hard hashing: tens of MiB at a time, and again for the next job.
//!
//! Mapping, first touch and unmapping cost a third of a 64 MiB hash with 4 KiB pages. So a `region`
//! is whole 2 MiB huge pages where the system has them, if it is longer than one, and the `cache`
//! keeps it for the next job of its size. `Pages` are a region on loan. This is working memory,
//! not a place for keys: it is not locked, only kept out of core dumps.

mod cache;
mod pages;
mod region;

pub use self::cache::{IDLE_TIME, MAX_KEPT_LEN, configure, kept_len, release_idle};
pub use self::pages::{BLOCK_LEN, Pages, PlainBlock, take, take_untrusted};
