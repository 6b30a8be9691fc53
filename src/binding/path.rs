//! Paths of files that native code writes.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::args::{Arg, Result};

/// The longest path, in bytes: Linux's `PATH_MAX`.
const PATH: RangeInclusive<usize> = 1..=4096;

/// Reads a path.
pub(super) fn read(path: Arg<'_>) -> Result<PathBuf> {
    let text = path.string(PATH)?;
    if text.contains('\0') {
        return Err(path.invalid("must not hold a NUL"));
    }
    Ok(Path::new(&text).to_owned())
}
