//! The file, by the rules of [`crate::machine_file`].

use std::path::Path;

use super::fault::SUBJECT;
use super::header::{self, Fixed, Shape};
use crate::error::Result;
use crate::id::random_bytes;
use crate::limiter::layout::Layout;
use crate::limiter::limit::Limits;
use crate::machine_file::{self, Subject};

/// A file that can be used, and is of this start of the machine.
pub(super) type Opened = machine_file::Opened<Fixed>;

/// The thing at a path.
pub(super) type Found = machine_file::Found<Fixed>;

/// The layout of a file.
pub(super) fn layout(shape: &Shape) -> Layout {
    let buckets = Layout::buckets_for(shape.max_keys, shape.limits);
    Layout { buckets, limits: shape.limits }
}

/// The length of a file, in bytes.
fn file_len(shape: &Shape) -> u64 {
    ((header::LEN + layout(shape).len()) * 8) as u64
}

impl machine_file::Fixed for Fixed {
    const SUBJECT: Subject = SUBJECT;
    const LEN: usize = header::LEN;

    fn decode(words: &[u64]) -> Option<Self> {
        Self::decode(words)
    }

    fn file_len(&self) -> Option<u64> {
        Some(self.file_len).filter(|len| *len == file_len(&self.shape))
    }

    fn boot(&self) -> &str {
        &self.boot
    }
}

/// Looks for the file at a path.
pub(super) fn find(path: &Path) -> Result<Found> {
    machine_file::find(path)
}

/// Makes a file at a path at which there is nothing; one that another process makes meanwhile
/// stays. With `replaces` it takes the place of a file.
pub(super) fn create(path: &Path, shape: Shape, limits: &Limits, replaces: bool) -> Result<()> {
    let mut key = [0; 16];
    random_bytes(&mut key)?;
    let file_len = file_len(&shape);
    let fixed = Fixed { file_len, shape, key, boot: machine_file::boot(SUBJECT)? };
    machine_file::create(path, &fixed.encode(limits), file_len, replaces, SUBJECT)
}
