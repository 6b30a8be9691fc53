//! Secrets in files: read(2) writes the bytes directly into a slot, without a buffer in between.

use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

use super::secret::Secret;
use crate::error::{Code, Error, Result};
use crate::os::{FileExposure, Native, Platform};

/// The requirements on a file with a secret.
#[derive(Clone, Copy, Debug)]
pub struct FileRules {
    /// The largest file, in bytes; at most [`super::MAX_SECRET_LEN`].
    pub max_bytes: usize,
    /// Whether the file may belong to another user, and whether users other than the owner may be
    /// able to read or write it.
    pub allow_insecure: bool,
}

/// The content of a regular, non-empty file. Links are followed, because Kubernetes mounts secrets
/// as links; the checks apply to the opened file. Fails with `ERR_SECRET_FILE` if it cannot be read
/// or is too large, with `ERR_SECRET_PERMISSIONS` if group or others may read or write it or if it
/// belongs to a user other than root and the user of this process (not checked on Windows), and
/// with `ERR_SECRET_EXHAUSTED`.
pub fn read_file(path: &Path, rules: FileRules) -> Result<Secret> {
    let refused = |error: io::Error| unreadable(&error);
    // Opening alone can rewind a tape or unblock the writer of a pipe, so check first.
    assert_regular(&fs::metadata(path).map_err(refused)?)?;
    let mut file = Native::open_without_waiting(path).map_err(refused)?;
    let metadata = file.metadata().map_err(refused)?;
    assert_regular(&metadata)?;
    if !rules.allow_insecure {
        assert_private(&metadata)?;
    }
    let len = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    if len > rules.max_bytes {
        return Err(wrong(&format!("has {len} bytes; it must have at most {}", rules.max_bytes)));
    }
    if len == 0 {
        return Err(wrong("is empty"));
    }
    Secret::filled(len, |slot| {
        file.read_exact(slot).map_err(refused)?;
        let mut beyond = Zeroizing::new([0]);
        match file.read(&mut *beyond).map_err(refused)? {
            0 => Ok(()),
            _ => Err(wrong("grew while it was being read; try again")),
        }
    })
}

/// The text without a final line ending (`\n` or `\r\n`), which editors and `echo` add.
pub fn without_line_ending(text: &[u8]) -> &[u8] {
    let Some(line) = text.strip_suffix(b"\n") else { return text };
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn assert_regular(metadata: &Metadata) -> Result<()> {
    if metadata.is_file() { Ok(()) } else { Err(wrong("is not a regular file")) }
}

fn assert_private(metadata: &Metadata) -> Result<()> {
    let why = match Native::file_exposure(metadata) {
        None => return Ok(()),
        Some(FileExposure::Accessible) => "must not be accessible to other users: chmod 600 it",
        Some(FileExposure::Owned) => {
            "must not belong to another user: chown it to root or to the user of this process"
        }
    };
    Err(Error::new(
        Code::SecretPermissions,
        format!(
            "the secret file {why}, or pass allowInsecure: true if the machine has no other users"
        ),
    ))
}

/// Repeats the system's error text; the path stays out of messages.
fn unreadable(error: &io::Error) -> Error {
    Error::new(Code::SecretFile, format!("the secret file cannot be read: {error}"))
}

fn wrong(why: &str) -> Error {
    Error::new(Code::SecretFile, format!("the secret file {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_ending_is_cut_off() {
        for (text, expected) in [
            (&b"a\n"[..], &b"a"[..]),
            (b"a\r\n", b"a"),
            (b"a\n\n", b"a\n"),
            (b"a", b"a"),
            (b"a\r", b"a\r"),
            (b"\n", b""),
            (b"", b""),
        ] {
            assert_eq!(without_line_ending(text), expected);
        }
    }
}
