//! A directory on a file system that a program serves, in a namespace of its own.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::thread;

use super::processes::{child_folder, command};
use super::*;

#[test]
fn a_directory_on_fuse_is_refused_unless_that_is_allowed() {
    const TEST: &str = "served::a_directory_on_fuse_is_refused_unless_that_is_allowed";
    let Some(path) = child_folder(TEST) else {
        let folder = Folder::new();
        // The kernel wants the device opened in the namespace that mounts it.
        let script = "exec 0<>/dev/fuse && mount -i -t fuse -o \
                      fd=0,rootmode=40000,user_id=0,group_id=0 store \"$0\" && exec \"$@\"";
        let mount = folder.folder().to_str().unwrap();
        let before = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, mount];
        let status = command(TEST, folder.folder(), &before).status().unwrap();
        assert!(status.success());
        return;
    };
    let device = io::stdin().as_fd().try_clone_to_owned().unwrap();
    thread::spawn(move || serve(device.into()));
    let refused = open(&path).err().unwrap();
    assert_eq!(refused.code, Code::StoreFilesystem);
    assert!(refused.message.contains("on fuse"), "{refused}");
    // The server has no files, so opening fails later.
    let allowed = open_with(&path, StoreOptions { allow_filesystem: true, ..options() });
    assert_eq!(allowed.err().unwrap().code, Code::StoreOpen);
}

/// Serves an empty directory: answers `INIT`, `GETATTR` and `STATFS` of the kernel's `fuse.h`, and
/// refuses the rest.
fn serve(mut device: File) {
    let mut request = vec![0; 1 << 20];
    while let Ok(len) = device.read(&mut request) {
        assert!(len >= 40);
        let answer: Option<Vec<u32>> = match request[4..8] {
            // Version 7.31, and 4096 bytes at a time.
            [26, 0, 0, 0] => Some([&[7, 31, 0, 0, 0, 4096][..], &[0; 10]].concat()),
            // The mode, and one link, of the user 0.
            [3, 0, 0, 0] => Some([&[0; 4][..], &[0; 15], &[0o40_700, 1], &[0; 5]].concat()),
            [17, 0, 0, 0] => Some(vec![0; 20]),
            _ => None,
        };
        let errno = if answer.is_some() { 0 } else { -libc::ENOSYS };
        let body: Vec<u8> = answer.into_iter().flatten().flat_map(u32::to_le_bytes).collect();
        let total = u32::try_from(16 + body.len()).unwrap().to_le_bytes();
        let answer = [&total[..], &errno.to_le_bytes(), &request[8..16], &body].concat();
        // The kernel may have given up the request.
        let _ = device.write(&answer);
    }
}
