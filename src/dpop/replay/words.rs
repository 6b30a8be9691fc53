//! The words of a table, in this process or in a file.

use std::sync::atomic::AtomicU64;

use crate::error::{Code, Error, Result};
use crate::os::SharedWords;

/// Words that start with a header.
pub(super) enum Words {
    /// Of this process.
    Process(Box<[AtomicU64]>),
    /// Of a file.
    File(SharedWords),
}

impl Words {
    /// Words of this process: a header, and zeros.
    pub(super) fn new(header: &[u64], len: usize) -> Result<Self> {
        let mut words = Vec::new();
        words.try_reserve_exact(len).map_err(|_| {
            Error::new(
                Code::DpopFull,
                "there is no memory for the replay cache; give the process more, or lower \
                 maxEntries",
            )
        })?;
        words.extend(header.iter().map(|word| AtomicU64::new(*word)));
        words.resize_with(len, AtomicU64::default);
        Ok(Self::Process(words.into()))
    }

    #[inline]
    pub(super) fn get(&self) -> &[AtomicU64] {
        match self {
            Self::Process(words) => words,
            Self::File(words) => words.words(),
        }
    }
}
