//! The epoch: a small file that every process maps, with the number of the last transaction. A look
//! at it is one load.
//!
//! It is older than the database and never goes back, so it also shows that the database has lost
//! transactions.

use std::fs::File;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ring::digest;

use super::directory::Directory;
use super::fault::{busy, cannot_open, corrupt, system};
use super::head::STORE_ID_LEN;
use super::options::Durability;
use super::row::Sequence;
use crate::clock::{Clock, SystemClock, note_latest};
use crate::error::Result;
use crate::id::random_bytes;
use crate::os::{Native, Platform, SharedWords, Storage, lock_within};

/// `NSepoch` and the version of the file, which also shows the byte order.
const MAGIC: u64 = u64::from_be_bytes(*b"NSepoch\x01");

/// The length of the file, in bytes.
const LEN: usize = 4096;

/// Places of words in the file.
mod word {
    pub(super) const MAGIC: usize = 0;
    pub(super) const SEQUENCE: usize = 1;
    pub(super) const STORE: usize = 2;
    pub(super) const BOOT: usize = 4;
    /// Not 0 if a process has written without waiting for the disk since the start of the machine.
    pub(super) const RELAXED: usize = 6;
    /// When a process last found the database locked, by the boot clock, in milliseconds.
    pub(super) const WANTED: usize = 7;
    /// Not 0 if the database had lost commits when a process opened it first after the start of the
    /// machine.
    pub(super) const LOST: usize = 8;
    /// The latest time that the system's clock has shown, in milliseconds since 1970; 0 in a file
    /// that is new.
    pub(super) const LATEST: usize = 9;
}

/// The mapped file.
#[derive(Debug)]
pub(super) struct Epoch(SharedWords);

/// The boot clock, which all processes of the machine share; 0 if there is none.
pub(super) fn boot_millis() -> u64 {
    Native::boot_millis().unwrap_or(0)
}

/// The latest time that the system's clock has shown to this process.
fn shown() -> u64 {
    SystemClock.latest_unix_millis()
}

/// The file, locked against other processes that open the store.
#[derive(Debug)]
pub(super) struct LockedEpoch {
    epoch: Epoch,
    file: File,
}

impl Epoch {
    /// The last transaction.
    pub(super) fn get(&self) -> Sequence {
        self.word(word::SEQUENCE).load(Ordering::Acquire)
    }

    /// Raises the number of the last transaction, after the time of the clock: the disk never has a
    /// number with an earlier time.
    pub(super) fn raise(&self, sequence: Sequence) {
        if sequence <= self.get() {
            return;
        }
        note_latest(self.word(word::LATEST), shown().max(SystemClock.unix_millis()));
        self.word(word::SEQUENCE).fetch_max(sequence, Ordering::AcqRel);
    }

    /// Notes that this process waits for the lock of the database.
    pub(super) fn want_lock(&self) {
        self.word(word::WANTED).store(boot_millis(), Ordering::Relaxed);
    }

    /// Whether a process has waited for the lock since a time of [`boot_millis`]. One that was
    /// killed stops being counted by itself.
    pub(super) fn is_wanted_since(&self, time: u64) -> bool {
        self.word(word::WANTED).load(Ordering::Relaxed) > time
    }

    /// Whether commits were lost when the machine started last.
    pub(super) fn has_lost(&self) -> bool {
        self.word(word::LOST).load(Ordering::Acquire) != 0
    }

    /// The latest time that the clock of any process has shown before a transaction, in
    /// milliseconds since 1970.
    pub(super) fn latest_time(&self) -> u64 {
        self.word(word::LATEST).load(Ordering::Acquire)
    }

    /// Exchanges the latest time of the clock with other processes, if it was set back. Otherwise
    /// it writes nothing, so that a disk may sleep.
    pub(super) fn exchange_time(&self) {
        SystemClock.learn(self.latest_time());
        let latest = shown();
        if latest > SystemClock.unix_millis() {
            note_latest(self.word(word::LATEST), latest);
        }
    }

    /// The random id of the store.
    pub(super) fn store(&self) -> [u8; STORE_ID_LEN] {
        self.pair(word::STORE)
    }

