//! The native half of `npm run prove`: searches files and the memory of other processes for byte
//! strings, and forks the process that loads it. It is a separate addon, so that none of its code
//! is in the product.

#![cfg(target_os = "linux")]
#![allow(clippy::cast_precision_loss, reason = "counts, which JavaScript holds as f64")]
#![allow(unsafe_code, reason = "fork(2), process_vm_readv(2) and reading one's own mappings")]
#![allow(clippy::needless_pass_by_value, reason = "napi-rs hands over owned values")]

mod fork;
mod memory;
mod needles;

use std::fs::File;

use napi::Error;
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

use self::memory::Access;
use self::needles::Needles;

/// The result of a search.
#[napi(object)]
pub struct Findings {
    /// One entry for every place where a string was found.
    pub hits: Vec<Hit>,
    /// Bytes that were read and searched.
    pub read: f64,
    /// Bytes that are present but that the kernel refused to return.
    pub refused: f64,
}

/// A string that was found.
#[napi(object)]
pub struct Hit {
    /// The index of the string.
    pub needle: u32,
    /// An offset in a file, or an address with the mapping that contains it.
    pub place: String,
}

/// Searches for several byte strings at the same time, each of at least 8 bytes.
#[napi]
pub struct Scanner(Needles);

#[napi]
impl Scanner {
    /// Throws if a string is too short.
    #[napi(constructor)]
    pub fn new(strings: Vec<Uint8Array>) -> napi::Result<Self> {
        Needles::new(strings.iter().map(|string| string.to_vec()).collect())
            .map(Self)
            .ok_or_else(|| Error::from_reason("every string must have 8 bytes or more"))
    }

    /// Searches a file from its beginning to its end.
    #[napi]
    pub fn file(&self, path: String) -> napi::Result<Findings> {
        let mut search = self.0.search();
        let read = search.all(File::open(path)?)?;
        let hits = search.hits.iter().map(|hit| self::hit(hit, String::new())).collect();
        Ok(Findings { hits, read: read as f64, refused: 0.0 })
    }

    /// Searches all memory of a process through `/proc/PID/mem`.
    #[napi]
    pub fn proc_mem(&self, pid: u32) -> napi::Result<Findings> {
        self.memory(&Access::proc_mem(pid)?)
    }

    /// Searches all memory of a process with `process_vm_readv`.
    #[napi]
    pub fn process_vm_readv(&self, pid: u32) -> napi::Result<Findings> {
        self.memory(&Access::process_vm_readv(pid))
    }

    fn memory(&self, access: &Access) -> napi::Result<Findings> {
        let mut findings = Findings { hits: Vec::new(), read: 0.0, refused: 0.0 };
        memory::scan(access, &self.0, |piece| {
            findings.read += piece.read as f64;
            findings.refused += piece.refused as f64;
            let name = piece.mapping;
            findings.hits.extend(piece.hits.iter().map(|found| hit(found, format!(" {name}"))));
        })?;
        Ok(findings)
    }
}

fn hit(found: &needles::Found, suffix: String) -> Hit {
    Hit { needle: found.needle, place: format!("{:#x}{suffix}", found.at) }
}

/// Raises this process's limit on the size of core dumps to its maximum. Returns whether core dumps
/// are allowed at all.
#[napi]
pub fn allow_core() -> bool {
    fork::allow_core()
}

/// Forks a child that writes every readable byte of its own memory to a file and ends.
#[napi]
pub fn fork_and_dump(path: String) -> napi::Result<()> {
    Ok(fork::fork_and_dump(&path)?)
}

/// Forks a child that reads from an address as a program would, and that aborts if the read has not
/// ended it. Returns the signal that ended the child.
#[napi]
pub fn fork_and_touch(address: String) -> napi::Result<i32> {
    let address = usize::from_str_radix(&address, 16);
    let address = address.map_err(|_| Error::from_reason("the address must be hexadecimal"))?;
    Ok(fork::fork_and_touch(address)?)
}
