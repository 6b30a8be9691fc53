//! Each byte of the files of a small store changed, and each file cut at every length: the store
//! then gives all rows, or a code.

use super::*;

/// Makes a store with entries and records, partly in the database and partly in its log, and copies
/// the files while it is open, as a killed process leaves them.
fn make(folder: &Folder, has_log: bool) -> (PathBuf, Vec<u64>) {
    use crate::store::{Expected, RecordChange};
    let (path, saved) = (folder.path("store"), folder.path("saved"));
    let record = |name: &str| RecordChange {
        name: name.into(),
        expected: Expected::Absent,
        value: Some(b"a value".to_vec().into()),
    };
    let store = open(&path).unwrap();
    let mut first = batch(0..12);
    first.records.push(record("a"));
    store.commit_and_wait(first, WAIT).unwrap();
    close(store);
    if !has_log {
        return (path, (0..12).collect());
    }
    let store = open(&path).unwrap();
    commit(&store, 12..14).unwrap();
    let mut last = batch([14]);
    last.records.push(record("b"));
    store.commit_and_wait(last, WAIT).unwrap();
    copy(&path, &saved);
    (saved, (0..15).collect())
}

/// Opens a damaged copy. Returns whether it opened; then it has all rows.
fn opens_with(path: &Path, values: &[u64], what: &str) -> bool {
    match open(path) {
        Ok(store) => {
            let rows = store.state::<Rows>().unwrap();
            assert_eq!(rows.values(), values, "{what}");
            assert_eq!(rows.records.len(), if values.len() > 12 { 2 } else { 1 }, "{what}");
            close(store);
            true
        }
        Err(error) => {
            let code = error.code;
            assert!(code.as_str().starts_with("ERR_STORE_"), "{what}: {error}");
            assert!(code != Code::StoreBusy && code != Code::StoreFull, "{what}: {error}");
            false
        }
    }
}

/// Damages one file in each of the given ways. Returns how many copies opened, of how many.
fn damage(
    name: &str,
    has_log: bool,
    variants: impl Fn(&[u8]) -> Vec<(String, Vec<u8>)>,
) -> (usize, usize) {
    let folder = Folder::in_memory();
    let (saved, values) = make(&folder, has_log);
    let damaged = folder.path("damaged");
    let original = fs::read(saved.join(name)).unwrap();
    assert!(original.len() >= 512, "{name}");
    copy(&saved, &damaged);
    assert!(opens_with(&damaged, &values, "unchanged"));
    let all = variants(&original);
    let opened = all.iter().filter(|(what, bytes)| {
        copy(&saved, &damaged);
        fs::write(damaged.join(name), bytes).unwrap();
        opens_with(&damaged, &values, what)
    });
    (opened.count(), all.len())
}

/// The part of a file before the zeros at its end.
fn used(original: &[u8]) -> &[u8] {
    let zeros = original.iter().rev().take_while(|byte| **byte == 0).count();
    &original[..original.len() - zeros]
}

fn flipped(original: &[u8]) -> Vec<(String, Vec<u8>)> {
    let places = (0..original.len()).flat_map(|place| [(place, 0x01), (place, 0x80)]);
    places
        .map(|(place, mask)| {
            let mut bytes = original.to_vec();
            bytes[place] ^= mask;
            (format!("byte {place} ^ {mask:#x}"), bytes)
        })
        .collect()
}

fn cut(original: &[u8]) -> Vec<(String, Vec<u8>)> {
    (0..original.len()).map(|len| (format!("{len} bytes"), original[..len].to_vec())).collect()
}

#[test]
fn every_flipped_byte_of_the_database_gives_all_rows_or_a_code() {
    let (opened, all) = damage("store.db", false, flipped);
    // The pages are half empty, and nothing reads the empty part.
    assert!(opened + 1500 < all, "{opened} of {all} opened");
}

#[test]
fn every_flipped_byte_of_the_database_beside_a_log_gives_all_rows_or_a_code() {
    damage("store.db", true, flipped);
}

#[test]
fn every_flipped_byte_of_the_log_gives_all_rows_or_a_code() {
    let frames = |original: &[u8]| {
        let mut all = flipped(original);
        all.truncate(2 * used(original).len());
        all
    };
    let (opened, all) = damage("store.db-wal", true, frames);
    assert!(opened < all / 2, "{opened} of {all} opened");
}

#[test]
fn a_database_cut_at_any_length_gives_all_rows_or_a_code() {
    let (opened, _) = damage("store.db", false, cut);
    assert_eq!(opened, 0);
    damage("store.db", true, cut);
}

#[test]
fn a_log_cut_at_any_length_gives_a_code() {
    let (opened, _) = damage("store.db-wal", true, |original| cut(used(original)));
    assert_eq!(opened, 0);
}

#[test]
fn the_end_of_the_log_that_holds_nothing_may_be_cut_or_hold_anything() {
    let changed = |original: &[u8]| {
        let used = used(original).len();
        assert!(used + 8 * 512 < original.len(), "{used} of {} bytes are used", original.len());
        let mut other = original.to_vec();
        other[used + 512..].fill(0x5a);
        let shorter = [used + 512, original.len() - 1].map(|len| original[..len].to_vec());
        let variants = [other].into_iter().chain(shorter);
        variants.map(|bytes| (format!("{} bytes", bytes.len()), bytes)).collect()
    };
    let (opened, all) = damage("store.db-wal", true, changed);
    assert_eq!(opened, all);
}

#[test]
fn every_flipped_byte_of_the_epoch_gives_all_rows_or_a_code() {
    let first_words = |original: &[u8]| {
        let mut all = flipped(original);
        // The rest of the page is not used.
        all.truncate(2 * 64);
        all
    };
    let (opened, all) = damage("epoch", true, first_words);
    assert!(opened < all, "{opened} of {all} opened");
}
