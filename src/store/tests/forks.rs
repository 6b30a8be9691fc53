//! A process that forks with an open store. The child cannot open another one: it does not get the
//! memory of secrets, with which keys are derived.

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
        store.close();
        let is_well = codes.iter().all(Option::is_some) && is_closed;
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