    fn pair(&self, at: usize) -> [u8; 16] {
        let words = [at, at + 1].map(|at| self.word(at).load(Ordering::Acquire).to_ne_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(words.as_flattened());
        bytes
    }

    fn set_pair(&self, at: usize, bytes: [u8; 16]) {
        let (words, _) = bytes.as_chunks();
        for (at, bytes) in (at..).zip(words) {
            self.word(at).store(u64::from_ne_bytes(*bytes), Ordering::Release);
        }
    }

    fn word(&self, at: usize) -> &AtomicU64 {
        &self.0.words()[at]
    }
}

impl LockedEpoch {
    /// Opens the file of a directory, or makes it if there is no database. Waits at most `wait` for
    /// other processes that open the store.
    pub(super) fn open(directory: &Directory, wait: Duration) -> Result<Self> {
        let open = |makes| {
            let mut options = Native::private_file();
            options.read(true).write(true).create(makes).open(directory.epoch())
        };
        let file = match open(false) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // The epoch is made before the database. Another process may have made both since.
                let is_new = directory.database_id()?.is_none();
                open(is_new).map_err(|error| match error.kind() {
                    io::ErrorKind::NotFound => corrupt("its epoch is missing"),
                    _ => system("make the store's epoch", &error),
                })?
            }
            opened => opened.map_err(|error| system("open the store's epoch", &error))?,
        };
        if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
            return Err(cannot_open("the store's epoch is not a regular file"));
        }
        match lock_within(&file, wait) {
            Ok(true) => {}
            Ok(false) => return Err(busy()),
            Err(error) => return Err(system("lock the store", &error)),
        }
        let len = file.metadata().map_err(|error| system("read the store's epoch", &error))?.len();
        if len < LEN as u64 && directory.database_id()?.is_none() {
            let mut store = [0; STORE_ID_LEN];
            random_bytes(&mut store)?;
            write(&file, store, 0)?;
            directory.sync_with_parent()?;
        }
        let words = SharedWords::map(&file, LEN).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => corrupt("its epoch is too short"),
            _ => system("map the store's epoch", &error),
        })?;
        let epoch = Epoch(words);
        if epoch.word(word::MAGIC).load(Ordering::Acquire) != MAGIC {
            return Err(corrupt("its epoch was changed, or is of another version or machine"));
        }
        Ok(Self { epoch, file })
    }

    pub(super) fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    /// Whether the machine has started since the file was used, and commits of the time before may
    /// be lost.
    pub(super) fn may_have_lost(&self) -> bool {
        self.epoch.word(word::RELAXED).load(Ordering::Acquire) != 0
            && self.epoch.pair(word::BOOT) != boot()
    }

    /// Unlocks the file, after recording the start of the machine, the durability of this process
    /// and whether it has noticed a loss. They are on the page of the number, so the disk never has
    /// a newer number without them.
    pub(super) fn unlock(self, durability: Durability, has_lost: bool) -> Result<Epoch> {
        let boot = boot();
        let [relaxed, lost] = [word::RELAXED, word::LOST].map(|at| self.epoch.word(at));
        if self.epoch.pair(word::BOOT) != boot {
            relaxed.store(0, Ordering::Release);
            lost.store(0, Ordering::Release);
            self.epoch.set_pair(word::BOOT, boot);
        }
        if has_lost {
            lost.store(1, Ordering::Release);
        }
        if durability == Durability::Process {
            relaxed.store(1, Ordering::Release);
        }
        let flushed = self.epoch.0.flush();
        flushed.map_err(|error| system("write the store's epoch", &error))?;
        // The mapping keeps the open file, and so the lock, if the file is only closed.
        Native::unlock(&self.file).map_err(|error| system("unlock the store", &error))?;
        Ok(self.epoch)
    }
}

/// Makes the file of a database that is complete.
pub(super) fn create(
    directory: &Directory,
    store: [u8; STORE_ID_LEN],
    sequence: Sequence,
) -> Result<()> {
    let mut options = Native::private_file();
    let file = options.write(true).create_new(true).open(directory.epoch());
    let file = file.map_err(|error| system("make the store's epoch", &error))?;
    write(&file, store, sequence)?;
    directory.sync_with_parent()
}

/// Writes the whole file, so that no page of it is missing when the disk is full later.
fn write(mut file: &File, store: [u8; STORE_ID_LEN], sequence: Sequence) -> Result<()> {
    let mut bytes = [0; LEN];
    let (words, _) = bytes.as_chunks_mut::<8>();
    words[word::MAGIC] = MAGIC.to_ne_bytes();
    words[word::SEQUENCE] = sequence.to_ne_bytes();
    words[word::STORE..word::BOOT].as_flattened_mut().copy_from_slice(&store);
    words[word::BOOT..word::RELAXED].as_flattened_mut().copy_from_slice(&boot());
    let written = file.write_all(&bytes).and_then(|()| file.sync_all());
    written.map_err(|error| system("write the store's epoch", &error))
}

/// The start of the machine, as 16 bytes; zeros if the system does not say.
fn boot() -> [u8; 16] {
    let Some(id) = Native::boot_id() else { return [0; 16] };
    let hash = digest::digest(&digest::SHA256, id.as_bytes());
    hash.as_ref().first_chunk().copied().unwrap_or_default()
}
