//! Copies a store while it is in use.

use std::fs;
use std::path::Path;

use super::database::Database;
use super::directory::Directory;
use super::engine::Engine;
use super::epoch;
use super::replay::replay;
use super::shared::Shared;
use crate::error::Result;
use crate::os::{Native, Storage};

/// Writes a copy to a new directory. The epoch is written last, and without it the copy does not
/// open: a copy that the machine's stop interrupts is never taken for a whole one.
pub(super) fn write(shared: &Shared, path: &Path) -> Result<()> {
    let directory = Directory::create_new(path, shared.options.allow_filesystem)?;
    let written = Native::within_file_size(|| write_files(shared, &directory));
    if written.is_err() {
        // The error of the copy says more than one of the removal.
        let _ = fs::remove_dir_all(directory.path());
    }
    written
}

fn write_files(shared: &Shared, directory: &Directory) -> Result<()> {
    // The copy is of the files that are at the path.
    shared.files.check()?;
    directory.create_database()?;
    // A connection of its own, so that readers do not wait for the copy.
    let mut source = Database::open(&shared.directory.database(), &shared.options, true)?;
    source.copy_to(&directory.database())?;
    let mut copy = Database::open(&directory.database(), &shared.options, true)?;
    copy.check_format()?;
    let head = replay(&mut copy, &shared.keys, &mut ())?;
    // Closing writes the log of the copy into its database.
    drop(copy);
    epoch::create(directory, head.store, head.sequence)
}
