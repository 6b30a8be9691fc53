//! Directories and files that are refused.

use super::*;

/// Opens a directory that is refused, and returns the message.
fn message(path: &Path) -> String {
    let error = open(path).err().expect("the store must not open");
    assert_eq!(error.code, Code::StoreOpen, "{error}");
    error.message.into_owned()
}

#[test]
fn the_last_part_of_the_path_is_made_and_a_missing_parent_is_named() {
    let folder = Folder::new();
    assert!(message(&folder.path("missing").join("store")).contains("parent"));
    fs::write(folder.path("file"), "").unwrap();
    assert!(message(&folder.path("file")).contains("not a directory"));
    assert_eq!(refusal(&folder.path("file").join("store")), Code::StoreOpen);
    open(&folder.path("store")).unwrap();
    assert!(folder.path("store").join("store.db").is_file());
}

#[cfg(unix)]
#[test]
fn every_file_is_for_the_user_alone_whatever_the_umask() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let path = folder.path("store");
    let store = open(&path).unwrap();
    commit(&store, [1]).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    let names = ["epoch", "store.db", "store.db-wal", "store.db-shm"];
    for name in names {
        assert_eq!(mode(&path.join(name)), 0o600, "{name}");
    }
    assert_eq!(fs::read_dir(&path).unwrap().count(), names.len());
}

#[cfg(unix)]
#[test]
fn a_directory_that_others_may_use_or_a_link_is_refused() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::new();
    let path = folder.path("store");
    open(&path).unwrap().close();
    for mode in [0o701, 0o710, 0o740, 0o770, 0o777] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert!(message(&path).contains("chmod 700"), "{mode:o}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    symlink(&path, folder.path("link")).unwrap();
    assert!(message(&folder.path("link")).contains("symbolic link"));
    for name in ["epoch", "store.db"] {
        open(&path).unwrap().close();
        fs::rename(path.join(name), folder.path(name)).unwrap();
        symlink(folder.path(name), path.join(name)).unwrap();
        assert_eq!(refusal(&path), Code::StoreOpen, "{name}");
        fs::rename(folder.path(name), path.join(name)).unwrap();
    }
    open(&path).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_database_of_which_the_process_has_another_descriptor_is_refused() {
    let folder = Folder::new();
    let path = folder.path("store");
    open(&path).unwrap().close();
    let held = fs::File::open(path.join("store.db")).unwrap();
    assert!(message(&path).contains("open in this process already"));
    drop(held);
    open(&path).unwrap();
}

#[test]
fn a_database_of_another_program_or_format_is_refused_and_left_as_it_is() {
    let folder = Folder::new();
    let path = folder.path("store");
    open(&path).unwrap().close();
    let database = path.join("store.db");
    let ours = fs::read(&database).unwrap();
    // The header of an SQLite file: `user_version` ends at byte 64, `application_id` at 72.
    for (place, text) in [(63, "format"), (71, "not a store")] {
        let mut other = ours.clone();
        other[place] ^= 2;
        fs::write(&database, &other).unwrap();
        assert!(message(&path).contains(text), "{text}");
    }
    fs::write(&database, &ours).unwrap();
    open(&path).unwrap();
}

#[cfg(unix)]
#[test]
fn a_store_whose_files_are_deleted_while_it_is_open_fails_within_a_second_or_two() {
    let folder = Folder::new();
    let path = folder.path("store");
    let store = open(&path).unwrap();
    fs::rename(&path, folder.path("moved")).unwrap();
    let failed = (0..300).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        store.failing().is_some()
    });
    assert!(failed);
    assert_eq!(store.failing(), Some(Code::StoreCorrupt));
}
