//! What a child of fork(2) has of its parent's memory. The child is that of a process with several
//! threads and makes nothing but system calls.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::ptr;

use super::memory::{bounds, page_size};

/// Raises the limit on core dumps to what is allowed; whether that is anything.
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

/// The child writes its memory, mapping by mapping, to a file. write(2) reads it as the child
/// itself would, and answers EFAULT where the child has nothing.
pub(crate) fn fork_and_dump(path: &str) -> io::Result<()> {
    let file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    // The parent's mappings: the child has them all but for those it does not inherit.
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

/// The child reads a byte, and aborts unless that has ended it; gives the signal that did.
pub(crate) fn fork_and_touch(address: usize) -> io::Result<i32> {
    let status = in_child(|| {
        // SAFETY: none, on purpose: this is the access of a program that uses what it has not got.
        // The answer is a signal, which ends the child.
        unsafe {
            ptr::without_provenance::<u8>(address).read_volatile();
            libc::abort()
        }
    })?;
    Ok(libc::WTERMSIG(status))
}

/// What can be read, but for the kernel's own pages.
fn is_memory(mapping: &str) -> bool {
    let access = mapping.split_ascii_whitespace().nth(1).unwrap_or("");
    access.starts_with('r') && !mapping.contains("[v")
}

/// Runs `body`, which does not return, in a child; gives its wait status.
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
