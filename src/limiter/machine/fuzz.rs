//! Opens files of limiters with any bytes: see [`crate::fuzz`].

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use super::header::{self, mended};
use super::{MachineLimiter, MachineOptions};
use crate::error::Code;
use crate::id::uuid_v4;
use crate::os::{Native, Storage};

/// A file in memory, which goes away.
struct FileOf(PathBuf);

impl Drop for FileOf {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Returns whether the file was opened.
pub(in crate::limiter) fn file(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks();
    let mut words: Vec<u64> = words.iter().map(|word| u64::from_ne_bytes(*word)).collect();
    if words.len() >= header::LEN && rest.is_empty() {
        mended(&mut words, &Native::boot_id().expect("Linux"));
    }
    let name = format!("nodesec-fuzz-{}", uuid_v4().expect("randomness"));
    let file = FileOf(PathBuf::from("/dev/shm").join(name));
    let mut open = Native::private_file();
    let mut out = open.write(true).create_new(true).open(&file.0).expect("a file");
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    out.write_all(&bytes).expect("room in memory");
    out.write_all(rest).expect("room in memory");
    let limiter = match MachineLimiter::open(&file.0, &MachineOptions::default()) {
        Ok(limiter) => limiter,
        Err(error) => {
            assert_eq!(error.code, Code::LimitFile, "{error}");
            return false;
        }
    };
    let costs = [Code::LimitCost, Code::OutOfRange];
    for key in [&b"a"[..], b"b", b"c", b"", b"d", b"e"] {
        for result in [
            limiter.check(key, 1).map(|_| ()),
            limiter.peek(key, 1).map(|_| ()),
            limiter.consume(key, 2).map(|_| ()),
            limiter.penalize(key, 3),
            limiter.block(key, 1000),
            limiter.refund(key, 1),
        ] {
            assert!(result.as_ref().map_or_else(|error| costs.contains(&error.code), |()| true));
        }
        limiter.reset(key);
        limiter.unblock(key);
    }
    limiter.stats();
    let (limits, _) = limiter.limits();
    limiter.set_limits(&limits).expect("its own limits");
    limiter.check(b"a", 1).ok();
    limiter.clear();
    true
}
