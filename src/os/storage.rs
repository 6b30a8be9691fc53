//! The calls to an operating system that concern files which several processes share.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

/// A file or directory, whatever its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileId {
    /// The file system.
    pub device: u64,
    /// The number within the file system.
    pub index: u64,
}

/// A reason not to keep private files in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectoryFault {
    /// The group or others may read, write or enter it.
    Accessible,
    /// Another user owns it.
    NotOurs,
}

/// The file systems of one operating system. A default body here serves systems where the call does
/// not exist.
pub trait Storage {
    /// Identifies a file or directory. Does not follow a link in the last part of the path.
    fn file_id(path: &Path) -> io::Result<FileId>;

    /// Whether a directory is not for the user of this process alone. Windows inherits access from
    /// the parent, and does not say.
    fn directory_fault(_metadata: &Metadata) -> Option<DirectoryFault> {
        None
    }

    /// Makes a directory for the user of this process alone. The parent must exist.
    fn create_private_directory(path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    /// Options with which a new file is for the user of this process alone, and a link is not
    /// followed.
    fn private_file() -> OpenOptions {
        OpenOptions::new()
    }

    /// Makes the entries of a directory durable.
    fn sync_directory(_path: &Path) -> io::Result<()> {
        Ok(())
    }

    /// The name of the file system of a directory, if other machines may use it too or if a program
    /// serves it, so that locks and shared mappings may not hold.
    fn shared_filesystem(_path: &Path) -> io::Result<Option<String>> {
        Ok(None)
    }

    /// Unlocks a file.
    fn unlock(file: &File) -> io::Result<()> {
        file.unlock()
    }

    /// A text that differs after each start of the machine; `None` if the system does not say.
    fn boot_id() -> Option<String> {
        None
    }

    /// Whether this process has a descriptor of a file; `false` if the system does not say.
    fn has_descriptor(_file: FileId) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::Native;

    #[test]
    fn a_file_keeps_its_id_when_it_is_renamed_and_a_copy_has_another() {
        let folder = std::env::temp_dir().join(format!("nodesec-file-id-{}", std::process::id()));
        Native::create_private_directory(&folder).unwrap();
        let [one, two, three] = ["one", "two", "three"].map(|name| folder.join(name));
        fs::write(&one, "1").unwrap();
        let id = Native::file_id(&one).unwrap();
        fs::rename(&one, &two).unwrap();
        fs::copy(&two, &three).unwrap();
        assert_eq!(Native::file_id(&two).unwrap(), id);
        assert_ne!(Native::file_id(&three).unwrap(), id);
        assert_eq!(Native::file_id(&folder).unwrap().device, id.device);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn this_start_of_the_machine_has_one_name() {
        assert_eq!(Native::boot_id(), Native::boot_id());
        assert!(Native::boot_id().is_some_and(|id| id.len() >= 8));
    }
}
