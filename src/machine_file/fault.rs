//! The errors of a file.

use std::borrow::Cow;
use std::io;

use crate::error::{Code, Error};
use crate::os::is_full;

/// The words in which errors speak of a kind of file.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// The code of its errors.
    pub code: Code,
    /// The object that the file belongs to.
    pub name: &'static str,
    /// The call to use on systems where there can be no file.
    pub elsewhere: &'static str,
    /// The option that makes a file smaller.
    pub size: &'static str,
}

impl Subject {
    /// A file that cannot be used for this reason.
    pub fn unusable(self, message: impl Into<Cow<'static, str>>) -> Error {
        Error::new(self.code, message)
    }

    /// The error for a call of the operating system that failed.
    pub fn system(self, action: &str, error: &io::Error) -> Error {
        let Self { name, size, .. } = self;
        if is_full(error) {
            return self.unusable(format!(
                "the disk, a quota or a limit on the size of files leaves no room for the file of \
                 the {name}: make room, or lower {size}"
            ));
        }
        self.unusable(format!("cannot {action} ({error}): correct that and open the {name} again"))
    }

    /// The error for a file that another process does not unlock.
    pub fn busy(self) -> Error {
        self.unusable(format!(
            "another process has held the file of the {} locked for a second: try again, and look \
             for a process that is stopped",
            self.name
        ))
    }

    /// The error for a file with other content than ours.
    pub fn damaged(self, finding: &str) -> Error {
        self.unusable(format!(
            "the file of the {} cannot be used: it {finding}; name another path, or stop the \
             processes that use it and delete it",
            self.name
        ))
    }
}
