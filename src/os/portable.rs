//! Zeroed memory from the ordinary allocator, without protection. It serves unix systems without a
//! file of their own, and tests of the code on top of it, also tests that cannot make system calls.

use std::ops::Range;

use super::allocator;
use super::protected_memory::{Backend, Mapping, Memlock, ProtectedMemory, Protection};

/// A system that offers [`Backend::Plain`] only.
#[derive(Clone, Copy, Debug)]
pub struct Portable;

const PAGE: usize = 4096;

impl ProtectedMemory for Portable {
    fn page_size(&self) -> usize {
        PAGE
    }

    fn map(&self, backend: Backend, len: usize) -> Result<Mapping, String> {
        if backend != Backend::Plain {
            return Err(format!("{}: not available on this system", backend.as_str()));
        }
        let base =
            allocator::allocate(len, PAGE).ok_or_else(|| "plain: out of memory".to_owned())?;
        Ok(Mapping { base, len, guard: 0, shortfalls: Vec::new() })
    }

    unsafe fn unmap(&self, mapping: Mapping) {
        // SAFETY: `map` allocated these bytes, and the caller vouches that nothing refers to them.
        unsafe { allocator::free(mapping.base, mapping.len, PAGE) };
    }

    fn read_back(&self, _: &[Range<usize>]) -> Result<Protection, String> {
        Ok(Protection { locked: false, dump_excluded: false, note: None })
    }

    fn memlock(&self) -> Memlock {
        Memlock { soft: None, hard: None }
    }

    fn hibernation_configured(&self) -> bool {
        false
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
mod calls {
    use std::fs::{File, Metadata, OpenOptions};
    use std::io;
    use std::path::Path;

    use super::Portable;
    use crate::os::platform::{FileExposure, Platform};
    use crate::os::storage::{DirectoryFault, FileId, Storage};
    use crate::os::unix::{self, environment, storage};

    impl Platform for Portable {
        fn with_variable<T>(name: &str, body: impl FnOnce(&[u8]) -> T) -> Option<T> {
            environment::with_value(name, body)
        }

        fn wipe_variable(name: &str) {
            environment::wipe(name);
        }

        fn memory_capacity() -> Option<u64> {
            unix::physical_memory()
        }

        fn open_without_waiting(path: &Path) -> io::Result<File> {
            unix::open_without_waiting(path)
        }

        fn file_exposure(metadata: &Metadata) -> Option<FileExposure> {
            unix::file_exposure(metadata)
        }

        fn limit_core(bytes: u64) -> Result<(), String> {
            unix::limit_core(bytes)
        }

        fn core_limit() -> Option<u64> {
            unix::core_limit()
        }
    }

    impl Storage for Portable {
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
    }
}
