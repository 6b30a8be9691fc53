//! Reads the memory that a child of fork(2) has of its parent. The parent has several threads, so
//! the child makes only system calls.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::ptr;

use super::memory::{bounds, page_size};

/// Raises the limit on core dumps to its maximum. Returns whether core dumps are allowed at all.
pub(crate) fn allow_core() -> bool {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both calls take one rlimit.
    unsafe {
        libc::getrlimit(libc::RLIMIT_CORE, &raw mut limit) == 0 && {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_CORE, &raw const limit) == 0 && limit.rlim_max > 0
        }
    }
}

/// Forks a child that writes its memory to a file, mapping by mapping. write(2) reads memory with
/// the rights of the child, and fails with EFAULT where the child has no memory.
pub(crate) fn fork_and_dump(path: &str) -> io::Result<()> {
    let file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    // The parent's mappings. The child has the same ones, except for those that it does not
    // inherit.
    let maps = fs::read_to_string("/proc/self/maps")?;
    let mappings: Vec<_> = maps.lines().filter(|line| is_memory(line)).filter_map(bounds).collect();
    let page = page_size();
    let status = in_child(|| {
        for &(mut at, end) in &mappings {
            while at < end {
                let address = ptr::without_provenance::<libc::c_void>(at);
                // SAFETY: the kernel checks what it reads.
                let written = unsafe { libc::write(file.as_raw_fd(), address, end - at) };
                at += usize::try_from(written).unwrap_or(page);
            }
        }
        // SAFETY: ends the child at once.
        unsafe { libc::_exit(0) }
    })?;
    if status == 0 { Ok(()) } else { Err(io::Error::other("the forked child failed")) }
}

/// Forks a child that reads the byte at `address`, and that aborts if the read has not ended it.
/// Returns the signal that ended the child.
pub(crate) fn fork_and_touch(address: usize) -> io::Result<i32> {
    let status = in_child(|| {
        // SAFETY: none, on purpose: the child may have no memory at `address`. The access then
        // raises a signal, which ends the child.
        unsafe {
            ptr::without_provenance::<u8>(address).read_volatile();
            libc::abort()
        }
    })?;
    Ok(libc::WTERMSIG(status))
}

/// Whether a mapping is readable and does not belong to the kernel.
fn is_memory(mapping: &str) -> bool {
    let access = mapping.split_ascii_whitespace().nth(1).unwrap_or("");
    access.starts_with('r') && !mapping.contains("[v")
}

/// Runs `body`, which does not return, in a child. Returns the child's wait status.
fn in_child(body: impl FnOnce()) -> io::Result<i32> {
    // SAFETY: the child makes system calls only and ends in `body`.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        body();
    }
    let mut status = 0;
    // SAFETY: waits for the child that was just made.
    if pid < 0 || unsafe { libc::waitpid(pid, &raw mut status, 0) } != pid {
        return Err(io::Error::last_os_error());
    }
    Ok(status)
}
