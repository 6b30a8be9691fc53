//! A process that forks with an open store. The child does not get the memory of secrets.

use super::processes::{child_folder, command};
use super::*;

#[test]
fn a_forked_process_cannot_use_the_store_and_its_parent_still_can() {
    const TEST: &str = "forks::a_forked_process_cannot_use_the_store_and_its_parent_still_can";
    let Some(path) = child_folder(TEST) else {
        let folder = Folder::new();
        let path = folder.path("store");
        assert!(command(TEST, &path, &[]).status().unwrap().success());
        assert_eq!(values_in(&path), [1, 2]);
        return;
    };
    let store = open(&path).unwrap();
    commit(&store, [1]).unwrap();
    let secret = key(1);
    // SAFETY: the child runs the calls below, which meet no lock of another thread, and `_exit`.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let codes = [
            store.commit(batch([3]), Box::new(|_| {})).err(),
            store.record(b"1").err(),
            store.stats().err(),
            store.backup(&path.join("copy")).err(),
        ];
        let is_closed = codes.iter().flatten().all(|error| error.code == Code::StoreClosed);
        let opened = [&path, &path.join("another")]
            .map(|path| Store::open(path, &secret, options(), || Box::new(Rows::default())).err());
        let made = [Secret::copy_from(&[1; 32]).err(), Secret::random(32).err()];
        let is_refused = opened
            .iter()
            .chain(&made)
            .all(|error| error.as_ref().is_some_and(|error| error.code == Code::SecretDegraded));
        store.close();
        let is_well = codes.iter().all(Option::is_some) && is_closed && is_refused;
        // SAFETY: ends the process without the handlers of the parent.
        unsafe { libc::_exit(i32::from(!is_well)) };
    }
    let mut status = -1;
    // SAFETY: the call writes one status.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0);
    commit(&store, [2]).unwrap();
    store.close();
}
