//! The parts of `Storage` that unix systems share.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use crate::os::storage::{DirectoryFault, FileId};

pub(in crate::os) fn id_of(metadata: &Metadata) -> FileId {
    FileId { device: metadata.dev(), index: metadata.ino() }
}

pub(in crate::os) fn file_id(path: &Path) -> io::Result<FileId> {
    fs::symlink_metadata(path).map(|metadata| id_of(&metadata))
}

pub(in crate::os) fn file_id_and_len(path: &Path) -> io::Result<(FileId, u64)> {
    fs::symlink_metadata(path).map(|metadata| (id_of(&metadata), metadata.len()))
}

pub(in crate::os) fn directory_fault(metadata: &Metadata) -> Option<DirectoryFault> {
    // SAFETY: has no arguments and cannot fail.
    let user = unsafe { libc::geteuid() };
    if metadata.uid() != user {
        Some(DirectoryFault::NotOurs)
    } else if metadata.mode() & 0o077 != 0 {
        Some(DirectoryFault::Accessible)
    } else {
        None
    }
}

pub(in crate::os) fn create_private_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

pub(in crate::os) fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options
}

pub(in crate::os) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Asks for the file system that a path is on.
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub(in crate::os) fn filesystem(path: &Path) -> io::Result<libc::statfs> {
    use std::ffi::CString;
    use std::mem::MaybeUninit;
    use std::os::unix::ffi::OsStrExt;

    let path = CString::new(path.as_os_str().as_bytes())?;
    let mut found = MaybeUninit::<libc::statfs>::zeroed();
    // SAFETY: the path ends in NUL, and the call writes to one structure, for which zeros are
    // valid.
    unsafe {
        if libc::statfs(path.as_ptr(), found.as_mut_ptr()) != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(found.assume_init())
    }
}
