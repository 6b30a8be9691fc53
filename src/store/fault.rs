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

/// The error of a call after the store was closed.
pub fn closed() -> Error {
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

pub(super) fn read_only() -> Error {
    cannot_open(
        "the file system of the store is read-only; look why, for example for an error of the disk, \
         and mount it for writing",
    )
}

/// The error for a call of the operating system that failed.
pub(super) fn system(action: &str, error: &io::Error) -> Error {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    match error.kind() {
        _ if is_full(error) => full(),
        ReadOnlyFilesystem => read_only(),
        PermissionDenied => cannot_open(format!(
            "cannot {action} ({error}); give this process's user the right to read and write its \
             directory and files",
        )),
        _ => {
            cannot_open(format!("cannot {action} ({error}); correct that and open the store again"))
        }
    }
}
