//! Files that processes share, on macOS.

use std::ffi::CStr;
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

use super::MacOs;
use crate::os::storage::{DirectoryFault, FileId, Storage};
use crate::os::unix::storage;

/// Starts of `f_fstypename`.
const SHARED: [&str; 8] = ["afpfs", "cifs", "ftp", "macfuse", "nfs", "osxfuse", "smbfs", "webdav"];

impl Storage for MacOs {
    fn file_id(path: &Path) -> io::Result<FileId> {
        storage::file_id(path)
    }

    fn file_id_and_len(path: &Path) -> io::Result<(FileId, u64)> {
        storage::file_id_and_len(path)
    }

    fn id_of(file: &File) -> io::Result<FileId> {
        file.metadata().map(|metadata| storage::id_of(&metadata))
    }

    fn directory_fault(metadata: &Metadata) -> Option<DirectoryFault> {
        storage::directory_fault(metadata)
    }

    fn create_private_directory(path: &Path) -> io::Result<()> {
        storage::create_private_directory(path)
    }

    fn private_file() -> OpenOptions {
        storage::private_file()
    }

    fn sync_directory(path: &Path) -> io::Result<()> {
        storage::sync_directory(path)
    }

    fn shared_filesystem(path: &Path) -> io::Result<Option<String>> {
        let found = storage::filesystem(path)?;
        // SAFETY: the kernel ends the name with NUL inside of the array, which lives on.
        let name = unsafe { CStr::from_ptr(found.f_fstypename.as_ptr()) }.to_string_lossy();
        Ok(SHARED.iter().any(|start| name.starts_with(start)).then(|| name.into_owned()))
    }

    fn boot_id() -> Option<String> {
        let mut text = [0_u8; 64];
        let mut len = text.len();
        // SAFETY: the name ends in NUL; the call writes at most `len` bytes, and how many.
        let failed = unsafe {
            libc::sysctlbyname(
                c"kern.bootsessionuuid".as_ptr(),
                text.as_mut_ptr().cast(),
                &raw mut len,
                std::ptr::null_mut(),
                0,
            )
        } != 0;
        let text = text.get(..len).filter(|_| !failed)?;
        let id = std::str::from_utf8(text).ok()?.trim_end_matches('\0');
        Some(id.to_owned()).filter(|id| !id.is_empty())
    }
}
