//! Working memory for memory-hard hashing, kept for reuse: tens of MiB per job.
//!
//! With 4 KiB pages, mapping, first touch and unmapping cost a third of a 64 MiB hash. So a
//! `region` that is longer than a 2 MiB huge page consists of whole huge pages where the system has
//! them, and the `cache` keeps it for the next job of its size. `Pages` are a region on loan. This
//! memory is not a place for keys: it is not locked, only kept out of core dumps.

mod cache;
mod pages;
mod region;

pub use self::cache::{IDLE_TIME, MAX_KEPT_LEN, configure, kept_len, release_idle};
pub use self::pages::{BLOCK_LEN, Pages, PlainBlock, take, take_untrusted};
