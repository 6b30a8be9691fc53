//! The start of a file as atomic words, which every process that maps the file shares.

use std::fs::File;
use std::io;
use std::sync::atomic::AtomicU64;

use memmap2::{MmapOptions, MmapRaw};

/// The mapped words of a file. If another program truncates the file, a read ends this process with
/// a signal, as with every mapping: the file must be ours alone.
#[derive(Debug)]
pub struct SharedWords(MmapRaw);

impl SharedWords {
    /// Maps the first `len` bytes of a file that is open for reading and writing. Fails with
    /// `UnexpectedEof` if the file is shorter.
    pub fn map(file: &File, len: usize) -> io::Result<Self> {
        if file.metadata()?.len() < len as u64 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        MmapOptions::new().len(len).map_raw(file).map(Self)
    }

    /// The words, in the byte order of this machine.
    #[inline]
    pub fn words(&self) -> &[AtomicU64] {
        // SAFETY: the mapping has `len` bytes, starts at a page, and lives as long as `self`. All
        // accesses of this process are atomic, because the pointer is not lent elsewhere; any bits
        // are a valid word.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), self.0.len() / 8) }
    }

    /// Writes the mapped bytes to the disk.
    pub fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }
}
