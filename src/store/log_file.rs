//! The file of SQLite's log (WAL), extended in steps before SQLite comes to its end.
//!
//! To write behind the end of a file, and to wait for the disk, means to wait for the file system's
//! own log, and on ext4 for the data of others that is in it. To overwrite zeros does not. SQLite
//! stops reading at the first frame that is none, so zeros at the end are no part of its log.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::PathBuf;

/// Bytes that SQLite writes beside each page.
const FRAME_HEAD_LEN: u64 = 24;

/// The pages after which SQLite writes its log into the database, and begins it again.
const MOST_PAGES: u64 = 1000;

/// The pages by which the file grows.
const STEP_PAGES: u64 = 64;

pub(super) struct LogFile {
    path: PathBuf,
    frame_len: u64,
    /// The length when it was extended last.
    extended_to: Option<u64>,
}

impl LogFile {
    pub(super) fn new(path: PathBuf, page_size: u64) -> Self {
        Self { path, frame_len: page_size + FRAME_HEAD_LEN, extended_to: None }
    }

    /// Extends the file if SQLite has written behind its end. No other process may write it
    /// meanwhile. If it fails, SQLite extends it.
    pub(super) fn extend(&mut self) {
        let Ok(len) = fs::metadata(&self.path).map(|metadata| metadata.len()) else { return };
        if self.extended_to == Some(len) || len >= MOST_PAGES * self.frame_len {
            return;
        }
        let mut zeros = io::repeat(0).take(STEP_PAGES * self.frame_len);
        let file = File::options().append(true).open(&self.path);
        let added = file.and_then(|mut file| io::copy(&mut zeros, &mut file));
        self.extended_to = Some(len + added.unwrap_or(0));
    }
}
