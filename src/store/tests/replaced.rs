//! Files that other programs replace, cut or delete while a store is open: the store then says so
//! instead of acknowledging or knowing less.

use super::*;

/// A way to harm the files of a store that is open.
type Harm = fn(&Folder, &Path);

/// Puts a copy of a file in its place.
fn replace(path: &Path, name: &str) {
    fs::copy(path.join(name), path.join("copy")).unwrap();
    fs::rename(path.join("copy"), path.join(name)).unwrap();
}

const HARMS: [(&str, Harm); 10] = [
    ("the epoch is replaced", |_, path| replace(path, "epoch")),
    ("the epoch is deleted", |_, path| fs::remove_file(path.join("epoch")).unwrap()),
    ("the index of the log is deleted", |_, path| {
        fs::remove_file(path.join("store.db-shm")).unwrap();
    }),
    ("the log is replaced", |_, path| replace(path, "store.db-wal")),
    ("the log is deleted", |_, path| fs::remove_file(path.join("store.db-wal")).unwrap()),
    ("the log is cut", |_, path| cut(&path.join("store.db-wal"))),
    ("the database is replaced", |_, path| replace(path, "store.db")),
    ("the database is cut", |_, path| cut(&path.join("store.db"))),
    ("the directory is moved", |folder, path| fs::rename(path, folder.path("moved")).unwrap()),
    ("the directory is deleted", |_, path| fs::remove_dir_all(path).unwrap()),
];

/// Cuts a file to its first half.
fn cut(path: &Path) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
}

/// Stores several of a process are independent, so all cases may be open at once.
fn open_and_harm(harm: Harm) -> (Folder, Store) {
    let folder = Folder::new();
    let path = folder.path("store");
    let store = open(&path).unwrap();
    commit(&store, 0..500).unwrap();
    harm(&folder, &path);
    (folder, store)
}

#[test]
fn no_commit_is_acknowledged_after_a_file_was_replaced_cut_or_deleted() {
    for (what, harm) in HARMS {
        let (folder, store) = open_and_harm(harm);
        let result = commit(&store, [1000]);
        assert_eq!(result.map_err(|error| error.code), Err(Code::StoreCorrupt), "{what}");
        assert_eq!(store.failing(), Some(Code::StoreCorrupt), "{what}");
        let backup = store.backup(&folder.path("backup"));
        assert_eq!(backup.map_err(|error| error.code), Err(Code::StoreCorrupt), "{what}");
    }
}

#[test]
fn no_deletion_is_acknowledged_after_a_file_was_replaced_cut_or_deleted() {
    for (what, harm) in HARMS {
        let (_folder, store) = open_and_harm(harm);
        let (tell, told) = std::sync::mpsc::channel();
        store.delete_expired(9, Box::new(move |result| tell.send(result).unwrap())).unwrap();
        let result = told.recv_timeout(WAIT).unwrap();
        assert_eq!(result.map_err(|error| error.code), Err(Code::StoreCorrupt), "{what}");
    }
}

#[test]
fn a_store_that_commits_nothing_notices_by_itself_that_a_file_was_replaced_cut_or_deleted() {
    let opened: Vec<_> =
        HARMS.into_iter().map(|(what, harm)| (what, open_and_harm(harm))).collect();
    for (what, (_folder, store)) in &opened {
        let is_noticed = (0..300).any(|_| {
            std::thread::sleep(Duration::from_millis(100));
            store.failing().is_some()
        });
        assert!(is_noticed, "{what}");
        assert_eq!(store.failing(), Some(Code::StoreCorrupt), "{what}");
    }
}
