//! The calls to an operating system that concern files which several processes share.

use std::ffi::{c_int, c_void};
use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// A file or directory, known apart from its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileId {
    /// The file system.
    pub device: u64,
    /// The number within the file system.
    pub index: u64,
}

/// A function like `fcntl(2)`, with the argument of its command.
pub type LockCall = unsafe extern "C" fn(c_int, c_int, *mut c_void) -> c_int;

/// A reason not to keep private data in a directory or file.
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

    /// Identifies a file as [`Storage::file_id`] does, and returns its length, too.
    fn file_id_and_len(path: &Path) -> io::Result<(FileId, u64)> {
        Ok((Self::file_id(path)?, fs::symlink_metadata(path)?.len()))
    }

    /// Identifies an open file.
    fn id_of(file: &File) -> io::Result<FileId>;

    /// Whether a directory or file is not for the user of this process alone. Windows inherits
    /// access from the parent, and does not say.
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

    /// Gives an empty file its length, with a place on the disk for each of its bytes, which are 0.
    fn allocate(file: &File, len: u64) -> io::Result<()> {
        write_zeros(file, len)
    }

    /// Runs a body whose writes fail if a file becomes longer than the process may make it. Without
    /// this, the system could end the process.
    fn within_file_size<T>(body: impl FnOnce() -> T) -> T {
        body()
    }

    /// Unlocks a file.
    fn unlock(file: &File) -> io::Result<()> {
        file.unlock()
    }

    /// A text that differs after each start of the machine; `None` if the system does not say.
    fn boot_id() -> Option<String> {
        None
    }

    /// Whether two texts of [`Storage::boot_id`] are of one start.
    fn is_same_boot(one: &str, other: &str) -> bool {
        one == other
    }

    /// A form of `fcntl(2)` whose locks belong to a descriptor: closing another one of the file
    /// does not end them. `None` if the system has none, or has no locks that end so.
    fn descriptor_locks() -> Option<LockCall> {
        None
    }

    /// Whether this process has a descriptor of a file; `false` if the system does not say.
    fn has_descriptor(_file: FileId) -> bool {
        false
    }
}

/// Writes zeros to an empty file.
pub(super) fn write_zeros(mut file: &File, len: u64) -> io::Result<()> {
    static ZEROS: [u8; 1 << 16] = [0; 1 << 16];
    let mut left = len;
    while left > 0 {
        let part = usize::try_from(left).unwrap_or(usize::MAX).min(ZEROS.len());
        file.write_all(&ZEROS[..part])?;
        left -= part as u64;
    }
    Ok(())
}

/// Locks a file against other processes and the other open files of this one. Waits at most `wait`
/// for them, and returns whether that was enough.
pub fn lock_within(file: &File, wait: Duration) -> io::Result<bool> {
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if began.elapsed() < wait => {
                thread::sleep(Duration::from_millis(2));
            }
            Err(TryLockError::WouldBlock) => return Ok(false),
        }
    }
}

/// Whether a call of the operating system failed because there is no room.
pub fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
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
