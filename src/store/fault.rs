//! The errors of a store.

use std::io;

use crate::error::{Code, Error};
use crate::os::is_full;

pub(super) fn corrupt(finding: &str) -> Error {
    Error::new(
        Code::StoreCorrupt,
        format!("the store is damaged: {finding}; restore its whole directory from one backup()"),
    )
}

/// The epoch counts transactions that the database does not have.
pub(super) fn older() -> Error {
    corrupt("its database is older than its epoch")
}

pub(super) fn busy() -> Error {
    Error::new(
        Code::StoreBusy,
        "another process has held the store's lock for longer than busyMs; try again, and look for \
         a process that is stopped",
    )
}

pub(super) fn closed() -> Error {
    Error::new(Code::StoreClosed, "the store is closed; close it after the last request")
}

pub(super) fn full() -> Error {
    Error::new(
        Code::StoreFull,
        "the disk, a quota or a limit on the size of files leaves no room for the store; make \
         room, and the store goes on by itself",
    )
}

pub(super) fn cannot_open(what: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(Code::StoreOpen, what)
}

/// The error for a call of the operating system that failed.
pub(super) fn system(action: &str, error: &io::Error) -> Error {
    if is_full(error) {
        return full();
    }
    cannot_open(format!("cannot {action} ({error}); correct that and open the store again"))
}
