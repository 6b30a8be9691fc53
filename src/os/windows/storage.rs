//! Files that processes share, on Windows.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::AsRawHandle;
use std::path::{Component, Path};
use std::time::{SystemTime, UNIX_EPOCH};

use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT,
    GetDriveTypeW, GetFileInformationByHandle,
};
use windows_sys::Win32::System::SystemInformation::GetTickCount64;

use super::Windows;
use crate::os::storage::{FileId, Storage};

/// `DRIVE_REMOTE` of `GetDriveTypeW`.
const REMOTE: u32 = 4;

/// `ERROR_LOCK_VIOLATION`.
const LOCK_VIOLATION: i32 = 33;

impl Storage for Windows {
    fn file_id(path: &Path) -> io::Result<FileId> {
        let flags = FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT;
        Self::id_of(&OpenOptions::new().access_mode(0).custom_flags(flags).open(path)?)
    }

    fn id_of(file: &File) -> io::Result<FileId> {
        let mut found = BY_HANDLE_FILE_INFORMATION::default();
        // SAFETY: the handle is open, and the call writes one structure.
        if unsafe { GetFileInformationByHandle(file.as_raw_handle(), &raw mut found) } == 0 {
            return Err(io::Error::last_os_error());
        }
        let index = u64::from(found.nFileIndexHigh) << 32 | u64::from(found.nFileIndexLow);
        Ok(FileId { device: found.dwVolumeSerialNumber.into(), index })
    }

    fn shared_filesystem(path: &Path) -> io::Result<Option<String>> {
        let Some(Component::Prefix(prefix)) = path.components().next() else { return Ok(None) };
        let root = prefix.as_os_str().encode_wide();
        let root: Vec<u16> = root.chain("\\\0".encode_utf16()).collect();
        // SAFETY: the text ends in NUL.
        let remote = unsafe { GetDriveTypeW(root.as_ptr()) } == REMOTE;
        Ok(remote.then(|| "a network drive".to_owned()))
    }

    fn unlock(file: &File) -> io::Result<()> {
        // The standard library unlocks twice, and wine calls the second time a violation.
        file.unlock().or_else(|error| match error.raw_os_error() {
            Some(LOCK_VIOLATION) => Ok(()),
            _ => Err(error),
        })
    }

    /// The minute in which the system started, by the wall clock. After the clock was set, a start
    /// may look like another one.
    fn boot_id() -> Option<String> {
        // SAFETY: takes nothing and cannot fail.
        let running = unsafe { GetTickCount64() };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_millis();
        let started = now.saturating_sub(running.into());
        Some(format!("minute {}", (started + 30_000) / 60_000))
    }

    /// Minutes that differ by less than six are the same start after a small correction of the
    /// clock.
    fn is_same_boot(one: &str, other: &str) -> bool {
        let minute = |id: &str| id.strip_prefix("minute ")?.parse::<u64>().ok();
        minute(one).zip(minute(other)).is_some_and(|(one, other)| one.abs_diff(other) < 6)
    }
}
