//! Files that processes share, on Linux.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;

use super::{Linux, size_signal};
use crate::os::storage::{DirectoryFault, FileId, Storage, write_zeros};
use crate::os::unix::storage;

/// `f_type` of `statfs(2)`, and the name. A FUSE file system may be local, but its server decides
/// whether locks and shared mappings hold.
const SHARED: [(u32, &str); 12] = [
    (0x0102_1997, "9p"),
    (0x5346_414F, "afs"),
    (0x00C3_6400, "ceph"),
    (0xFF53_4D42, "cifs"),
    (0x7375_7245, "coda"),
    (0x6573_5546, "fuse"),
    (0x0116_1970, "gfs2"),
    (0x0BD0_0BD0, "lustre"),
    (0x6969, "nfs"),
    (0x7461_636F, "ocfs2"),
    (0xFE53_4D42, "smb2"),
    (0x517B, "smb"),
];

impl Storage for Linux {
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

    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::unnecessary_cast,
        reason = "the type of f_type differs between C libraries; the numbers have 32 bits"
    )]
    fn shared_filesystem(path: &Path) -> io::Result<Option<String>> {
        let kind = storage::filesystem(path)?.f_type as u32;
        let known = SHARED.iter().find(|(number, _)| *number == kind);
        Ok(known.map(|(_, name)| (*name).to_owned()))
    }

    fn allocate(file: &File, len: u64) -> io::Result<()> {
        let _blocked = size_signal::Blocked::new();
        let end = libc::off_t::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
        loop {
            // SAFETY: takes numbers; the descriptor is open.
            match unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, end) } {
                0 => return Ok(()),
                libc::EINTR => {}
                // musl does not write zeros on a file system without the call.
                libc::EOPNOTSUPP | libc::EINVAL => return write_zeros(file, len),
                error => return Err(io::Error::from_raw_os_error(error)),
            }
        }
    }

    fn within_file_size<T>(body: impl FnOnce() -> T) -> T {
        let _blocked = size_signal::Blocked::new();
        body()
    }

    fn boot_id() -> Option<String> {
        let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        Some(id.trim().to_owned()).filter(|id| !id.is_empty())
    }

    // With 32 bits, the structure has another form than the one that SQLite uses.
    #[cfg(target_pointer_width = "64")]
    fn descriptor_locks() -> Option<crate::os::LockCall> {
        Some(super::descriptor_locks::fcntl)
    }

    fn has_descriptor(file: FileId) -> bool {
        let Ok(descriptors) = fs::read_dir("/proc/self/fd") else { return false };
        // Following the link asks for the file of the descriptor, even if its path is gone.
        descriptors
            .filter_map(|entry| fs::metadata(entry.ok()?.path()).ok())
            .any(|metadata| storage::id_of(&metadata) == file)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn an_allocated_file_has_a_block_for_each_of_its_bytes() {
        for allocate in [Linux::allocate, write_zeros] {
            let path =
                std::env::temp_dir().join(format!("nodesec-allocated-{}", std::process::id()));
            let file = File::create_new(&path).unwrap();
            allocate(&file, 100_000).unwrap();
            let metadata = file.metadata().unwrap();
            fs::remove_file(&path).unwrap();
            assert_eq!(metadata.len(), 100_000);
            assert!(metadata.blocks() * 512 >= 100_000, "{metadata:?}");
        }
    }

    #[test]
    fn a_descriptor_is_found_while_it_is_open_even_if_its_file_is_deleted() {
        let path = std::env::temp_dir().join(format!("nodesec-descriptor-{}", std::process::id()));
        let file = File::create(&path).unwrap();
        let id = Linux::file_id(&path).unwrap();
        assert!(Linux::has_descriptor(id));
        fs::remove_file(&path).unwrap();
        assert!(Linux::has_descriptor(id));
        drop(file);
        assert!(!Linux::has_descriptor(id));
    }

    #[test]
    fn temporary_files_and_proc_are_on_file_systems_of_this_machine() {
        assert_eq!(Linux::shared_filesystem(Path::new("/proc")).unwrap(), None);
        assert!(Linux::shared_filesystem(Path::new("/not there")).is_err());
    }
}
