//! Files that do not belong together, backups, and commits that a stopped machine lost.

use super::*;
use crate::clock::{Clock, SystemClock};
use crate::store::Durability;
use crate::store::apply::Transaction;
use crate::store::database::Database;
use crate::store::engine::Engine;
use crate::store::head::Head;
use crate::store::keys::Keys;

/// Overwrites bytes of the epoch.
fn patch_epoch(path: &Path, at: usize, bytes: &[u8]) {
    let mut epoch = fs::read(path.join("epoch")).unwrap();
    epoch[at..at + bytes.len()].copy_from_slice(bytes);
    fs::write(path.join("epoch"), epoch).unwrap();
}

#[test]
fn an_older_database_beside_a_newer_epoch_is_damage_and_both_together_open() {
    let folder = Folder::new();
    let (path, old) = (folder.path("store"), folder.path("old"));
    let store = open(&path).unwrap();
    commit(&store, [1]).unwrap();
    close(store);
    copy(&path, &old);
    let store = open(&path).unwrap();
    commit(&store, [2]).unwrap();
    close(store);
    fs::copy(old.join("store.db"), path.join("store.db")).unwrap();
    assert_eq!(refusal(&path), Code::StoreCorrupt);
    fs::copy(old.join("epoch"), path.join("epoch")).unwrap();
    assert_eq!(values_in(&path), [1]);
}

#[test]
fn an_epoch_that_a_killed_writer_did_not_raise_is_raised_on_open() {
    let folder = Folder::new();
    let (path, old) = (folder.path("store"), folder.path("old"));
    close(open(&path).unwrap());
    copy(&path, &old);
    let store = open(&path).unwrap();
    let sequence = commit(&store, [1]).unwrap();
    close(store);
    fs::copy(old.join("epoch"), path.join("epoch")).unwrap();
    let store = open(&path).unwrap();
    assert_eq!(store.epoch(), sequence);
    assert_eq!(store.state::<Rows>().unwrap().values(), [1]);
}

#[test]
fn an_open_store_notices_the_commit_of_a_writer_that_was_killed_before_the_epoch() {
    let folder = Folder::new();
    let path = folder.path("store");
    let store = open(&path).unwrap();
    let before = store.epoch();
    let keys = Keys::derive(&key(1)).unwrap();
    let mut engine = Database::open(&path.join("store.db"), &options(), true).unwrap();
    assert!(engine.begin().unwrap());
    let head = Head::read(&mut engine, &keys).unwrap();
    let mut transaction = Transaction::new(&mut engine, &keys, head).unwrap();
    transaction.append(&[entry(7)]).unwrap();
    let (head, rows) = transaction.commit().unwrap();
    assert_eq!((head.sequence, rows), (before + 1, 1));
    let is_noticed = (0..300).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        store.epoch() == before + 1
    });
    assert!(is_noticed);
    let (mut follower, mut seen) = (store.follower(), Vec::new());
    store.entries_after(&mut follower, 10, &mut |_, entry| seen.push(*entry)).unwrap();
    assert_eq!(seen, [entry(7)]);
}

#[test]
fn an_epoch_that_is_missing_short_or_of_another_store_is_damage() {
    let folder = Folder::new();
    let (path, other) = (folder.path("store"), folder.path("other"));
    close(open(&other).unwrap());
    close(open(&path).unwrap());
    let epoch = fs::read(path.join("epoch")).unwrap();
    fs::remove_file(path.join("epoch")).unwrap();
    assert_eq!(refusal(&path), Code::StoreCorrupt);
    assert!(!path.join("epoch").exists());
    for len in [0, 1, 8, 56, 4095] {
        fs::write(path.join("epoch"), &epoch[..len]).unwrap();
        assert_eq!(refusal(&path), Code::StoreCorrupt, "{len}");
    }
    fs::copy(other.join("epoch"), path.join("epoch")).unwrap();
    assert_eq!(refusal(&path), Code::StoreCorrupt);
    fs::write(path.join("epoch"), &epoch).unwrap();
    open(&path).unwrap();
}

