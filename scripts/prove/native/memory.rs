//! Reads all memory of another process from outside, in one of two ways.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::ptr;

use super::needles::{Found, Needles};

const CHUNK: usize = 1 << 20;

/// A way to read the memory of a process.
pub(crate) struct Access {
    pid: u32,
    /// The open `/proc/PID/mem`; `None` for `process_vm_readv`.
    mem: Option<File>,
}

impl Access {
    pub(crate) fn proc_mem(pid: u32) -> io::Result<Self> {
        Ok(Self { pid, mem: Some(File::open(format!("/proc/{pid}/mem"))?) })
    }

    pub(crate) fn process_vm_readv(pid: u32) -> Self {
        Self { pid, mem: None }
    }

    /// Fills `buffer` with the bytes from an address on, as far as the kernel returns them. Returns
    /// their number.
    fn read(&self, buffer: &mut [u8], address: usize) -> io::Result<usize> {
        if let Some(mem) = &self.mem {
            return mem.read_at(buffer, address as u64);
        }
        let local = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
        let remote =
            libc::iovec { iov_base: ptr::without_provenance_mut(address), iov_len: buffer.len() };
        let pid = libc::pid_t::try_from(self.pid).map_err(io::Error::other)?;
        // SAFETY: the local side is the buffer; the remote side is checked by the kernel.
        let read =
            unsafe { libc::process_vm_readv(pid, &raw const local, 1, &raw const remote, 1, 0) };
        usize::try_from(read).map_err(|_| io::Error::last_os_error())
    }
}

/// The result of searching one mapping.
pub(crate) struct Piece<'a> {
    pub mapping: &'a str,
    pub hits: &'a [Found],
    pub read: usize,
    pub refused: usize,
}

/// Searches every present page of any protection, mapping by mapping.
pub(crate) fn scan(
    access: &Access,
    needles: &Needles,
    mut done: impl FnMut(Piece<'_>),
) -> io::Result<()> {
    let maps = fs::read_to_string(format!("/proc/{}/maps", access.pid))?;
    let pagemap = File::open(format!("/proc/{}/pagemap", access.pid))?;
    let mut buffer = vec![0; CHUNK];
    for mapping in maps.lines() {
        // The kernel's own pages, which are the same in every process.
        if mapping.ends_with("[vsyscall]") || mapping.contains("[vvar") {
            continue;
        }
        let Some((start, end)) = bounds(mapping) else { continue };
        let mut search = needles.search();
        let (mut read, mut refused) = (0, 0);
        for (mut at, end) in present(&pagemap, start, end)? {
            search.jump(at);
            while at < end {
                let wanted = CHUNK.min(end - at);
                match access.read(&mut buffer[..wanted], at) {
                    Ok(got) if got > 0 => {
                        search.feed(&buffer[..got]);
                        at += got;
                        read += got;
                    }
                    // The kernel refuses this page. It may not refuse the next one.
                    _ => {
                        let next = (at + page_size()) / page_size() * page_size();
                        refused += next - at;
                        at = next;
                        search.jump(at);
                    }
                }
            }
        }
        done(Piece { mapping, hits: &search.hits, read, refused });
    }
    Ok(())
}

/// The start and end addresses of a line of `/proc/PID/maps`.
pub(crate) fn bounds(mapping: &str) -> Option<(usize, usize)> {
    let (start, end) = mapping.split_ascii_whitespace().next()?.split_once('-')?;
    Some((usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?))
}

/// The size of a page in bytes.
pub(crate) fn page_size() -> usize {
    // SAFETY: sysconf has no preconditions.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}

/// The parts of a mapping that have pages, in memory or in swap (`proc_pid_pagemap(5)`). The others
/// are skipped, because V8 reserves far more memory than it uses.
fn present(pagemap: &File, start: usize, end: usize) -> io::Result<Vec<(usize, usize)>> {
    const PRESENT_OR_SWAPPED: u64 = 0b11 << 62;
    let page = page_size();
    let mut entries = vec![0; (end - start) / page * 8];
    pagemap.read_exact_at(&mut entries, (start / page * 8) as u64)?;
    let mut parts = Vec::<(usize, usize)>::new();
    for (index, entry) in entries.as_chunks::<8>().0.iter().enumerate() {
        if u64::from_le_bytes(*entry) & PRESENT_OR_SWAPPED == 0 {
            continue;
        }
        let at = start + index * page;
        match parts.last_mut() {
            Some((_, end)) if *end == at => *end += page,
            _ => parts.push((at, at + page)),
        }
    }
    Ok(parts)
}
