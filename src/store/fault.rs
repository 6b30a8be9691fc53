//! The errors of a store.

use std::io;

use crate::error::{Code, Error};

pub(super) fn corrupt(finding: &str) -> Error {
    Error::new(
        Code::StoreCorrupt,
        format!("the store is damaged: {finding}; restore its whole directory from one backup()"),
    )
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
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    if matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge) {
        return full();
    }
    cannot_open(format!("cannot {action} ({error}); correct that and open the store again"))
}
