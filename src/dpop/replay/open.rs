//! The files that this process has open: each is mapped once for all threads.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use super::cache::ReplayCache;
use super::header::{Fixed, SUBJECT};
use super::size::DEFAULT_ENTRIES;
use super::words::Words;
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::machine_file::{self, Found, Opened};
use crate::os::FileId;

/// The caches of this process, by their files.
static OPEN: LazyLock<Mutex<HashMap<FileId, Weak<ReplayCache>>>> = LazyLock::new(Mutex::default);

/// A file that others replace again and again is given up after so many looks.
const MAX_LOOKS: usize = 100;

impl ReplayCache {
    /// The cache of a file, which is made if there is none. All threads of the process get the same
    /// one. A file from before the machine started is made anew.
    ///
    /// Fails with `ERR_DPOP_FILE` for a file that cannot be used, and with `ERR_INVALID_ARG_VALUE`
    /// if it has room for another number of proofs.
    pub fn machine(
        path: &Path,
        max_entries: Option<usize>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Arc<Self>> {
        machine_file::check_clock(SUBJECT)?;
        let path = machine_file::resolve(path, SUBJECT)?;
        machine_file::check_filesystem(&path, SUBJECT)?;
        // Held meanwhile, so that two threads do not map one file twice.
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, cache| cache.strong_count() > 0);
        for _ in 0..MAX_LOOKS {
            let (former, replaces) = match machine_file::find::<Fixed>(&path)? {
                Found::File(opened) => {
                    let id = opened.id;
                    let known = open.get(&id).and_then(Weak::upgrade);
                    let cache = match known {
                        Some(known) => known,
                        None => Arc::new(Self::mapped(&opened, clock.clone())?),
                    };
                    if max_entries.is_some_and(|given| given != cache.max_entries()) {
                        return Err(Error::new(
                            Code::InvalidArgValue,
                            "maxEntries differs from that of the replay cache's file: pass the \
                             same number in all processes, or leave it out",
                        ));
                    }
                    open.insert(id, Arc::downgrade(&cache));
                    return Ok(cache);
                }
                // The file stays locked until the new one is in its place.
                Found::Stale(stale) => (Some(stale), true),
                Found::Nothing => (None, false),
            };
            let size = former.as_ref().map(|stale| stale.fixed.max_entries);
            let size = max_entries.or(size).unwrap_or(DEFAULT_ENTRIES);
            let fixed = Fixed::new(size, clock.unix_seconds(), machine_file::boot(SUBJECT)?)?;
            machine_file::create(&path, &fixed.encode(), fixed.len() * 8, replaces, SUBJECT)?;
        }
        Err(SUBJECT.unusable(
            "other processes delete or replace the file of the replay cache again and again",
        ))
    }

    pub(super) fn mapped(opened: &Opened<Fixed>, clock: Arc<dyn Clock>) -> Result<Self> {
        let words = Words::File(machine_file::map(opened)?);
        Ok(Self::with(words, &opened.fixed, clock))
    }
}
