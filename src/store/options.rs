//! The options with which a store is opened.

use std::time::Duration;

use crate::error::{Code, Error, Result};

/// The losses that a commit survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The machine loses power: each group of commits is written to the disk.
    #[default]
    PowerLoss,
    /// The process dies. If the machine stops, the last commits may be lost, and
    /// [`Store::lost_at`](super::Store::lost_at) then says so.
    Process,
}

/// The options of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    /// The longest wait for the transaction of another process: 1 ms to 10 minutes, by default 2 s.
    pub busy: Duration,
    /// The losses that a commit survives.
    pub durability: Durability,
    /// Whether the directory may be on a file system that other machines may use.
    pub allow_filesystem: bool,
    /// Bytes of a page of a database that is made: a power of 2 from 512 to 65,536, by default
    /// 4096.
    pub page_size: u32,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            busy: Duration::from_secs(2),
            durability: Durability::PowerLoss,
            allow_filesystem: false,
            page_size: 4096,
        }
    }
}

impl StoreOptions {
    /// Fails with `ERR_OUT_OF_RANGE` if a number is out of range.
    pub(super) fn check(&self) -> Result<()> {
        let refuse = |message| Err(Error::new(Code::OutOfRange, message));
        if !(Duration::from_millis(1)..=Duration::from_secs(600)).contains(&self.busy) {
            return refuse("busyMs must be from 1 to 600000");
        }
        if !(self.page_size.is_power_of_two() && (512..=65_536).contains(&self.page_size)) {
            return refuse("the page size must be a power of 2 from 512 to 65536");
        }
        Ok(())
    }
}