#[test]
fn a_database_that_is_missing_or_empty_beside_its_epoch_is_damage() {
    let folder = Folder::new();
    let path = folder.path("store");
    close(open(&path).unwrap());
    fs::write(path.join("store.db"), "").unwrap();
    assert_eq!(refusal(&path), Code::StoreCorrupt);
    fs::remove_file(path.join("store.db")).unwrap();
    assert_eq!(refusal(&path), Code::StoreCorrupt);
    assert!(!path.join("store.db").exists());
}

#[test]
fn a_store_whose_creation_was_interrupted_at_any_step_is_made_on_the_next_open() {
    let folder = Folder::new();
    let path = folder.path("store");
    close(open(&path).unwrap());
    let epoch = fs::read(path.join("epoch")).unwrap();
    let steps: [(usize, bool); 4] = [(0, false), (100, false), (4096, false), (4096, true)];
    for (len, has_database) in steps {
        fs::remove_file(path.join("store.db")).unwrap();
        fs::write(path.join("epoch"), &epoch[..len]).unwrap();
        if len == 4096 {
            patch_epoch(&path, 8, &[0; 8]);
        }
        if has_database {
            fs::write(path.join("store.db"), "").unwrap();
        }
        assert!(values_in(&path).is_empty(), "{len} {has_database}");
    }
}

#[test]
fn commits_lost_with_the_machine_are_admitted_if_a_writer_did_not_wait_for_the_disk() {
    for durability in [Durability::Process, Durability::PowerLoss] {
        let folder = Folder::new();
        let (path, old) = (folder.path("store"), folder.path("old"));
        let options = StoreOptions { durability, ..options() };
        let store = open_with(&path, options).unwrap();
        commit(&store, [1]).unwrap();
        assert_eq!(store.lost_at(), None);
        close(store);
        copy(&path, &old);
        let store = open_with(&path, options).unwrap();
        let lost = commit(&store, [2]).unwrap();
        close(store);
        fs::copy(old.join("store.db"), path.join("store.db")).unwrap();
        assert_eq!(refusal(&path), Code::StoreCorrupt, "the machine has not stopped");
        // The start of the machine in the epoch, as if it were another one.
        patch_epoch(&path, 32, &[7; 16]);
        if durability == Durability::PowerLoss {
            assert_eq!(refusal(&path), Code::StoreCorrupt);
            continue;
        }
        // The durability of the process that opens it first does not matter.
        let store = open(&path).unwrap();
        let noticed = store.lost_at().unwrap();
        assert_eq!([store.take_loss(), store.take_loss()], [Some(noticed), None]);
        assert!(noticed > 1_700_000_000_000);
        assert!(store.epoch() > lost, "no number is used twice");
        assert!(commit(&store, [3]).unwrap() > lost + 1);
        close(store);
        let store = open_with(&path, options).unwrap();
        assert_eq!(store.lost_at(), Some(noticed), "each later process knows it, too");
        assert_eq!(store.stats().unwrap().lost_at, Some(noticed));
        assert_eq!(store.state::<Rows>().unwrap().values(), [1, 3]);
        assert_eq!(store.take_loss(), Some(noticed), "so does the first user in it");
        close(store);
        // After another start without a loss there is no news.
        patch_epoch(&path, 32, &[8; 16]);
        let store = open_with(&path, options).unwrap();
        assert_eq!((store.lost_at(), store.take_loss()), (Some(noticed), None));
    }
}

/// The place of the latest time of the clock in the epoch.
const LATEST: usize = 72;

