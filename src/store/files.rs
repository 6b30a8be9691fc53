//! The files of a store that is open. A program that replaces, cuts or deletes one of them has this
//! process and others use different stores, so nothing may be acknowledged any more.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use super::directory::Directory;
use super::fault::{corrupt, system};
use crate::error::Result;
use crate::os::{FileId, Native, Storage};

/// SQLite cuts its log to this length when it begins it again, in bytes.
pub(super) const LOG_LIMIT: u64 = 16 << 20;

/// A file that is open.
#[derive(Debug)]
struct OpenFile {
    path: PathBuf,
    name: &'static str,
    id: FileId,
    /// A length below which nobody cuts the file.
    len: AtomicU64,
    /// The most that `len` becomes.
    keeps: u64,
}

/// The files of a store that is open.
#[derive(Debug)]
pub(super) struct OpenFiles([OpenFile; 4]);

impl OpenFiles {
    /// Identifies the files that this process has just opened.
    pub(super) fn note(directory: &Directory) -> Result<Self> {
        let file = |path: PathBuf, name, keeps| {
            let found = Native::file_id_and_len(&path);
            let (id, len) = found.map_err(|error| failure(name, &error))?;
            Ok(OpenFile { path, name, id, len: len.min(keeps).into(), keeps })
        };
        let database = directory.database();
        let [log, index] = ["db-wal", "db-shm"].map(|name| database.with_extension(name));
        Ok(Self([
            file(database, "database", u64::MAX)?,
            file(directory.epoch(), "epoch", u64::MAX)?,
            file(log, "log", LOG_LIMIT)?,
            file(index, "index", u64::MAX)?,
        ]))
    }

    /// Fails with `ERR_STORE_CORRUPT` if another program has replaced, cut or deleted a file.
    pub(super) fn check(&self) -> Result<()> {
        self.0.iter().try_for_each(OpenFile::check)
    }
}

impl OpenFile {
    fn check(&self) -> Result<()> {
        let found = Native::file_id_and_len(&self.path);
        let (id, len) = found.map_err(|error| failure(self.name, &error))?;
        if id != self.id {
            return Err(corrupt(&format!("its {} was replaced while it was open", self.name)));
        }
        if len < self.len.load(Ordering::Relaxed) {
            return Err(corrupt(&format!("its {} was cut while it was open", self.name)));
        }
        self.len.store(len.min(self.keeps), Ordering::Relaxed);
        Ok(())
    }
}

fn failure(name: &str, error: &io::Error) -> crate::error::Error {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            corrupt(&format!("its {name} was deleted or moved while it was open"))
        }
        _ => system("look at the store's files", error),
    }
}
