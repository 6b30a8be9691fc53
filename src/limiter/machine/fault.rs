//! The errors of the file.

use std::borrow::Cow;
use std::io;

use crate::error::{Code, Error};
use crate::os::is_full;

pub(super) fn unusable(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(Code::LimitFile, message)
}

/// The error for a call of the operating system that failed.
pub(super) fn system(action: &str, error: &io::Error) -> Error {
    if is_full(error) {
        return unusable(
            "the disk, a quota or a limit on the size of files leaves no room for the file of the \
             limiter: make room, or lower maxKeys",
        );
    }
    unusable(format!("cannot {action} ({error}): correct that and open the limiter again"))
}

pub(super) fn busy() -> Error {
    unusable(
        "another process has held the file of the limiter locked for a second: try again, and look \
         for a process that is stopped",
    )
}

pub(super) fn damaged(finding: &str) -> Error {
    unusable(format!(
        "the file of the limiter cannot be used: it {finding}; name another path, or stop the \
         processes that use it and delete it"
    ))
}
