//! The directory of a store: made, checked and identified.

use std::fs;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf, absolute};

use super::fault::{cannot_open, system};
use crate::error::{Code, Error, Result};
use crate::id::uuid_v4;
use crate::os::{DirectoryFault, FileId, Native, Storage, is_full};

const DATABASE: &str = "store.db";
const EPOCH: &str = "epoch";

/// A directory that is ours.
#[derive(Clone, Debug)]
pub(super) struct Directory {
    path: PathBuf,
    id: FileId,
    /// The name of a file system that only `allowFilesystem` permits.
    shared_filesystem: Option<String>,
}

impl Directory {
    /// Checks a directory, and makes it if it is missing and its parent exists.
    pub(super) fn prepare(path: &Path, allow_filesystem: bool) -> Result<Self> {
        // SQLite opens files by path later, when the working directory may be another one.
        let path = absolute(path).map_err(|error| system("use the store's path", &error))?;
        match fs::symlink_metadata(&path) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => create(&path)?,
            Err(error) => return Err(system("look at the store's directory", &error)),
        }
        Self::check(path, allow_filesystem)
    }

    /// Makes a directory that does not exist.
    pub(super) fn create_new(path: &Path, allow_filesystem: bool) -> Result<Self> {
        let path = absolute(path).map_err(|error| system("use the path", &error))?;
        if fs::symlink_metadata(&path).is_ok() {
            return Err(exists());
        }
        Native::create_private_directory(&path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => exists(),
            _ => system("make the directory; its parent must exist", &error),
        })?;
        Self::check(path, allow_filesystem)
    }

    fn check(path: PathBuf, allow_filesystem: bool) -> Result<Self> {
        let look = |error: io::Error| system("look at the store's directory", &error);
        let metadata = fs::symlink_metadata(&path).map_err(look)?;
        if !metadata.is_dir() {
            return Err(cannot_open(
                "the store's path is not a directory, or is a symbolic link; name the directory \
                 itself",
            ));
        }
        match Native::directory_fault(&metadata) {
            Some(DirectoryFault::NotOurs) => {
                return Err(cannot_open(
                    "the store's directory belongs to another user; run as that user, or choose \
                     another directory",
                ));
            }
            Some(DirectoryFault::Accessible) => {
                return Err(cannot_open(
                    "the group or others may use the store's directory; chmod 700 it",
                ));
            }
            None => {}
        }
        let id = Native::file_id(&path).map_err(look)?;
        let shared_filesystem = Native::shared_filesystem(&path).map_err(look)?;
        if let Some(name) = shared_filesystem.as_ref().filter(|_| !allow_filesystem) {
            return Err(Error::new(
                Code::StoreFilesystem,
                format!(
                    "the store's directory is on {name}, where locks of other machines may not \
                     hold; use a local disk, or pass allowFilesystem: true if no other machine \
                     uses it"
                ),
            ));
        }
        Ok(Self { path, id, shared_filesystem })
    }

    pub(super) fn id(&self) -> FileId {
        self.id
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn shared_filesystem(&self) -> Option<&str> {
        self.shared_filesystem.as_deref()
    }

    pub(super) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    pub(super) fn epoch(&self) -> PathBuf {
        self.path.join(EPOCH)
    }

    /// The identity of the database; `None` if it is missing.
    pub(super) fn database_id(&self) -> Result<Option<FileId>> {
        let path = self.database();
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_file() => {
                let id = Native::file_id(&path);
                id.map(Some).map_err(|error| system("look at the store's database", &error))
            }
            Ok(_) => Err(cannot_open("the store's database is not a regular file")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(system("look at the store's database", &error)),
        }
    }

    /// Makes an empty database file, from which SQLite takes the mode of its other files.
    pub(super) fn create_database(&self) -> Result<()> {
        let mut options = Native::private_file();
        let made = options.write(true).create_new(true).open(self.database());
        made.map_err(|error| system("make the store's database", &error))?;
        self.sync()
    }

    /// Makes the entries of the directory durable.
    pub(super) fn sync(&self) -> Result<()> {
        let synced = Native::sync_directory(&self.path);
        synced.map_err(|error| system("write the store's directory", &error))
    }

    /// Makes the entries of the directory and its own entry durable. A parent that this process may
    /// not read is left to the system.
    pub(super) fn sync_with_parent(&self) -> Result<()> {
        self.sync()?;
        match self.path.parent().map(Native::sync_directory) {
            Some(Err(error)) if error.kind() != io::ErrorKind::PermissionDenied => {
                Err(system("write the parent of the store's directory", &error))
            }
            _ => Ok(()),
        }
    }
}

fn create(path: &Path) -> Result<()> {
    match Native::create_private_directory(path) {
        // Another process has made it since.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(cannot_open(
            "the parent of the store's directory does not exist; make it, only the last part of \
             the path is made",
        )),
        made => made.map_err(|error| system("make the store's directory", &error)),
    }
}

fn exists() -> Error {
    cannot_open("the path of the backup exists; name a new directory")
}

/// Whether the files of a directory may grow. SQLite reports some full disks, quotas and limits on
/// the size of files as other errors.
pub(super) fn has_room(directory: &Path) -> bool {
    !write_probe(directory).is_err_and(|error| is_full(&error))
}

/// Whether the file system of a directory is read-only. SQLite reports that as missing rights, or
/// as a file that cannot be opened.
pub(super) fn is_read_only(directory: &Path) -> bool {
    write_probe(directory).is_err_and(|error| error.kind() == io::ErrorKind::ReadOnlyFilesystem)
}

/// Whether the disk of a directory fails. SQLite reports a read that the system refuses as damage.
pub(super) fn is_failing(directory: &Path) -> bool {
    use io::ErrorKind::{NotFound, PermissionDenied, ReadOnlyFilesystem};
    let healthy = [NotFound, PermissionDenied, ReadOnlyFilesystem];
    write_probe(directory).is_err_and(|e| !is_full(&e) && !healthy.contains(&e.kind()))
}

/// Writes another file, and removes it. It has a hole and a few pages; one that stays is never
/// read.
fn write_probe(directory: &Path) -> io::Result<()> {
    let Ok(name) = uuid_v4() else { return Ok(()) };
    let path = directory.join(format!("room-{name}"));
    let files = fs::read_dir(directory).into_iter().flatten();
    let longest = files.filter_map(|file| Some(file.ok()?.metadata().ok()?.len())).max();
    let mut options = Native::private_file();
    let written = options.write(true).create_new(true).open(&path).and_then(|mut file| {
        // A limit on the size of files shows behind the end of the longest one only.
        file.seek(SeekFrom::Start(longest.unwrap_or(0)))?;
        file.write_all(&[0; 16_384])?;
        file.sync_all()
    });
    let _ = fs::remove_file(&path);
    written
}
