//! A folder for files of a test.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::id::uuid_v4;

/// A folder that is removed at the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        Self::below(&env::temp_dir())
    }

    /// A folder that is in memory if the system has such, for tests that open thousands of stores.
    pub(crate) fn in_memory() -> Self {
        let memory = Path::new("/dev/shm");
        if memory.is_dir() { Self::below(memory) } else { Self::new() }
    }

    pub(crate) fn below(parent: &Path) -> Self {
        let path = parent.join(format!("nodesec-test-{}", uuid_v4().unwrap()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// The folder itself.
    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    /// A path in the folder, where nothing is yet.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays is found in the system's folder for such things.
        let _ = fs::remove_dir_all(&self.0);
    }
}