#[test]
fn a_loss_is_dated_no_earlier_than_the_last_commits_even_if_the_clock_is_behind_at_boot() {
    let folder = Folder::new();
    let (path, old) = (folder.path("store"), folder.path("old"));
    let options = StoreOptions { durability: Durability::Process, ..options() };
    let before = SystemClock.unix_millis();
    let store = open_with(&path, options).unwrap();
    close(store);
    copy(&path, &old);
    let store = open_with(&path, options).unwrap();
    commit(&store, [1]).unwrap();
    close(store);
    let epoch = fs::read(path.join("epoch")).unwrap();
    let noted = u64::from_ne_bytes(epoch[LATEST..LATEST + 8].try_into().unwrap());
    assert!((before..before + 3_600_000).contains(&noted), "{noted}");
    // As if the commit had been a day later than the present boot.
    let later = noted + 86_400_000;
    patch_epoch(&path, LATEST, &later.to_ne_bytes());
    fs::copy(old.join("store.db"), path.join("store.db")).unwrap();
    patch_epoch(&path, 32, &[7; 16]);
    let store = open_with(&path, options).unwrap();
    assert_eq!(store.lost_at(), Some(later));
    close(store);
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_learns_of_a_time_that_another_one_saw_before_the_clock_was_set_back() {
    const TEST: &str =
        "losses::a_process_learns_of_a_time_that_another_one_saw_before_the_clock_was_set_back";
    use super::processes::{child_folder, command};
    // In a process of its own, because it changes the clock of all tests.
    let Some(path) = child_folder(TEST) else {
        let folder = Folder::new();
        assert!(command(TEST, &folder.path("store"), &[]).status().unwrap().success());
        return;
    };
    close(open(&path).unwrap());
    let now = SystemClock.unix_millis();
    // A day is no small correction, and is forgotten.
    for (ahead, is_learnt) in [(86_400_000, false), (200_000, true)] {
        patch_epoch(&path, LATEST, &(now + ahead).to_ne_bytes());
        let store = open(&path).unwrap();
        assert_eq!(SystemClock.latest_unix_millis() >= now + ahead, is_learnt, "{ahead}");
        close(store);
    }
    // An open store tells of its own time, and learns of those of others.
    let store = open(&path).unwrap();
    SystemClock.learn(now + 250_000);
    let is_told = (0..300).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        let epoch = fs::read(path.join("epoch")).unwrap();
        epoch[LATEST..LATEST + 8] == (now + 250_000).to_ne_bytes()
    });
    assert!(is_told);
    close(store);
}

#[test]
fn a_backup_of_a_store_in_use_opens_and_both_go_on_apart() {
    let folder = Folder::new();
    let (path, backup) = (folder.path("store"), folder.path("backup"));
    let store = open(&path).unwrap();
    commit(&store, 0..3000).unwrap();
    let known = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for value in 3000..3200 {
                commit(&store, [value]).unwrap();
            }
        });
        store.backup(&backup).unwrap();
        let copy = open(&backup).unwrap();
        let known = copy.state::<Rows>().unwrap().values();
        writer.join().unwrap();
        known
    });
    assert!(known.len() >= 3000);
    assert_eq!(known, (0..known.len() as u64).collect::<Vec<_>>());
    let copy = open(&backup).unwrap();
    commit(&copy, [9000]).unwrap();
    close(copy);
    close(store);
    assert_eq!(values_in(&path), (0..3200).collect::<Vec<_>>());
    assert_eq!(values_in(&backup).last(), Some(&9000));
    let other = Store::open(&backup, &key(2), options(), || Box::new(()));
    assert_eq!(other.err().unwrap().code, Code::StoreKey);
}

#[test]
fn a_backup_refuses_a_path_that_exists_and_removes_a_copy_that_failed() {
    let folder = Folder::new();
    let path = folder.path("store");
    let store = open(&path).unwrap();
    let sequence = commit(&store, 0..100).unwrap();
    for name in ["file", "empty"] {
        let path = folder.path(name);
        if name == "file" { fs::write(&path, "") } else { fs::create_dir(&path) }.unwrap();
        assert_eq!(store.backup(&path).unwrap_err().code, Code::StoreOpen);
        assert!(path.exists());
    }
    assert_eq!(store.backup(&path).unwrap_err().code, Code::StoreOpen);
    let missing = folder.path("missing").join("backup");
    assert_eq!(store.backup(&missing).unwrap_err().code, Code::StoreOpen);
    // A copy without a row is noticed.
    let mut engine = Database::open(&path.join("store.db"), &options(), true).unwrap();
    assert!(engine.begin().unwrap());
    engine.remove(&[Position::new(sequence, 3)], &mut |_, _| Ok(())).unwrap();
    engine.commit().unwrap();
    let backup = folder.path("backup");
    assert_eq!(store.backup(&backup).unwrap_err().code, Code::StoreCorrupt);
    assert!(!backup.exists());
}
