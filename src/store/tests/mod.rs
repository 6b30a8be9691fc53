//! Tests of whole stores.

mod changes;
// It opens thousands of stores, which takes many minutes under wine.
#[cfg(not(windows))]
mod damage;
mod directories;
mod followers;
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "forks")]
mod forks;
mod handles;
mod losses;
#[cfg(target_os = "linux")]
mod processes;
// Windows lets nobody replace a file that is open.
#[cfg(unix)]
mod replaced;
mod replays;
#[cfg(target_os = "linux")]
mod served;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Batch, Commit, Entry, Position, Replay, SealedRecord, Sequence, Store, StoreOptions};
use crate::error::{Code, Result};
use crate::secret::Secret;
use crate::testing::folder::Folder;

/// The rows of a store when it was opened.
#[derive(Default)]
struct Rows {
    entries: Vec<(Position, Entry)>,
    records: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Replay for Rows {
    fn entry(&mut self, position: Position, entry: &Entry) -> Result<()> {
        self.entries.push((position, *entry));
        Ok(())
    }

    fn record(&mut self, record: &SealedRecord<'_>) -> Result<()> {
        self.records.push((record.name.to_vec(), record.open()?.to_vec()));
        Ok(())
    }
}

impl Rows {
    /// The values of the entries, sorted.
    fn values(&self) -> Vec<u64> {
        let mut values: Vec<_> = self.entries.iter().map(|(_, entry)| entry.value).collect();
        values.sort_unstable();
        values
    }
}

const WAIT: Duration = Duration::from_secs(30);

fn key(byte: u8) -> Secret {
    Secret::copy_from(&[byte; 32]).unwrap()
}

/// Small pages, so that few rows need several.
fn options() -> StoreOptions {
    StoreOptions { page_size: 512, ..StoreOptions::default() }
}

fn open_with(path: &Path, options: StoreOptions) -> Result<Store> {
    Store::open(path, &key(1), options, || Box::new(Rows::default()))
}

fn open(path: &Path) -> Result<Store> {
    open_with(path, options())
}

/// The code with which a store does not open.
fn refusal(path: &Path) -> Code {
    open(path).err().expect("the store must not open").code
}

fn entry(value: u64) -> Entry {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&value.to_le_bytes());
    Entry { kind: 1, key, value, until: value }
}

fn batch(values: impl IntoIterator<Item = u64>) -> Batch {
    Batch { entries: values.into_iter().map(entry).collect(), records: Vec::new() }
}

/// Commits entries, and returns their transaction.
fn commit(store: &Store, values: impl IntoIterator<Item = u64>) -> Result<Sequence> {
    match store.commit_and_wait(batch(values), WAIT)? {
        Commit::Done(receipt) => Ok(receipt.sequence),
        Commit::Conflict => panic!("entries cannot conflict"),
    }
}

/// The values of all entries of a store that no process has open.
fn values_in(path: &Path) -> Vec<u64> {
    let store = open(path).unwrap();
    let values = store.state::<Rows>().unwrap().values();
    store.close();
    values
}

/// Closes a store, and drops its mapping: Windows lets nobody overwrite a file that is mapped.
#[allow(clippy::needless_pass_by_value, reason = "dropped here")]
fn close(store: Store) {
    store.close();
}

/// Copies the files of a store, except for the one that SQLite makes anew after a crash.
fn copy(from: &Path, to: &Path) {
    use crate::os::{Native, Storage};
    if to.exists() {
        fs::remove_dir_all(to).unwrap();
    }
    Native::create_private_directory(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        if file.file_name() == "store.db-shm" {
            continue;
        }
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}
